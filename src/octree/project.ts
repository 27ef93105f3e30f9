import { BRICK_CELLS, BRICK_EDGE, cellIndex, firstKeyFrom, lastKeyTo, ROOT_KEY } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** Cell values of nav_msgs/OccupancyGrid. */
export const GRID_UNKNOWN = -1;
export const GRID_FREE = 0;
export const GRID_OCCUPIED = 100;

/** A horizontal slice: data[row * width + column], row along y, column along x, from the corner of the smallest x and y. */
export interface Projection {
  width: number;
  height: number;
  resolutionM: number;
  /** Corner (not centre) of cell (0, 0), metres, map frame. */
  originXM: number;
  originYM: number;
  /** The first width * height count; replaced when it must grow. */
  data: Int8Array;
}

/** An empty one, to be filled by `projectInto` or a `GroundProjector`. */
export function makeProjection(): Projection {
  return { width: 0, height: 0, resolutionM: 1, originXM: 0, originYM: 0, data: new Int8Array(0) };
}

/**
 * Looks down on the cells whose centres have minZM <= z <= maxZM (metres, map frame, z up; the caller adds the robot's
 * own height). A column is occupied if one of them is, else free if one is, else unknown. Covers the rolling window,
 * so that its size stays the same while the robot moves; without a window, all that is known.
 */
export function projectInto(out: Projection, map: OccupancyMap, minZM: number, maxZM: number): void {
  const res = map.resolutionM;
  const [x0, y0] = beginProjection(out, map);
  const lowKey = firstKeyFrom(minZM, res);
  const highKey = lastKeyTo(maxZM, res);
  const { store } = map;
  for (let slot = 0; slot < store.count; slot += 1) {
    const corner = store.bz[slot]! * BRICK_EDGE;
    const from = Math.max(0, lowKey - corner);
    const to = Math.min(BRICK_EDGE - 1, highKey - corner);
    if (from > to) continue;
    const at = (store.by[slot]! - y0) * BRICK_EDGE * out.width + (store.bx[slot]! - x0) * BRICK_EDGE;
    projectBrick(out, map, slot, at, from, to);
  }
}

/** Sets place and size, and all to unknown; returns the bricks of the corner, x and y. */
export function beginProjection(out: Projection, map: OccupancyMap): [number, number] {
  const res = map.resolutionM;
  const [x0, y0, x1, y1] = extent(map);
  out.width = (x1 - x0) * BRICK_EDGE;
  out.height = (y1 - y0) * BRICK_EDGE;
  out.resolutionM = res;
  out.originXM = (x0 * BRICK_EDGE - ROOT_KEY) * res;
  out.originYM = (y0 * BRICK_EDGE - ROOT_KEY) * res;
  if (out.data.length < out.width * out.height) out.data = new Int8Array(out.width * out.height);
  out.data.fill(GRID_UNKNOWN, 0, out.width * out.height);
  return [x0, y0];
}

function projectBrick(out: Projection, map: OccupancyMap, slot: number, at: number, from: number, to: number): void {
  const { logOdds } = map.store;
  const { data, width } = out;
  const occupiedFrom = map.occupiedFrom;
  for (let z = from; z <= to; z += 1) {
    for (let y = 0; y < BRICK_EDGE; y += 1) {
      for (let x = 0; x < BRICK_EDGE; x += 1) {
        const steps = logOdds[slot * BRICK_CELLS + cellIndex(x, y, z)]!;
        if (steps === UNKNOWN_CELL) continue;
        const cell = at + y * width + x;
        if (steps >= occupiedFrom) data[cell] = GRID_OCCUPIED;
        else if (data[cell] === GRID_UNKNOWN) data[cell] = GRID_FREE;
      }
    }
  }
}

/** In bricks: x0, y0, and x1, y1 past the end. */
function extent(map: OccupancyMap): [number, number, number, number] {
  const { store, window } = map;
  if (Number.isFinite(map.options.windowM)) {
    const half = window.halfBricks;
    return [window.centreX - half, window.centreY - half, window.centreX + half + 1, window.centreY + half + 1];
  }
  if (store.count === 0) return [0, 0, 0, 0];
  let [x0, y0, x1, y1] = [store.bx[0]!, store.by[0]!, store.bx[0]!, store.by[0]!];
  for (let slot = 1; slot < store.count; slot += 1) {
    x0 = Math.min(x0, store.bx[slot]!);
    y0 = Math.min(y0, store.by[slot]!);
    x1 = Math.max(x1, store.bx[slot]!);
    y1 = Math.max(y1, store.by[slot]!);
  }
  return [x0, y0, x1 + 1, y1 + 1];
}
