import type { StereoCalibration } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { OctreeFrame, OctreeGrid } from "../core/occupancy.ts";
import { isWhollyInView, type View } from "../core/view.ts";
import { hasBit, type LeafBits, makeLeafBits, rasterInto } from "./per-frame.ts";
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

/** Rays of one camera through one grid, with the leaves that each passes. Made once per calibration. */
export interface ClearingRays {
  readonly grid: OctreeGrid;
  readonly options: ClearingOptions;
  /** Bins of the image, one ray through the middle of each. */
  readonly columns: number;
  readonly rows: number;
  /** Unit vectors, left optical frame. */
  readonly directions: Float64Array;
  /** States of the leaves; the one after the last stands for all that is outside the grid. */
  readonly states: LeafBits;
  /** Places in `leaf` and `enterM` of a ray's leaves: `first[ray]` to before `first[ray + 1]`, the last one an end outside. */
  readonly first: Int32Array;
  /** Which bit of `states`. */
  readonly leaf: Int32Array;
  /** Metres from the camera to where the ray comes into the leaf. */
  readonly enterM: Float32Array;
  /** The last place at which a ray may begin to be free: before it lies no more unseen space than is allowed. */
  readonly freeBy: Int32Array;
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
  // A ray passes no more leaves than the grid has layers; one place for what is outside before them, one for after.
  const room = columns * rows * (grid.size[0] + grid.size[1] + grid.size[2] + 2);
  const traced = { count: 0, leaf: new Int32Array(room), enterM: new Float32Array(room) };
  const first = new Int32Array(columns * rows + 1);
  const freeBy = new Int32Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = (((column + 0.5) * calibration.width) / columns - 0.5 - calibration.cx) / calibration.fx;
      const y = (((row + 0.5) * calibration.height) / rows - 0.5 - calibration.cy) / calibration.fy;
      const length = Math.hypot(x, y, 1);
      const direction = [x / length, y / length, 1 / length] as const;
      const ray = row * columns + column;
      directions.set(direction, ray * 3);
      freeBy[ray] = trace(traced, grid, all, cutOff, direction);
      first[ray + 1] = traced.count;
    }
  }
  return {
    grid,
    options: all,
    columns,
    rows,
    directions,
    states: makeLeafBits(grid),
    first,
    leaf: traced.leaf.slice(0, traced.count),
    enterM: traced.enterM.slice(0, traced.count),
    freeBy,
  };
}

/** 1 where a leaf reaches out of the image, so that nothing can call it free; by leaf, as the bits of `states`. */
export function cutOffBy(grid: OctreeGrid, view: View): Uint8Array {
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
  const { directions, states, first, leaf, enterM, freeBy } = rays;
  const { free, occupied } = states;
  rasterInto(states, frame);
  out.count = 0;
  const count = freeBy.length;
  reserve(out, count);
  const insetM = INSET * rays.grid.voxelSizeM;
  for (let ray = 0; ray < count; ray += 1) {
    const by = freeBy[ray]!;
    let at = first[ray]!;
    while (at < by && !(hasBit(free, leaf[at]!) || hasBit(occupied, leaf[at]!))) at += 1;
    if (!hasBit(free, leaf[at]!)) continue;
    while (hasBit(free, leaf[at]!)) at += 1;
    const endM = enterM[at]!;
    const rangeM = Math.max(endM - insetM, endM * 0.9);
    const to = out.count * 3;
    out.xyz[to] = directions[ray * 3]! * rangeM;
    out.xyz[to + 1] = directions[ray * 3 + 1]! * rangeM;
    out.xyz[to + 2] = directions[ray * 3 + 2]! * rangeM;
    out.value[out.count] = hasBit(occupied, leaf[at]!) ? 1 : 0;
    out.count += 1;
  }
}

/** Adds the leaves of a ray (a unit vector) to `out`, and returns the last place there at which it may begin to be free. */
function trace(
  out: { count: number; readonly leaf: Int32Array; readonly enterM: Float32Array },
  grid: OctreeGrid,
  { blindM, maxRangeM }: ClearingOptions,
  cutOff: Uint8Array,
  direction: readonly [number, number, number],
): number {
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
  const begin = out.count;
  let freeBy = -1;
  // Until the ray is outside the grid for good.
  while (travelled < limit && z < sizeZ && (dx > 0 ? x < sizeX : x >= 0) && (dy > 0 ? y < sizeY : y >= 0)) {
    const inside = x >= 0 && x < sizeX && y >= 0 && y < sizeY && z >= 0;
    const leaf = inside ? (z * sizeY + y) * sizeX + x : cutOff.length;
    const leaveX = ((dx > 0 ? x + 1 : x) + originX) / dx;
    const leaveY = ((dy > 0 ? y + 1 : y) + originY) / dy;
    const leaveZ = (z + 1 + originZ) / dz;
    const leave = Math.min(leaveX, leaveY, leaveZ);
    if (leave === leaveX) x += dx > 0 ? 1 : -1;
    else if (leave === leaveY) y += dy > 0 ? 1 : -1;
    else z += 1;
    // Through an edge or a corner, and where the camera stands on a face, it is in no leaf between.
    if (leave < travelled + 1e-9) continue;
    if (inside || out.count === begin) {
      out.leaf[out.count] = leaf;
      out.enterM[out.count] = travelled * voxelM;
      out.count += 1;
    }
    travelled = leave;
    if (freeBy < 0 && travelled > blind && cutOff[leaf] !== 1) freeBy = out.count - 1;
  }
  out.leaf[out.count] = cutOff.length;
  out.enterM[out.count] = Math.min(travelled, limit) * voxelM;
  out.count += 1;
  return freeBy < 0 ? out.count - 1 : freeBy;
}

function isSameGrid(a: OctreeGrid, b: OctreeGrid): boolean {
  const same = (u: readonly number[], v: readonly number[]) => u.every((value, i) => value === v[i]);
  return a.voxelSizeM === b.voxelSizeM && same(a.origin, b.origin) && same(a.size, b.size);
}
