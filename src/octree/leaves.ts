import { FREE, OCCUPIED } from "../core/occupancy.ts";
import { BRICK_CELLS, BRICK_EDGE, centreOf, gather3 } from "./key.ts";
import { UNKNOWN_CELL, UNKNOWN_PAIR } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
import { type PointList, reserve } from "./points.ts";

/** Cells from the brick's corner, on each axis, by a cell's place in its brick. */
const cellX = Uint8Array.from({ length: BRICK_CELLS }, (_, i) => gather3(i));
const cellY = Uint8Array.from({ length: BRICK_CELLS }, (_, i) => gather3(i >>> 1));
const cellZ = Uint8Array.from({ length: BRICK_CELLS }, (_, i) => gather3(i >>> 2));

/** Centres (metres, map frame) and probabilities of all occupied cells of the finest level, brick by brick. */
export function occupiedInto(out: PointList, map: OccupancyMap): void {
  leavesInto(out, map, OCCUPIED);
}

/** The same of all free cells. */
export function freeInto(out: PointList, map: OccupancyMap): void {
  leavesInto(out, map, FREE);
}

function leavesInto(out: PointList, map: OccupancyMap, state: typeof FREE | typeof OCCUPIED): void {
  const { store, resolutionM } = map;
  const { min, probabilityOf } = map.evidence;
  // UNKNOWN_CELL lies below every log-odds, so that one range describes either state.
  const from = state === OCCUPIED ? map.occupiedFrom : UNKNOWN_CELL + 1;
  const to = state === OCCUPIED ? 32767 : map.occupiedFrom - 1;
  // Of two cells at a time most are passed over: both unknown or, where occupied ones are wanted, both below 0.
  const mask = state === OCCUPIED && from >= 0 ? UNKNOWN_PAIR : -1;
  out.count = 0;
  const { logOdds, pairs } = store;
  for (let slot = 0; slot < store.count; slot += 1) {
    reserve(out, BRICK_CELLS);
    const { xyz, value } = out;
    let { count } = out;
    const x0 = centreOf(store.bx[slot]! * BRICK_EDGE, resolutionM);
    const y0 = centreOf(store.by[slot]! * BRICK_EDGE, resolutionM);
    const z0 = centreOf(store.bz[slot]! * BRICK_EDGE, resolutionM);
    const first = slot * BRICK_CELLS;
    for (let pair = first >> 1; pair < (first + BRICK_CELLS) >> 1; pair += 1) {
      if ((pairs[pair]! & mask) === UNKNOWN_PAIR) continue;
      for (let cell = pair << 1; cell < (pair << 1) + 2; cell += 1) {
        const steps = logOdds[cell]!;
        if (steps < from || steps > to) continue;
        const at = count * 3;
        xyz[at] = x0 + cellX[cell - first]! * resolutionM;
        xyz[at + 1] = y0 + cellY[cell - first]! * resolutionM;
        xyz[at + 2] = z0 + cellZ[cell - first]! * resolutionM;
        value[count] = probabilityOf[steps - min]!;
        count += 1;
      }
    }
    out.count = count;
  }
}
