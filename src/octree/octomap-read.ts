import { Fault } from "../core/fault.ts";
import { OCCUPIED, UNKNOWN } from "../core/occupancy.ts";
import { BRICK_CELLS, BRICK_EDGE, cellIndex, TREE_DEPTH } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
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
  /** All nodes, leaves among them; OctoMap's "size". */
  nodes: number;
}

/**
 * Reads the data of an `octomap_msgs/Octomap` with `binary = true` (signed or unsigned bytes). Throws MESSAGE_CORRUPT
 * where the stream ends inside the tree, goes below depth 16, or goes on after the tree.
 */
export function readOctomapBinary(bytes: Uint8Array | Int8Array): OctomapLeaves {
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const leaves: OctomapLeaves = {
    count: 0,
    keys: new Uint16Array(3 * 256),
    depth: new Uint8Array(256),
    state: new Uint8Array(256),
    nodes: 0,
  };
  if (data.length === 0) return leaves;
  const end = readNode(leaves, data, 0, 0, 0, 0, 0);
  if (end !== data.length) throw corrupt(`has ${data.length - end} bytes after the last node`);
  leaves.nodes = leaves.count + end / 2;
  return leaves;
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
  if (at + 2 > data.length) throw corrupt(`ends after ${data.length} bytes, inside the tree`);
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
    if (depth + 1 === TREE_DEPTH) throw corrupt(`has a node below depth ${TREE_DEPTH} at byte ${at}`);
    const [x, y, z] = [kx + (child & 1) * edge, ky + ((child >> 1) & 1) * edge, kz + (child >> 2) * edge];
    end = readNode(leaves, data, end, depth + 1, x, y, z);
  }
  return end;
}

function addLeaf(leaves: OctomapLeaves, kx: number, ky: number, kz: number, depth: number, state: number): void {
  const i = leaves.count;
  if (i === leaves.state.length) {
    const keys = new Uint16Array(i * 6);
    keys.set(leaves.keys);
    leaves.keys = keys;
    leaves.depth = doubled(leaves.depth);
    leaves.state = doubled(leaves.state);
  }
  leaves.keys[i * 3] = kx;
  leaves.keys[i * 3 + 1] = ky;
  leaves.keys[i * 3 + 2] = kz;
  leaves.depth[i] = depth;
  leaves.state[i] = state;
  leaves.count += 1;
}

function doubled(from: Uint8Array): Uint8Array {
  const to = new Uint8Array(from.length * 2);
  to.set(from);
  return to;
}

function corrupt(what: string): Fault {
  return new Fault(`The OctoMap data ${what}; wanted one complete tree of depth ${TREE_DEPTH}.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Write the map again; the file or message was cut or is of another kind (binary OcTree is read).",
  });
}

/**
 * Puts leaves into a map at its clamping thresholds, as OctoMap does on reading; cells outside the map's window or
 * beyond its brick cap are left out. Returns how many cells were set.
 */
export function loadLeaves(map: OccupancyMap, leaves: OctomapLeaves): number {
  let set = 0;
  for (let i = 0; i < leaves.count; i += 1) {
    const edge = 2 ** (TREE_DEPTH - leaves.depth[i]!);
    const [x, y, z] = [leaves.keys[i * 3]!, leaves.keys[i * 3 + 1]!, leaves.keys[i * 3 + 2]!];
    const value = leaves.state[i] === OCCUPIED ? map.evidence.max : map.evidence.min;
    const { window } = map;
    const span = (key: number, centre: number): [number, number] => [
      Math.max(key >> 3, centre - window.halfBricks),
      Math.min((key + edge - 1) >> 3, centre + window.halfBricks),
    ];
    const [fromX, toX] = span(x, window.centreX);
    const [fromY, toY] = span(y, window.centreY);
    const [fromZ, toZ] = span(z, window.centreZ);
    for (let bz = fromZ; bz <= toZ; bz += 1) {
      for (let by = fromY; by <= toY; by += 1) {
        for (let bx = fromX; bx <= toX; bx += 1) set += fillInBrick(map, bx, by, bz, [x, y, z], edge, value);
      }
    }
  }
  return set;
}

function fillInBrick(
  map: OccupancyMap,
  bx: number,
  by: number,
  bz: number,
  corner: readonly [number, number, number],
  edge: number,
  value: number,
): number {
  const slot = map.window.ensure(bx, by, bz, map.nowS);
  if (slot < 0) return 0;
  const { store } = map;
  const [fromX, fromY, fromZ] = [bx, by, bz].map((b, a) => Math.max(b * BRICK_EDGE, corner[a]!)) as Triple;
  const [toX, toY, toZ] = [bx, by, bz].map((b, a) => Math.min((b + 1) * BRICK_EDGE, corner[a]! + edge)) as Triple;
  for (let kz = fromZ; kz < toZ; kz += 1) {
    for (let ky = fromY; ky < toY; ky += 1) {
      for (let kx = fromX; kx < toX; kx += 1) {
        const at = slot * BRICK_CELLS + cellIndex(kx, ky, kz);
        if (store.logOdds[at] === UNKNOWN_CELL) store.known[slot]! += 1;
        store.logOdds[at] = value;
      }
    }
  }
  return (toX - fromX) * (toY - fromY) * (toZ - fromZ);
}

type Triple = [number, number, number];
