import { cellCentreInto, OCCUPIED, type OctreeFrame, UNKNOWN } from "../core/occupancy.ts";
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

/**
 * Writes the frame's cells into a dense leaf grid, dense[(z * sizeY + y) * sizeX + x]: the state of the cell that the leaf
 * lies in. What the frame does not list is 0: UNKNOWN. Wants at least the product of `frame.grid.size` entries.
 */
export function rasterInto(dense: Uint8Array, frame: OctreeFrame): void {
  const { levels, size } = frame.grid;
  const [sizeX, sizeY] = size;
  dense.fill(UNKNOWN);
  for (let i = 0; i < frame.count; i += 1) {
    const state = frame.state[i]!;
    if (state === UNKNOWN) continue;
    const edge = 1 << (levels - 1 - frame.level[i]!);
    const corner = (frame.z[i]! * edge * sizeY + frame.y[i]! * edge) * sizeX + frame.x[i]! * edge;
    for (let z = 0; z < edge; z += 1) {
      for (let y = 0; y < edge; y += 1) {
        const row = corner + (z * sizeY + y) * sizeX;
        for (let x = 0; x < edge; x += 1) dense[row + x] = state;
      }
    }
  }
}
