import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import type { StereoAnswer } from "../core/ports.ts";

export interface DecodeLimits {
  /** A leaf is occupied from this probability on. */
  readonly occupancyThreshold: number;
  /** A leaf above this probability of being occupied is not free: unknown, unless it is occupied. */
  readonly freeThreshold: number;
  /** Leaves and cells whose nearest face lies beyond this depth, metres, become unknown. */
  readonly maxRangeM: number;
}

/**
 * Turns the network's answer into a three-state octree: cells that were divided are left to their children; of the
 * others, leaves are occupied from their threshold on and doubtful ones unknown; the rest is free or unknown, whichever is
 * likelier. `keep`: what a parent's p_occupied exceeded where it was divided, per level but the last.
 */
export function makeOctreeDecoder(
  grid: OctreeGrid,
  keep: readonly number[],
): (answer: StereoAnswer, limits: DecodeLimits) => OctreeFrame {
  let capacity = 0;
  let frame = makeOctreeFrame(grid, capacity);

  return (answer, { occupancyThreshold, freeThreshold, maxRangeM }) => {
    let total = 0;
    for (const level of answer.levels) total += level.index.length / 3;
    if (total > capacity) {
      capacity = Math.ceil(total * 1.25);
      frame = makeOctreeFrame(grid, capacity);
    }
    let n = 0;
    for (let level = 0; level < answer.levels.length; level += 1) {
      const { index, p } = answer.levels[level]!;
      const divide = keep[level] ?? Number.POSITIVE_INFINITY;
      const cell = grid.voxelSizeM * 2 ** (grid.levels - 1 - level);
      const layers = (maxRangeM - grid.origin[2] * grid.voxelSizeM) / cell;
      const isLeaf = level === grid.levels - 1;
      for (let i = 0; i < index.length; i += 3) {
        const pOccupied = p[i + 2]!;
        if (pOccupied > divide) continue;
        const z = index[i + 2]!;
        let state = p[i + 1]! > p[i]! && pOccupied <= freeThreshold ? FREE : UNKNOWN;
        if (isLeaf && pOccupied >= occupancyThreshold) state = OCCUPIED;
        if (z >= layers) state = UNKNOWN;
        frame.level[n] = level;
        frame.x[n] = index[i]!;
        frame.y[n] = index[i + 1]!;
        frame.z[n] = z;
        frame.state[n] = state;
        frame.pOccupied[n] = pOccupied;
        n += 1;
      }
    }
    frame.count = n;
    return frame;
  };
}
