import { Fault } from "../core/fault.ts";
import {
  BRICK_CELLS,
  BRICK_COUNT,
  BRICK_EDGE,
  cellIndex,
  centreOf,
  firstKeyFrom,
  isKey,
  KEY_COUNT,
  keyOf,
  lastKeyTo,
} from "./key.ts";
import { LOG_ODDS_STEP, UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
import { type PointList, reserve } from "./points.ts";

/** What the map says of many cells, one entry a cell: its state, and its log-odds (natural), NaN where unknown. */
export interface CellAnswers {
  readonly state: Uint8Array;
  readonly logOdds: Float32Array;
}

/** Room for the answers to `capacity` points or keys. */
export function makeCellAnswers(capacity: number): CellAnswers {
  return { state: new Uint8Array(capacity), logOdds: new Float32Array(capacity) };
}

/**
 * Asks for the cells around `count` points, xyz[3 i..] in metres, map frame; as `stateAt` and `logOddsAt` of each, without
 * an allocation. Points outside the key space, and those that are not numbers, are unknown.
 */
export function queryPointsInto(out: CellAnswers, map: OccupancyMap, xyz: ArrayLike<number>, count: number): void {
  checkLengths(out, xyz, count);
  const res = map.resolutionM;
  const cells = new LastBrick(map);
  for (let i = 0; i < count; i += 1) {
    const at = i * 3;
    answer(out, map, i, cells.find(keyOf(xyz[at]!, res), keyOf(xyz[at + 1]!, res), keyOf(xyz[at + 2]!, res)));
  }
}

/** The same for OctoMap's keys, keys[3 i..]. */
export function queryKeysInto(out: CellAnswers, map: OccupancyMap, keys: ArrayLike<number>, count: number): void {
  checkLengths(out, keys, count);
  const cells = new LastBrick(map);
  for (let i = 0; i < count; i += 1) {
    answer(out, map, i, cells.find(keys[i * 3]!, keys[i * 3 + 1]!, keys[i * 3 + 2]!));
  }
}

/**
 * Lists the known cells whose centres lie in the box (metres, map frame, edges included), brick by brick: centres and
 * probabilities, which are at least the map's `occupancyThreshold` where a cell is occupied.
 */
export function boxInto(out: PointList, map: OccupancyMap, min: ArrayLike<number>, max: ArrayLike<number>): void {
  const res = map.resolutionM;
  const low = [0, 1, 2].map((a) => Math.max(0, firstKeyFrom(min[a]!, res)));
  const high = [0, 1, 2].map((a) => Math.min(KEY_COUNT - 1, lastKeyTo(max[a]!, res)));
  out.count = 0;
  const { store } = map;
  const bricks = [0, 1, 2].reduce((product, a) => product * Math.max(0, (high[a]! >> 3) - (low[a]! >> 3) + 1), 1);
  if (bricks > store.count) {
    for (let slot = 0; slot < store.count; slot += 1) brickInto(out, map, slot, low, high);
    return;
  }
  for (let bz = low[2]! >> 3; bz <= high[2]! >> 3; bz += 1) {
    for (let by = low[1]! >> 3; by <= high[1]! >> 3; by += 1) {
      for (let bx = low[0]! >> 3; bx <= high[0]! >> 3; bx += 1) {
        const slot = store.find(bx, by, bz);
        if (slot >= 0) brickInto(out, map, slot, low, high);
      }
    }
  }
}

function brickInto(
  out: PointList,
  map: OccupancyMap,
  slot: number,
  low: readonly number[],
  high: readonly number[],
): void {
  const { store, resolutionM } = map;
  const { min, probabilityOf } = map.evidence;
  const cornerX = store.bx[slot]! * BRICK_EDGE;
  const cornerY = store.by[slot]! * BRICK_EDGE;
  const cornerZ = store.bz[slot]! * BRICK_EDGE;
  const [toX, toY, toZ] = [high[0]! - cornerX, high[1]! - cornerY, high[2]! - cornerZ];
  reserve(out, BRICK_CELLS);
  for (let z = Math.max(0, low[2]! - cornerZ); z < BRICK_EDGE && z <= toZ; z += 1) {
    for (let y = Math.max(0, low[1]! - cornerY); y < BRICK_EDGE && y <= toY; y += 1) {
      for (let x = Math.max(0, low[0]! - cornerX); x < BRICK_EDGE && x <= toX; x += 1) {
        const steps = store.logOdds[slot * BRICK_CELLS + cellIndex(x, y, z)]!;
        if (steps === UNKNOWN_CELL) continue;
        out.xyz[out.count * 3] = centreOf(cornerX + x, resolutionM);
        out.xyz[out.count * 3 + 1] = centreOf(cornerY + y, resolutionM);
        out.xyz[out.count * 3 + 2] = centreOf(cornerZ + z, resolutionM);
        out.value[out.count] = probabilityOf[steps - min]!;
        out.count += 1;
      }
    }
  }
}

/** Cells by key; keys that come one after the other mostly lie in one brick, which is looked up once. */
class LastBrick {
  readonly #map: OccupancyMap;
  #brick = -1;
  #slot = -1;

  constructor(map: OccupancyMap) {
    this.#map = map;
  }

  /** Log-odds in steps, or UNKNOWN_CELL. */
  find(kx: number, ky: number, kz: number): number {
    if (!(isKey(kx) && isKey(ky) && isKey(kz))) return UNKNOWN_CELL;
    const { store } = this.#map;
    const brick = ((kx >> 3) * BRICK_COUNT + (ky >> 3)) * BRICK_COUNT + (kz >> 3);
    if (brick !== this.#brick) {
      this.#brick = brick;
      this.#slot = store.find(kx >> 3, ky >> 3, kz >> 3);
    }
    return this.#slot < 0 ? UNKNOWN_CELL : store.logOdds[this.#slot * BRICK_CELLS + cellIndex(kx, ky, kz)]!;
  }
}

function answer(out: CellAnswers, map: OccupancyMap, i: number, steps: number): void {
  out.state[i] = map.stateOfSteps(steps);
  out.logOdds[i] = steps === UNKNOWN_CELL ? Number.NaN : steps * LOG_ODDS_STEP;
}

function checkLengths({ state, logOdds }: CellAnswers, asked: ArrayLike<number>, count: number): void {
  if (count * 3 <= asked.length && count <= state.length && count <= logOdds.length) return;
  throw new Fault(
    `A query of ${count} cells wants ${count * 3} numbers and room for ${count} answers; seen ${asked.length} numbers, room for ${Math.min(state.length, logOdds.length)}.`,
    { code: "USAGE", remedy: "Give three numbers a cell, and arrays for the answers that are as long as the query." },
  );
}
