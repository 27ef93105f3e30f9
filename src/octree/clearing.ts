import type { StereoCalibration } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import { FREE, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import { isWhollyInView, type View } from "../core/view.ts";
import { rasterInto, STATE_BITS, STATE_MASK } from "./per-frame.ts";
import { type PointList, reserve } from "./points.ts";

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
/** End points stay this much (leaf voxels) before the face, inside free space, whatever rounding does to them. */
const INSET = 0.05;

/** Ray directions of one camera and grid, with the scratch to walk them. Made once per calibration. */
export interface ClearingRays {
  readonly grid: OctreeGrid;
  readonly options: ClearingOptions;
  /** Bins of the image, one ray through the middle of each. */
  readonly columns: number;
  readonly rows: number;
  /** Unit vectors, left optical frame. */
  readonly directions: Float64Array;
  readonly dense: Uint8Array;
  /** 1 where a leaf reaches out of the image, so that nothing can call it free; indices as in `dense`. */
  readonly cutOff: Uint8Array;
}

export function makeClearingRays(
  grid: OctreeGrid,
  calibration: StereoCalibration,
  options: Partial<ClearingOptions> = {},
): ClearingRays {
  const all = { ...clearingDefaults, ...options };
  const { columns, rows } = binsOf(grid, calibration, all);
  const directions = new Float64Array(columns * rows * 3);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = (((column + 0.5) * calibration.width) / columns - 0.5 - calibration.cx) / calibration.fx;
      const y = (((row + 0.5) * calibration.height) / rows - 0.5 - calibration.cy) / calibration.fy;
      const length = Math.hypot(x, y, 1);
      directions.set([x / length, y / length, 1 / length], (row * columns + column) * 3);
    }
  }
  const dense = new Uint8Array(grid.size[0] * grid.size[1] * grid.size[2]);
  return { grid, options: all, columns, rows, directions, dense, cutOff: cutOffBy(grid, calibration) };
}

function cutOffBy(grid: OctreeGrid, view: View): Uint8Array {
  const [sizeX, sizeY, sizeZ] = grid.size;
  const out = new Uint8Array(sizeX * sizeY * sizeZ);
  for (let i = 0; i < out.length; i += 1) {
    const [x, y, z] = [i % sizeX, Math.floor(i / sizeX) % sizeY, Math.floor(i / (sizeX * sizeY))];
    out[i] = isWhollyInView(grid, view, grid.levels - 1, x, y, z) ? 0 : 1;
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

/**
 * End points of the free rays of a frame, one a bin: a planner that clears along camera -> point (Nav2's
 * `clearing: true` source) clears what was seen free and nothing else. A ray ends where it enters the first cell that
 * is not free, or at maximum range; it gives no point where it saw nothing free. Before its first free cell it may
 * cross unknown cells up to `blindM` from the camera, and those that reach out of the image at any distance (a consumer
 * that minds sets Nav2's `raytrace_min_range`). `value`
 * is 1 where an obstacle ended the ray, else 0. Metres, left optical frame.
 */
export function clearingPointsInto(out: PointList, frame: OctreeFrame, rays: ClearingRays): void {
  if (!isSameGrid(frame.grid, rays.grid)) {
    throw new Fault("A frame came whose grid is not the one that the clearing rays were made for.", {
      code: "MODEL_MISMATCH",
      remedy: "Call makeClearingRays again when the grid or the calibration changes.",
    });
  }
  const { grid } = rays;
  rasterInto(rays.dense, frame);
  out.count = 0;
  const count = rays.directions.length / 3;
  reserve(out, count);
  for (let ray = 0; ray < count; ray += 1) {
    const end = walk(rays, ray * 3);
    if (end === 0) continue;
    const range = Math.max(Math.abs(end) - INSET * grid.voxelSizeM, Math.abs(end) * 0.9);
    for (let a = 0; a < 3; a += 1) out.xyz[out.count * 3 + a] = rays.directions[ray * 3 + a]! * range;
    out.value[out.count] = end < 0 ? 1 : 0;
    out.count += 1;
  }
}

/** Length of the free ray in metres; negative when an obstacle ended it, 0 when nothing free was seen. */
function walk({ grid, options, directions, dense, cutOff }: ClearingRays, at: number): number {
  const voxelM = grid.voxelSizeM;
  const [sizeX, sizeY, sizeZ] = grid.size;
  const [originX, originY, originZ] = grid.origin;
  // Everything in leaf voxels; the camera stands at minus the grid's origin. Never 0: it is divided by.
  const dx = directions[at]! || 1e-12;
  const dy = directions[at + 1]! || 1e-12;
  const dz = directions[at + 2]!;
  const start = entry(grid, directions, at);
  let x = Math.floor(dx * start - originX);
  let y = Math.floor(dy * start - originY);
  let z = Math.floor(dz * start - originZ);
  const blind = Math.max(options.blindM / voxelM, start) + 1e-6;
  const limit = options.maxRangeM / voxelM;
  const perX = 1 / dx;
  const perY = 1 / dy;
  const perZ = 1 / dz;
  let travelled = start;
  let sawFree = false;
  let unseenTo = start;
  while (travelled < limit) {
    const inside = x >= 0 && x < sizeX && y >= 0 && y < sizeY && z >= 0 && z < sizeZ;
    const leaf = (z * sizeY + y) * sizeX + x;
    const code = inside ? dense[leaf]! : UNKNOWN;
    const state = code & STATE_MASK;
    if (state === OCCUPIED) return sawFree ? -travelled * voxelM : 0;
    if (state !== FREE && sawFree) return travelled * voxelM;
    if (!sawFree && unseenTo > blind) return 0;
    if (state === FREE) sawFree = true;
    // On to the face through which the ray leaves the cell, whatever its size; along the other axes rounding must not
    // leave the cell.
    const up = code >> STATE_BITS;
    const last = (1 << up) - 1;
    const leaveX = ((dx > 0 ? (x | last) + 1 : x & ~last) + originX) * perX;
    const leaveY = ((dy > 0 ? (y | last) + 1 : y & ~last) + originY) * perY;
    const leaveZ = ((z | last) + 1 + originZ) * perZ;
    if (leaveX <= leaveY && leaveX <= leaveZ) {
      travelled = leaveX;
      x = dx > 0 ? (x | last) + 1 : (x & ~last) - 1;
      if (up > 0) {
        y = within(dy * travelled - originY, y, last);
        z = within(dz * travelled - originZ, z, last);
      }
    } else if (leaveY <= leaveZ) {
      travelled = leaveY;
      y = dy > 0 ? (y | last) + 1 : (y & ~last) - 1;
      if (up > 0) {
        x = within(dx * travelled - originX, x, last);
        z = within(dz * travelled - originZ, z, last);
      }
    } else {
      travelled = leaveZ;
      z = (z | last) + 1;
      if (up > 0) {
        x = within(dx * travelled - originX, x, last);
        y = within(dy * travelled - originY, y, last);
      }
    }
    if (!sawFree && !(inside && cutOff[leaf] === 1)) unseenTo = travelled;
  }
  return sawFree ? options.maxRangeM : 0;
}

/** The leaf at `at`, or the nearest of those that share the cell of leaf `k`. */
function within(at: number, k: number, last: number): number {
  const low = k & ~last;
  const found = Math.floor(at);
  return found < low ? low : found > low + last ? low + last : found;
}

/** Where the ray meets the grid's near face, in voxels; 0 when the camera is not behind it. */
function entry(grid: OctreeGrid, directions: Float64Array, at: number): number {
  return grid.origin[2] > 0 ? (grid.origin[2] + 1e-9) / directions[at + 2]! : 0;
}

function isSameGrid(a: OctreeGrid, b: OctreeGrid): boolean {
  const same = (u: readonly number[], v: readonly number[]) => u.every((value, i) => value === v[i]);
  return a.voxelSizeM === b.voxelSizeM && same(a.origin, b.origin) && same(a.size, b.size);
}
