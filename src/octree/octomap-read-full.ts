import { FREE, OCCUPIED } from "../core/occupancy.ts";
import { TREE_DEPTH } from "./key.ts";
import { FULL_NODE_BYTES } from "./octomap-full.ts";
import { addLeaf, corruptOctomap, makeLeaves, type OctomapLeaves } from "./octomap-read.ts";

/**
 * Reads the data of an `octomap_msgs/Octomap` with `binary = false`, or of a `.ot` file: depth first, each node its
 * log-odds as float32 and one bit a child (OctoMap, `OcTreeBaseImpl::readData`). `state` is as OctoMap has it by default:
 * occupied from log-odds 0 on. Throws MESSAGE_CORRUPT where the stream ends inside the tree, goes below depth 16, goes on
 * after the tree, or has log-odds that are not finite.
 */
export function readOctomapFull(bytes: Uint8Array | Int8Array): OctomapLeaves {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const leaves = makeLeaves(true);
  if (data.byteLength === 0) return leaves;
  const end = readNode(leaves, data, 0, 0, 0, 0, 0);
  if (end !== data.byteLength) throw corruptOctomap(`has ${data.byteLength - end} bytes after the last node`);
  leaves.nodes = end / FULL_NODE_BYTES;
  return leaves;
}

function readNode(
  leaves: OctomapLeaves,
  data: DataView,
  at: number,
  depth: number,
  kx: number,
  ky: number,
  kz: number,
): number {
  if (at + FULL_NODE_BYTES > data.byteLength) {
    throw corruptOctomap(`ends after ${data.byteLength} bytes, inside the tree`);
  }
  const logOdds = data.getFloat32(at, true);
  const children = data.getUint8(at + 4);
  if (!Number.isFinite(logOdds)) throw corruptOctomap(`has log-odds of ${logOdds} at byte ${at}`);
  let end = at + FULL_NODE_BYTES;
  // The root alone has no leaf of its own in OctoMap's key space: its depth would be 0.
  if (children === 0 && depth > 0) addLeaf(leaves, kx, ky, kz, depth, logOdds >= 0 ? OCCUPIED : FREE, logOdds);
  if (children !== 0 && depth === TREE_DEPTH) {
    throw corruptOctomap(`has a node below depth ${TREE_DEPTH} at byte ${at}`);
  }
  const edge = 2 ** (TREE_DEPTH - 1 - depth);
  for (let child = 0; child < 8; child += 1) {
    if ((children & (1 << child)) === 0) continue;
    const [x, y, z] = [kx + (child & 1) * edge, ky + ((child >> 1) & 1) * edge, kz + (child >> 2) * edge];
    end = readNode(leaves, data, end, depth + 1, x, y, z);
  }
  return end;
}
