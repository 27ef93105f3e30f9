import type { StereoCalibration } from "../core/calibration.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import { isWhollyInView, type View } from "../core/view.ts";
import { type LeafBits, leafNumber, makeLeafBits } from "./per-frame.ts";

export interface ClearingOptions {
  /** Rays end here at the latest, metres; the grid's own end may come first. */
  readonly maxRangeM: number;
  /** Unknown space that a ray may cross at its start, where stereo sees nothing; at least up to the grid's near face. */
  readonly blindM: number;
  /** At most so many rays; where the spacing asks for more, all are further apart. */
  readonly maxRays: number;
}

export const clearingDefaults: ClearingOptions = { maxRangeM: 100, blindM: 2, maxRays: 16384 };

/**
 * How far apart rays are at the far end, in leaf voxels. A consumer's cell of a leaf's size is hit by one at least, however
 * its grid is turned, up to 0.7; the finer cells of a costmap near by want more (`test/nav2`: a ghost stayed at 0.7).
 */
const SPACING = 0.5;

/** Rays of one camera through one grid, with the leaves that each passes. Made once per calibration. */
export interface ClearingRays {
  readonly grid: OctreeGrid;
  readonly options: ClearingOptions;
  /** Bins of the image, one ray through the middle of each. */
  readonly columns: number;
  readonly rows: number;
  /** Unit vectors, left optical frame. */
  readonly directions: Float64Array;
  /** States of the leaves, filled for each frame. */
  readonly states: LeafBits;
  /**
   * The leaves of a ray in the order in which it passes them, in runs of leaves one behind the other: bits `mask[run]` of
   * word `word[run]` of `states`, lowest first, for `first[ray]` to before `first[ray + 1]`.
   */
  readonly first: Int32Array;
  readonly word: Uint16Array | Int32Array;
  readonly mask: Int32Array;
  /** A ray begins to be free before this run or never: from there on lies more unseen space than is allowed. */
  readonly freeBefore: Int32Array;
  /** Metres from the camera to where the ray ends at the latest. */
  readonly reachM: Float32Array;
}

export function makeClearingRays(
  grid: OctreeGrid,
  calibration: StereoCalibration,
  options: Partial<ClearingOptions> = {},
): ClearingRays {
  const all = { ...clearingDefaults, ...options };
  const { columns, rows } = binsOf(grid, calibration, all);
  const directions = new Float64Array(columns * rows * 3);
  const cutOff = cutOffBy(grid, calibration);
  const count = columns * rows;
  // A ray passes no more leaves than the grid has layers.
  const room = count * (grid.size[0] + grid.size[1] + grid.size[2]);
  const traced = {
    count: 0,
    first: new Int32Array(count + 1),
    word: new Int32Array(room),
    mask: new Int32Array(room),
    freeBefore: new Int32Array(count),
    reachM: new Float32Array(count),
  };
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = (((column + 0.5) * calibration.width) / columns - 0.5 - calibration.cx) / calibration.fx;
      const y = (((row + 0.5) * calibration.height) / rows - 0.5 - calibration.cy) / calibration.fy;
      const length = Math.hypot(x, y, 1);
      const direction = [x / length, y / length, 1 / length] as const;
      const ray = row * columns + column;
      directions.set(direction, ray * 3);
      trace(traced, ray, grid, all, cutOff, direction);
      traced.first[ray + 1] = traced.count;
    }
  }
  const { first, freeBefore, reachM } = traced;
  const states = makeLeafBits(grid);
  // As few bytes as will do: all of this is read for every frame.
  const words = states.free.length <= 65536 ? Uint16Array : Int32Array;
  const word = words.from(traced.word.subarray(0, traced.count));
  const mask = traced.mask.slice(0, traced.count);
  return { grid, options: all, columns, rows, directions, states, first, word, mask, freeBefore, reachM };
}

/** 1 where a leaf reaches out of the image, so that nothing can call it free; by `leafNumber`. */
export function cutOffBy(grid: OctreeGrid, view: View): Uint8Array {
  const [sizeX, sizeY, sizeZ] = grid.size;
  const out = new Uint8Array(sizeX * sizeY * sizeZ);
  for (let x = 0; x < sizeX; x += 1) {
    for (let y = 0; y < sizeY; y += 1) {
      for (let z = 0; z < sizeZ; z += 1) {
        out[leafNumber(grid, x, y, z)] = isWhollyInView(grid, view, grid.levels - 1, x, y, z) ? 0 : 1;
      }
    }
  }
  return out;
}

/** As many bins as put the rays `SPACING` apart at the far end of the grid, or where they end before it. */
function binsOf(
  { voxelSizeM, origin, size }: OctreeGrid,
  { width, height, fx, fy }: StereoCalibration,
  { maxRangeM, maxRays }: ClearingOptions,
): { columns: number; rows: number } {
  const depth = Math.min(maxRangeM / voxelSizeM, origin[2] + size[2]);
  const [wide, high] = [(depth * width) / fx / SPACING, (depth * height) / fy / SPACING];
  const share = Math.min(1, Math.sqrt(maxRays / (Math.ceil(wide) * Math.ceil(high))));
  if (share === 1) return { columns: Math.ceil(wide), rows: Math.ceil(high) };
  return { columns: Math.max(1, Math.floor(wide * share)), rows: Math.max(1, Math.floor(high * share)) };
}

/** `ClearingRays` in the making: `count` runs of the rays so far. */
interface Traced extends Pick<ClearingRays, "first" | "mask" | "freeBefore" | "reachM"> {
  count: number;
  readonly word: Int32Array;
}

/** Adds the leaves of a ray, which goes along a unit vector. */
function trace(
  out: Traced,
  ray: number,
  grid: OctreeGrid,
  { blindM, maxRangeM }: ClearingOptions,
  cutOff: Uint8Array,
  direction: readonly [number, number, number],
): void {
  const voxelM = grid.voxelSizeM;
  const [sizeX, sizeY, sizeZ] = grid.size;
  const [originX, originY, originZ] = grid.origin;
  // Everything in leaf voxels; the camera stands at minus the grid's origin. Never 0: it is divided by.
  const dx = direction[0] || 1e-12;
  const dy = direction[1] || 1e-12;
  const dz = direction[2];
  const start = originZ > 0 ? (originZ + 1e-9) / dz : 0;
  const limit = maxRangeM / voxelM;
  const blind = Math.max(blindM / voxelM, start) + 1e-6;
  let x = Math.floor(dx * start - originX);
  let y = Math.floor(dy * start - originY);
  let z = Math.floor(dz * start - originZ);
  let travelled = start;
  let before = -2;
  let freeBefore: number | undefined;
  // Until the ray is outside the grid for good.
  while (travelled < limit && z < sizeZ && (dx > 0 ? x < sizeX : x >= 0) && (dy > 0 ? y < sizeY : y >= 0)) {
    const inside = x >= 0 && x < sizeX && y >= 0 && y < sizeY && z >= 0;
    const leaf = leafNumber(grid, x, y, z);
    const leaveX = ((dx > 0 ? x + 1 : x) + originX) / dx;
    const leaveY = ((dy > 0 ? y + 1 : y) + originY) / dy;
    const leaveZ = (z + 1 + originZ) / dz;
    const leave = Math.min(leaveX, leaveY, leaveZ);
    // Through an edge or a corner, and where the camera stands on a face, it is in no leaf between.
    if (leave >= travelled + 1e-9) {
      if (inside) {
        const goesOn = leaf === before + 1 && (leaf & 31) !== 0 && out.count !== freeBefore;
        if (!goesOn) {
          out.word[out.count] = leaf >> 5;
          out.count += 1;
        }
        before = leaf;
        out.mask[out.count - 1]! |= 1 << leaf;
      }
      travelled = leave;
      // A ray that is outside for too long never begins.
      if (travelled > blind && !(inside && cutOff[leaf] === 1)) freeBefore ??= out.count;
    }
    if (leave === leaveX) x += dx > 0 ? 1 : -1;
    else if (leave === leaveY) y += dy > 0 ? 1 : -1;
    else z += 1;
  }
  out.freeBefore[ray] = freeBefore ?? out.count;
  out.reachM[ray] = Math.min(travelled, limit) * voxelM;
}
