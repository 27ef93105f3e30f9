import type { Transform } from "../core/transform.ts";
import { Columns } from "./columns.ts";
import { GROUND, type GroundOptions, type Limits, limitsOf, markSteep } from "./ground-slope.ts";
import { keyOf, ROOT_KEY } from "./key.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
import { beginProjection, GRID_FREE, GRID_OCCUPIED, type Projection } from "./project.ts";

/** What is known of a column's ground, beside `GROUND`. */
const NOT_REACHED = 0;
/** No surface that counts; its height is that of the ground before it. */
const CARRIED = 2;
/** The same, and no ground was seen before it: the plane on which the robot stands. */
const FOOT = 3;

/** So far from its foot the ground is where the robot's own plane says. Farther off a degree of its tilt is a step. */
const FOOT_REACH_M = 4;

/**
 * A 2D projection that follows the ground. From the robot's foot it grows over the columns around: the top of an occupied
 * cell with `clearanceM` of room above is ground if it is at most a step from the ground before it, and if the ground around
 * it is no steeper than `maxSlopeDeg`. So reachability, not height, tells a pavement from a table top, as in Du et al. 2026
 * (arXiv:2605.17302: support below, room above, connected to a seed); step and slope are the measures of Wermelinger et al.
 * 2016 (Navigation planning for legged robots, IROS). Over columns that are no ground
 * the height is carried on.
 *
 * A cell is free where there is ground; occupied where something stands on it or reaches down to the robot's height, or
 * where what was seen lies a step too low or rises too steeply; free, too, where only free space was seen above the height
 * of the ground before it, none below; else unknown.
 *
 * A surface is known to one cell, so that a step of n cells may be almost n + 1 cells high. Only what surely is no higher than
 * `maxStepM` is taken: n < floor(maxStepM / res). With cells larger than half of `maxStepM` only level ground is ground.
 */
export class GroundProjector {
  readonly #columns = new Columns();
  #kind = new Uint8Array(0);
  /** Key of the cell whose top is the ground, for each column; not whole where it comes of the robot's plane. */
  #level = new Float32Array(0);
  #isSteep = new Uint8Array(0);
  /** Columns of ground in the order in which they were found. */
  #ground = new Int32Array(0);
  #groundEnd = 0;
  /** Columns that were no ground from a neighbour, in that order: column, neighbour. */
  #refused = new Int32Array(0);
  #refusedEnd = 0;

  /** Replaces `out`. The robot's foot is the origin of its base, which stands on the ground (z up); map frame. */
  projectInto(out: Projection, map: OccupancyMap, T_map_base: Transform, options: GroundOptions): void {
    beginProjection(out, map);
    if (map.store.count === 0) return;
    const limits = limitsOf(options, map.resolutionM);
    this.#columns.gather(map, T_map_base[3]!, T_map_base[7]!);
    this.#reserve();
    this.#grow(T_map_base, limits, map.resolutionM);
    const ground = { width: this.#columns.width, height: this.#columns.height, kind: this.#kind, level: this.#level };
    if (markSteep(this.#isSteep, ground, limits)) this.#grow(T_map_base, limits, map.resolutionM);
    this.#write(out, limits);
  }

  #reserve(): void {
    const size = this.#columns.width * this.#columns.height;
    if (this.#kind.length < size) {
      this.#kind = new Uint8Array(size);
      this.#level = new Float32Array(size);
      this.#isSteep = new Uint8Array(size);
      this.#ground = new Int32Array(size);
      this.#refused = new Int32Array(size * 8);
    }
    this.#isSteep.fill(0, 0, size);
  }

  /**
   * From the foot over all columns, breadth first. Ground goes before what carries its height on: a column that is a step too
   * high from one side may be reached from another, and is given up only when no ground leads to it any more.
   */
  #grow(T: Transform, limits: Limits, resM: number): void {
    const { width, height, keyX, keyY } = this.#columns;
    this.#kind.fill(NOT_REACHED, 0, width * height);
    const foot = {
      x: Math.min(Math.max(keyOf(T[3]!, resM) - keyX, 0), width - 1),
      y: Math.min(Math.max(keyOf(T[7]!, resM) - keyY, 0), height - 1),
      level: T[11]! / resM + ROOT_KEY - 0.5,
      // Fall of the robot's plane, cells a column.
      fallX: T[2]! / Math.max(T[10]!, 0.1),
      fallY: T[6]! / Math.max(T[10]!, 0.1),
      reach: FOOT_REACH_M / resM,
    };
    this.#groundEnd = 0;
    this.#refusedEnd = 0;
    const first = foot.y * width + foot.x;
    if (!this.#takeGround(first, foot.level, 0, limits)) {
      this.#kind[first] = FOOT;
      this.#level[first] = foot.level;
      this.#spread(first, foot, limits);
    }
    let [ground, refused] = [0, 0];
    while (ground < this.#groundEnd || refused < this.#refusedEnd) {
      if (ground < this.#groundEnd) {
        this.#spread(this.#ground[ground]!, foot, limits);
        ground += 1;
        continue;
      }
      const [to, from] = [this.#refused[refused]!, this.#refused[refused + 1]!];
      refused += 2;
      if (this.#kind[to] !== NOT_REACHED) continue;
      this.#kind[to] = this.#kind[from] === FOOT ? FOOT : CARRIED;
      this.#level[to] = this.#expected(to, from, foot);
      this.#spread(to, foot, limits);
    }
  }

  /** Looks at the four neighbours that were not reached yet. */
  #spread(from: number, foot: Foot, limits: Limits): void {
    const { width, height } = this.#columns;
    const x = from % width;
    const y = (from - x) / width;
    // A step is one only where both its sides were seen: the foot of a higher one may be hidden.
    const step = this.#kind[from] === GROUND ? limits.step : 0;
    for (let side = 0; side < 4; side += 1) {
      const toX = x + STEP_X[side]!;
      const toY = y + STEP_Y[side]!;
      const to = toY * width + toX;
      if (toX < 0 || toY < 0 || toX >= width || toY >= height || this.#kind[to] !== NOT_REACHED) continue;
      if (this.#takeGround(to, this.#expected(to, from, foot), step, limits)) continue;
      this.#refused[this.#refusedEnd] = to;
      this.#refused[this.#refusedEnd + 1] = from;
      this.#refusedEnd += 2;
    }
  }

  #takeGround(column: number, expected: number, step: number, limits: Limits): boolean {
    const found = this.#isSteep[column] === 1 ? -1 : this.#surface(column, expected, step, limits);
    if (found < 0) return false;
    this.#kind[column] = GROUND;
    this.#level[column] = found;
    this.#ground[this.#groundEnd] = column;
    this.#groundEnd += 1;
    return true;
  }

  /** Level at which the ground goes on from `from` to its neighbour: the same, or that of the robot's plane. */
  #expected(to: number, from: number, { x, y, level, fallX, fallY, reach }: Foot): number {
    if (this.#kind[from] !== FOOT) return this.#level[from]!;
    const { width } = this.#columns;
    const dx = (to % width) - x;
    const dy = Math.floor(to / width) - y;
    return level - (fallX * dx + fallY * dy) * Math.min(1, reach / Math.max(1e-9, Math.hypot(dx, dy)));
  }

  /** Whether something stands in the column below the robot's height over this ground, or below the ground. */
  #isSolid(column: number, ground: number, { room }: Limits): boolean {
    const columns = this.#columns;
    return columns.any(columns.occupied, column, columns.keyZ, Math.round(ground) + room);
  }

  /** Key of the surface of a column that lies nearest to the expected one, or -1. */
  #surface(column: number, expected: number, step: number, { room }: Limits): number {
    const columns = this.#columns;
    const { occupied } = columns;
    // The robot's plane may lie on the border of two cells: a little more than half a cell.
    const tolerance = step + 0.51;
    let [found, distance] = [-1, Number.POSITIVE_INFINITY];
    for (let key = Math.ceil(expected - tolerance); key <= expected + tolerance; key += 1) {
      if (!columns.any(occupied, column, key, key) || columns.any(occupied, column, key + 1, key + room)) continue;
      if (Math.abs(key - expected) < distance) [found, distance] = [key, Math.abs(key - expected)];
    }
    return found;
  }

  #write(out: Projection, limits: Limits): void {
    const columns = this.#columns;
    const { width, height, keyX, keyY, free } = columns;
    const { step, room } = limits;
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
        if (this.#isSolid(column, ground, limits)) out.data[cell] = GRID_OCCUPIED;
        else if (columns.any(free, column, columns.keyZ, ground - step - 1)) continue;
        else if (columns.any(free, column, ground + 1, ground + room)) out.data[cell] = GRID_FREE;
      }
    }
  }
}

const STEP_X = [1, -1, 0, 0];
const STEP_Y = [0, 0, 1, -1];

/** Where the robot stands: column, level, fall of its plane and how far that is believed. */
interface Foot {
  readonly x: number;
  readonly y: number;
  readonly level: number;
  readonly fallX: number;
  readonly fallY: number;
  readonly reach: number;
}
