import { Fault } from "../core/fault.ts";
import { UNKNOWN } from "../core/occupancy.ts";
import { TREE_DEPTH } from "./key.ts";
import { HAS_CHILDREN } from "./octomap.ts";

/** Leaves of an octree in stream order; the first `count` entries count. Unknown space is not listed. */
export interface OctomapLeaves {
  count: number;
  /** Key of the leaf's minimum corner, in cells of depth 16; x, y, z. */
  keys: Uint16Array;
  /** 1..16; the leaf covers 2 ** (16 - depth) cells an axis. */
  depth: Uint8Array;
  /** FREE or OCCUPIED. */
  state: Uint8Array;
  /** Where the stream tells them: natural log-odds. */
  logOdds?: Float32Array;
  /** All nodes, leaves among them; OctoMap's "size". */
  nodes: number;
}

/**
 * Reads the data of an `octomap_msgs/Octomap` with `binary = true` (signed or unsigned bytes). Throws MESSAGE_CORRUPT
 * where the stream ends inside the tree, goes below depth 16, or goes on after the tree.
 */
export function readOctomapBinary(bytes: Uint8Array | Int8Array): OctomapLeaves {
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const leaves = makeLeaves(false);
  if (data.length === 0) return leaves;
  const end = readNode(leaves, data, 0, 0, 0, 0, 0);
  if (end !== data.length) throw corruptOctomap(`has ${data.length - end} bytes after the last node`);
  leaves.nodes = leaves.count + end / 2;
  return leaves;
}

export function makeLeaves(withLogOdds: boolean): OctomapLeaves {
  return {
    count: 0,
    keys: new Uint16Array(3 * 256),
    depth: new Uint8Array(256),
    state: new Uint8Array(256),
    ...(withLogOdds ? { logOdds: new Float32Array(256) } : {}),
    nodes: 0,
  };
}

function readNode(
  leaves: OctomapLeaves,
  data: Uint8Array,
  at: number,
  depth: number,
  kx: number,
  ky: number,
  kz: number,
): number {
  if (at + 2 > data.length) throw corruptOctomap(`ends after ${data.length} bytes, inside the tree`);
  const word = data[at]! | (data[at + 1]! << 8);
  const edge = 2 ** (TREE_DEPTH - 1 - depth);
  let end = at + 2;
  // Leaves of this node come before those of its subtrees, as in the stream.
  for (let child = 0; child < 8; child += 1) {
    const code = (word >>> (2 * child)) & 3;
    if (code === UNKNOWN || code === HAS_CHILDREN) continue;
    addLeaf(leaves, kx + (child & 1) * edge, ky + ((child >> 1) & 1) * edge, kz + (child >> 2) * edge, depth + 1, code);
  }
  for (let child = 0; child < 8; child += 1) {
    if (((word >>> (2 * child)) & 3) !== HAS_CHILDREN) continue;
    if (depth + 1 === TREE_DEPTH) throw corruptOctomap(`has a node below depth ${TREE_DEPTH} at byte ${at}`);
    const [x, y, z] = [kx + (child & 1) * edge, ky + ((child >> 1) & 1) * edge, kz + (child >> 2) * edge];
    end = readNode(leaves, data, end, depth + 1, x, y, z);
  }
  return end;
}

export function addLeaf(
  leaves: OctomapLeaves,
  kx: number,
  ky: number,
  kz: number,
  depth: number,
  state: number,
  logOdds = 0,
): void {
  const i = leaves.count;
  if (i === leaves.state.length) {
    const keys = new Uint16Array(i * 6);
    keys.set(leaves.keys);
    leaves.keys = keys;
    leaves.depth = doubled(leaves.depth);
    leaves.state = doubled(leaves.state);
    if (leaves.logOdds !== undefined) {
      const longer = new Float32Array(i * 2);
      longer.set(leaves.logOdds);
      leaves.logOdds = longer;
    }
  }
  leaves.keys[i * 3] = kx;
  leaves.keys[i * 3 + 1] = ky;
  leaves.keys[i * 3 + 2] = kz;
  leaves.depth[i] = depth;
  leaves.state[i] = state;
  if (leaves.logOdds !== undefined) leaves.logOdds[i] = logOdds;
  leaves.count += 1;
}

function doubled(from: Uint8Array): Uint8Array {
  const to = new Uint8Array(from.length * 2);
  to.set(from);
  return to;
}

export function corruptOctomap(what: string): Fault {
  return new Fault(`The OctoMap data ${what}; wanted one complete tree of depth ${TREE_DEPTH}.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Write the map again; the file or message was cut or is of another kind (an OcTree is read).",
  });
}
