import type { BrickStore } from "./bricks.ts";
import { BRICK_CELLS, BRICK_EDGE, cellIndex } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";

/** Forgets the cells from one key to another (x, y, z, both included); returns how many were known. */
export function clearKeys(store: BrickStore, low: readonly number[], high: readonly number[]): number {
  let cleared = 0;
  for (let slot = store.count - 1; slot >= 0; slot -= 1) {
    cleared += clearInBrick(store, slot, low, high);
    if (store.known[slot] === 0) store.remove(slot);
  }
  return cleared;
}

function clearInBrick(store: BrickStore, slot: number, low: readonly number[], high: readonly number[]): number {
  const corner = [store.bx[slot]! * BRICK_EDGE, store.by[slot]! * BRICK_EDGE, store.bz[slot]! * BRICK_EDGE];
  const from = corner.map((key, a) => Math.max(0, low[a]! - key));
  const to = corner.map((key, a) => Math.min(BRICK_EDGE - 1, high[a]! - key));
  let cleared = 0;
  for (let z = from[2]!; z <= to[2]!; z += 1) {
    for (let y = from[1]!; y <= to[1]!; y += 1) {
      for (let x = from[0]!; x <= to[0]!; x += 1) {
        const at = slot * BRICK_CELLS + cellIndex(x, y, z);
        if (store.logOdds[at] === UNKNOWN_CELL) continue;
        store.logOdds[at] = UNKNOWN_CELL;
        cleared += 1;
      }
    }
  }
  store.known[slot]! -= cleared;
  return cleared;
}
