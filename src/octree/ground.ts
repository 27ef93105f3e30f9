import type { Transform } from "../core/transform.ts";
import { Columns } from "./columns.ts";
import { keyOf, ROOT_KEY } from "./key.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
import { beginProjection, GRID_FREE, GRID_OCCUPIED, type Projection } from "./project.ts";

export interface GroundOptions {
  /** Highest step up or down that the robot takes, metres. Steps are told in whole cells: see `GroundProjector`. */
  readonly maxStepM: number;
  /** Steepest slope that it drives, degrees. */
  readonly maxSlopeDeg: number;
  /** The robot's height above the ground, metres: it passes below what hangs higher. */
  readonly clearanceM: number;
}

/** What is known of a column's ground. */
const NOT_REACHED = 0;
/** A surface was seen, and the way to it takes no step that is too high. */
const GROUND = 1;
/** No such surface; its height is that of the ground before it. */
const CARRIED = 2;
/** The same, and no ground was seen before it: the plane on which the robot stands. */
const FOOT = 3;

/** A slope is that of a line through the ground of at least so many metres to either side, ... */
const SLOPE_REACH_M = 0.5;
/** ... and of at least n = 8 columns: that heights are whole cells changes it by at most 1.5 / (2 n + 1), 5 degrees. */
const SLOPE_REACH = 8;
/** So far from its foot the ground is where the robot's own plane says. Farther off a degree of its tilt is a step. */
const FOOT_REACH_M = 4;

/**
 * A 2D projection that follows the ground. From the robot's foot it grows over the columns around: the top of an occupied
 * cell with `clearanceM` of room above is ground if it is at most a step from the ground before it, and if the ground around
 * it is no steeper than `maxSlopeDeg`. So reachability, not height, tells a pavement from a table top, as in Du et al. 2026
 * (arXiv:2605.17302: support below, room above, connected to a seed); step and slope are the measures of Wermelinger et al.
 * 2016 (Navigation planning for legged robots, IROS). Over columns of which nothing was seen the height is carried on.
 *
 * A cell is free where there is ground; occupied where something stands on it or reaches down to the robot's height, or
 * where what was seen lies a step too low or rises too steeply; free, too, where only free space was seen above the height
 * of the ground before it, none below; else unknown.
 *
 * A surface is known to one cell: a step of d metres is `floor(d / res)` or one more cells high, and steps of up to
 * `floor(maxStepM / res)` cells are taken. Where cells are larger than `maxStepM`, only level ground is ground.
 */
export class GroundProjector {
  readonly #columns = new Columns();
  #kind = new Uint8Array(0);
  /** Key of the cell whose top is the ground, for each column; not whole where it comes of the robot's plane. */
  #level = new Float32Array(0);
  /** Columns since ground was seen. */
  #gap = new Uint16Array(0);
  #isSteep = new Uint8Array(0);
  #queue = new Int32Array(0);

  /** Replaces `out`. The robot's foot is the origin of its base, which stands on the ground (z up); map frame. */
  projectInto(out: Projection, map: OccupancyMap, T_map_base: Transform, options: GroundOptions): void {
    beginProjection(out, map);
    if (map.store.count === 0) return;
    const limits = limitsOf(options, map.resolutionM);
    this.#columns.gather(map, T_map_base[3]!, T_map_base[7]!);
    this.#reserve();
    this.#grow(T_map_base, limits, map.resolutionM);
    if (this.#markSteep(limits)) this.#grow(T_map_base, limits, map.resolutionM);
    this.#write(out, limits);
  }

  #reserve(): void {
    const size = this.#columns.width * this.#columns.height;
    if (this.#kind.length < size) {
      this.#kind = new Uint8Array(size);
      this.#level = new Float32Array(size);
      this.#gap = new Uint16Array(size);
      this.#isSteep = new Uint8Array(size);
      this.#queue = new Int32Array(size);
    }
    this.#isSteep.fill(0, 0, size);
  }

  /** Breadth first from the foot over all columns, so that each has the ground of the nearest way. */
  #grow(T: Transform, limits: Limits, resM: number): void {
    const { width, height, keyX, keyY } = this.#columns;
    const [kind, level, queue] = [this.#kind, this.#level, this.#queue];
    kind.fill(NOT_REACHED, 0, width * height);
    const footX = Math.min(Math.max(keyOf(T[3]!, resM) - keyX, 0), width - 1);
    const footY = Math.min(Math.max(keyOf(T[7]!, resM) - keyY, 0), height - 1);
    const footLevel = T[11]! / resM + ROOT_KEY - 0.5;
    const reach = FOOT_REACH_M / resM;
    const first = footY * width + footX;
    const under = this.#isSteep[first] === 1 ? -1 : this.#surface(first, footLevel, 0, limits);
    kind[first] = under >= 0 ? GROUND : FOOT;
    level[first] = under >= 0 ? under : footLevel;
    this.#gap[first] = 0;
    queue[0] = first;
    let end = 1;
    for (let head = 0; head < end; head += 1) {
      const from = queue[head]!;
      const x = from % width;
      const y = (from - x) / width;
      for (let side = 0; side < 4; side += 1) {
        const toX = x + STEP_X[side]!;
        const toY = y + STEP_Y[side]!;
        if (toX < 0 || toY < 0 || toX >= width || toY >= height) continue;
        const to = toY * width + toX;
        if (kind[to] !== NOT_REACHED) continue;
        queue[end] = to;
        end += 1;
        let expected = level[from]!;
        if (kind[from] === FOOT) {
          const [dx, dy] = [toX - footX, toY - footY];
          const near = Math.min(1, reach / Math.max(1e-9, Math.hypot(dx, dy)));
          expected = footLevel - ((T[2]! * dx + T[6]! * dy) * near) / Math.max(T[10]!, 0.1);
        }
        const gap = Math.min(this.#gap[from]! + 1, 65535);
        const found = this.#isSteep[to] === 1 ? -1 : this.#surface(to, expected, gap, limits);
        kind[to] = found >= 0 ? GROUND : kind[from] === FOOT ? FOOT : CARRIED;
        level[to] = found >= 0 ? found : expected;
        this.#gap[to] = found >= 0 ? 0 : gap;
      }
    }
  }

  /** Key of the surface of a column that lies nearest to the expected one, or -1. */
  #surface(column: number, expected: number, gap: number, { step, slope, reach, room }: Limits): number {
    const columns = this.#columns;
    const { occupied } = columns;
    const tolerance = Math.max(step, slope * Math.min(gap, reach)) + 0.5;
    let [found, distance] = [-1, Number.POSITIVE_INFINITY];
    for (let key = Math.ceil(expected - tolerance); key <= expected + tolerance; key += 1) {
      if (!columns.any(occupied, column, key, key) || columns.any(occupied, column, key + 1, key + room)) continue;
      if (Math.abs(key - expected) < distance) [found, distance] = [key, Math.abs(key - expected)];
    }
    return found;
  }

  /** Marks the ground that is too steep, by the lines of least squares through it along x and y; says if there is any. */
  #markSteep({ slope, slopeReach }: Limits): boolean {
    const { width, height } = this.#columns;
    const kind = this.#kind;
    let isAny = false;
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const column = y * width + x;
        if (kind[column] !== GROUND) continue;
        const alongX = this.#gradient(column, 1, Math.min(slopeReach, x), Math.min(slopeReach, width - 1 - x));
        const alongY = this.#gradient(column, width, Math.min(slopeReach, y), Math.min(slopeReach, height - 1 - y));
        if (Math.hypot(alongX, alongY) <= slope) continue;
        this.#isSteep[column] = 1;
        isAny = true;
      }
    }
    return isAny;
  }

  /** Rise a column, of the ground from `before` columns before this one to `after` behind it. */
  #gradient(column: number, stride: number, before: number, after: number): number {
    const [kind, level] = [this.#kind, this.#level];
    const here = level[column]!;
    let [n, t, tt, h, th] = [0, 0, 0, 0, 0];
    for (let i = -before; i <= after; i += 1) {
      const at = column + i * stride;
      if (kind[at] !== GROUND) continue;
      const rise = level[at]! - here;
      n += 1;
      t += i;
      tt += i * i;
      h += rise;
      th += i * rise;
    }
    const spread = n * tt - t * t;
    // Of fewer than four columns the rounding to cells says more than the ground.
    return n < 4 ? 0 : (n * th - t * h) / spread;
  }

  #write(out: Projection, { step, room }: Limits): void {
    const columns = this.#columns;
    const { width, height, keyX, keyY, occupied, free } = columns;
    const shiftX = keyX - Math.round(out.originXM / out.resolutionM) - ROOT_KEY;
    const shiftY = keyY - Math.round(out.originYM / out.resolutionM) - ROOT_KEY;
    for (let y = 0; y < height; y += 1) {
      const row = y + shiftY;
      if (row < 0 || row >= out.height) continue;
      for (let x = 0; x < width; x += 1) {
        const at = x + shiftX;
        if (at < 0 || at >= out.width) continue;
        const column = y * width + x;
        const cell = row * out.width + at;
        if (this.#kind[column] === GROUND) {
          out.data[cell] = GRID_FREE;
          continue;
        }
        const ground = Math.round(this.#level[column]!);
        if (columns.any(occupied, column, columns.keyZ, ground + room)) out.data[cell] = GRID_OCCUPIED;
        else if (columns.any(free, column, columns.keyZ, ground - step - 1)) continue;
        else if (columns.any(free, column, ground + 1, ground + room)) out.data[cell] = GRID_FREE;
      }
    }
  }
}

const STEP_X = [1, -1, 0, 0];
const STEP_Y = [0, 0, 1, -1];

/** In cells. */
interface Limits {
  readonly step: number;
  /** Rise a column. */
  readonly slope: number;
  /** Gap over which a slope may go on unseen. */
  readonly reach: number;
  /** Columns to either side that tell a slope. */
  readonly slopeReach: number;
  /** Cells above the ground that the robot needs. */
  readonly room: number;
}

function limitsOf({ maxStepM, maxSlopeDeg, clearanceM }: GroundOptions, resM: number): Limits {
  const slope = Math.tan((maxSlopeDeg * Math.PI) / 180);
  return {
    step: Math.floor(maxStepM / resM + 1e-6),
    slope,
    reach: SLOPE_REACH_M / resM,
    // So wide that one step of the height allowed is not a slope by itself.
    slopeReach: Math.max(SLOPE_REACH, Math.ceil(Math.max(SLOPE_REACH_M, maxStepM / slope) / resM)),
    room: Math.max(1, Math.floor(clearanceM / resM + 0.5)),
  };
}
