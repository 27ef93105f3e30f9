import {
  cellSizeM,
  FREE,
  makeOctreeFrame,
  OCCUPIED,
  type OctreeFrame,
  type OctreeGrid,
  UNKNOWN,
} from "../core/occupancy.ts";
import type { StereoAnswer } from "../core/ports.ts";
import { isWhollyInView, type View } from "../core/view.ts";

/** Where the three states part. */
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
 * likelier. Nothing is free that was not seen as a whole: a leaf that reaches out of the image is unknown, of a coarser
 * cell only the parts wholly in view are listed. `keep`: what a parent's p_occupied exceeded where it was divided, per
 * level but the last.
 */
export function makeOctreeDecoder(
  grid: OctreeGrid,
  keep: readonly number[],
): (answer: StereoAnswer, view: View, limits: DecodeLimits) => OctreeFrame {
  let frame = makeOctreeFrame(grid, 0);

  function add(level: number, x: number, y: number, z: number, state: number, pOccupied: number): void {
    if (frame.count === frame.level.length) frame = grown(frame);
    const n = frame.count;
    frame.level[n] = level;
    frame.x[n] = x;
    frame.y[n] = y;
    frame.z[n] = z;
    frame.state[n] = state;
    frame.pOccupied[n] = pOccupied;
    frame.count = n + 1;
  }

  function addSeenParts(view: View, level: number, x: number, y: number, z: number, pOccupied: number): void {
    if (isWhollyInView(grid, view, level, x, y, z)) add(level, x, y, z, FREE, pOccupied);
    else if (level < grid.levels - 1) {
      for (let child = 0; child < 8; child += 1) {
        addSeenParts(view, level + 1, 2 * x + (child >> 2), 2 * y + ((child >> 1) & 1), 2 * z + (child & 1), pOccupied);
      }
    }
  }

  return (answer, view, { occupancyThreshold, freeThreshold, maxRangeM }) => {
    frame.count = 0;
    for (let level = 0; level < answer.levels.length; level += 1) {
      const { index, p } = answer.levels[level]!;
      const divide = keep[level] ?? Number.POSITIVE_INFINITY;
      const layers = (maxRangeM - grid.origin[2] * grid.voxelSizeM) / cellSizeM(grid, level);
      const isLeaf = level === grid.levels - 1;
      for (let i = 0; i < index.length; i += 3) {
        const pOccupied = p[i + 2]!;
        if (pOccupied > divide) continue;
        const [x, y, z] = [index[i]!, index[i + 1]!, index[i + 2]!];
        const inRange = z < layers;
        if (inRange && isLeaf && pOccupied >= occupancyThreshold) add(level, x, y, z, OCCUPIED, pOccupied);
        else if (!inRange || p[i + 1]! <= p[i]! || pOccupied > freeThreshold) add(level, x, y, z, UNKNOWN, pOccupied);
        else if (!isLeaf) addSeenParts(view, level, x, y, z, pOccupied);
        else add(level, x, y, z, isWhollyInView(grid, view, level, x, y, z) ? FREE : UNKNOWN, pOccupied);
      }
    }
    return frame;
  };
}

/** A frame with the same cells and room for twice as many. */
function grown(old: OctreeFrame): OctreeFrame {
  const frame = makeOctreeFrame(old.grid, Math.max(4096, old.count * 2));
  for (const key of ["level", "x", "y", "z", "state", "pOccupied"] as const) frame[key].set(old[key]);
  frame.count = old.count;
  return frame;
}
