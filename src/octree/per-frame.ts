import { cellCentreInto, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import { type PointList, reserve } from "./points.ts";

/**
 * Centres and probabilities of the frame's occupied cells (one point a cell, whatever its level), in the frame's order;
 * metres, left optical frame.
 */
export function frameOccupiedInto(out: PointList, frame: OctreeFrame): void {
  out.count = 0;
  reserve(out, frame.count);
  for (let i = 0; i < frame.count; i += 1) {
    if (frame.state[i] !== OCCUPIED) continue;
    cellCentreInto(out.xyz, out.count * 3, frame, i);
    out.value[out.count] = frame.pOccupied[i]!;
    out.count += 1;
  }
}

/** Leaves of a grid as two sets of bits, free and occupied; in neither: unknown. A leaf's bit is its `leafNumber`. */
export interface LeafBits {
  readonly free: Int32Array;
  readonly occupied: Int32Array;
}

export function makeLeafBits({ size }: OctreeGrid): LeafBits {
  const words = Math.ceil((size[0] * size[1] * size[2]) / 32);
  return { free: new Int32Array(words), occupied: new Int32Array(words) };
}

/** z, the way in which the camera looks, goes fastest: leaves one behind the other are side by side. */
export function leafNumber({ size }: OctreeGrid, x: number, y: number, z: number): number {
  return (y * size[0] + x) * size[2] + z;
}

export function hasBit(bits: Int32Array, at: number): boolean {
  return ((bits[at >> 5]! >>> at) & 1) === 1;
}

/** Each leaf gets the state of the frame's cell that it lies in; what the frame does not list is unknown. */
export function rasterInto(out: LeafBits, frame: OctreeFrame): void {
  const { levels, size } = frame.grid;
  const [sizeX, , sizeZ] = size;
  out.free.fill(0);
  out.occupied.fill(0);
  for (let i = 0; i < frame.count; i += 1) {
    const state = frame.state[i]!;
    if (state === UNKNOWN) continue;
    const bits = state === OCCUPIED ? out.occupied : out.free;
    const edge = 1 << (levels - 1 - frame.level[i]!);
    const corner = leafNumber(frame.grid, frame.x[i]! * edge, frame.y[i]! * edge, frame.z[i]! * edge);
    // A row of a cell lies in one word or fills several: it begins at a multiple of its length.
    const row = edge >= 32 ? -1 : (1 << edge) - 1;
    for (let y = 0; y < edge; y += 1) {
      for (let x = 0; x < edge; x += 1) {
        const first = corner + (y * sizeX + x) * sizeZ;
        for (let z = 0; z < edge; z += 32) bits[(first + z) >> 5]! |= row << first;
      }
    }
  }
}
