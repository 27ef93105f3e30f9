import { BRICK_DEPTH, gather3, scatter3 } from "./key.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** Lower 6 of the 13 levels above a brick are kept in 18 bits, the upper 7 in 21. */
const LOW_LEVELS = 6;
const LOW_COUNT = 2 ** (3 * LOW_LEVELS);

/** The bricks of a map in the order in which OctoMap walks its tree: depth first, child i = x + 2 y + 4 z. */
export class BrickOrder {
  /** The map's slots in that order; the first `store.count` count, until the next `sort`. */
  slots: Int32Array = new Int32Array(0);
  /** Morton numbers of the bricks, ascending, whole and in two parts. */
  #sorted = new Float64Array(0);
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);

  sort({ store }: OccupancyMap): void {
    const { count } = store;
    if (this.slots.length < count) {
      this.#sorted = new Float64Array(count * 2);
      this.#high = new Uint32Array(count * 2);
      this.#low = new Uint32Array(count * 2);
      this.slots = new Int32Array(count * 2);
    }
    const sorted = this.#sorted.subarray(0, count);
    for (let slot = 0; slot < count; slot += 1) {
      const [x, y, z] = [store.bx[slot]!, store.by[slot]!, store.bz[slot]!];
      const low = scatter3(x & 63) | (scatter3(y & 63) << 1) | (scatter3(z & 63) << 2);
      const high = scatter3(x >> 6) | (scatter3(y >> 6) << 1) | (scatter3(z >> 6) << 2);
      sorted[slot] = high * LOW_COUNT + low;
    }
    sorted.sort();
    for (let i = 0; i < count; i += 1) {
      const high = Math.floor(sorted[i]! / LOW_COUNT);
      const low = sorted[i]! - high * LOW_COUNT;
      this.#high[i] = high;
      this.#low[i] = low;
      const x = (gather3(high) << LOW_LEVELS) | gather3(low);
      const y = (gather3(high >>> 1) << LOW_LEVELS) | gather3(low >>> 1);
      const z = (gather3(high >>> 2) << LOW_LEVELS) | gather3(low >>> 2);
      this.slots[i] = store.find(x, y, z);
    }
  }

  /** Which child of its ancestor at `depth` the i-th brick lies in. */
  digit(i: number, depth: number): number {
    const up = BRICK_DEPTH - 1 - depth;
    return up < LOW_LEVELS ? (this.#low[i]! >>> (3 * up)) & 7 : (this.#high[i]! >>> (3 * (up - LOW_LEVELS))) & 7;
  }

  /** The end of the run of bricks from `i`, before `to`, that lie in the same child of their ancestor at `depth`. */
  runEnd(i: number, to: number, depth: number): number {
    const child = this.digit(i, depth);
    let end = i + 1;
    while (end < to && this.digit(end, depth) === child) end += 1;
    return end;
  }
}
