import { FREE, OCCUPIED, type OctreeGrid, UNKNOWN } from "../../src/core/occupancy.ts";
import type { ClearingOptions } from "../../src/octree/clearing-rays.ts";
import { leafNumber } from "../../src/octree/per-frame.ts";

/**
 * Length of the free ray along `d` (a unit vector), metres, and whether an obstacle ended it; undefined where nothing free
 * was seen. The leaves between all faces that the ray meets, sorted, one after the other, by the rules.
 */
export function clearingRay(
  grid: OctreeGrid,
  states: ArrayLike<number>,
  isCutOff: (leaf: number) => boolean,
  d: readonly number[],
  { blindM, maxRangeM }: ClearingOptions,
): { lengthM: number; hit: boolean } | undefined {
  const way = d.map((v) => v || 1e-12);
  const faces = grid.size.flatMap((size, a) =>
    Array.from({ length: size + 1 }, (_, k) => ((grid.origin[a]! + k) * grid.voxelSizeM) / way[a]!),
  );
  const nearM = Math.max(0, (grid.origin[2] * grid.voxelSizeM) / way[2]!);
  const stops = [nearM, ...faces.filter((t) => t > nearM + 1e-9 && t < maxRangeM), maxRangeM].sort((a, b) => a - b);
  let unseenToM = nearM;
  let sawFree = false;
  for (const [i, endM] of stops.slice(1).entries()) {
    const fromM = stops[i]!;
    if (endM - fromM < 1e-9) continue;
    const cell = way.map((v, a) => Math.floor((v * (fromM + endM)) / 2 / grid.voxelSizeM) - grid.origin[a]!);
    const inside = cell.every((k, a) => k >= 0 && k < grid.size[a]!);
    const leaf = leafNumber(grid, cell[0]!, cell[1]!, cell[2]!);
    const state = inside ? states[leaf]! : UNKNOWN;
    if (sawFree && state !== FREE) return { lengthM: fromM, hit: state === OCCUPIED };
    if (state === OCCUPIED || (!sawFree && unseenToM > Math.max(blindM, nearM) + 1e-6)) return undefined;
    sawFree ||= state === FREE;
    if (!(inside && isCutOff(leaf))) unseenToM = endM;
  }
  return sawFree ? { lengthM: maxRangeM, hit: false } : undefined;
}
