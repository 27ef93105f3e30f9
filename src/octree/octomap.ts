import { FREE, OCCUPIED, UNKNOWN } from "../core/occupancy.ts";
import { BRICK_CELLS, BRICK_DEPTH, gather3, scatter3 } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** What two bits say of a child in OctoMap's binary stream; the first three are our states. */
export const HAS_CHILDREN = 3;

/** Lower 6 of the 13 levels above a brick are kept in 18 bits, the upper 7 in 21. */
const LOW_LEVELS = 6;
const LOW_COUNT = 2 ** (3 * LOW_LEVELS);

/**
 * Encodes a map as OctoMap does (`OccupancyOcTreeBase::writeBinaryData`): depth first, for each inner node 2 bits a
 * child in two bytes, then its inner children's subtrees in order; child i = x + 2 y + 4 z. Each cell becomes its
 * likelier state; 8 equal children become one leaf. The data of `octomap_msgs/Octomap` with `binary = true`.
 */
export class OctomapEncoder {
  #out = new Uint8Array(4096);
  #end = 0;
  /** Morton numbers of the bricks in ascending order, and their slots. */
  #sorted = new Float64Array(0);
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);
  #slots = new Int32Array(0);
  #logOdds = new Int16Array(0);
  #occupiedFrom = 0;

  /** A view that holds until the next call; empty for an empty map. */
  borrowBinary(map: OccupancyMap): Uint8Array {
    this.#end = 0;
    this.#logOdds = map.store.logOdds as Int16Array<ArrayBuffer>;
    this.#occupiedFrom = map.occupiedFrom;
    this.#sort(map);
    if (map.store.count > 0) this.#inner(0, 0, map.store.count);
    return this.#out.subarray(0, this.#end);
  }

  #sort({ store }: OccupancyMap): void {
    const { count } = store;
    if (this.#sorted.length < count) {
      this.#sorted = new Float64Array(count * 2);
      this.#high = new Uint32Array(count * 2);
      this.#low = new Uint32Array(count * 2);
      this.#slots = new Int32Array(count * 2);
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
      this.#slots[i] = store.find(x, y, z);
    }
  }

  /** Which child of its ancestor at `depth` the i-th brick lies in. */
  #digit(i: number, depth: number): number {
    const up = BRICK_DEPTH - 1 - depth;
    return up < LOW_LEVELS ? (this.#low[i]! >>> (3 * up)) & 7 : (this.#high[i]! >>> (3 * (up - LOW_LEVELS))) & 7;
  }

  /** Node above the bricks `from`..`to`; returns what its parent writes for it. */
  #inner(depth: number, from: number, to: number): number {
    const start = this.#open();
    let word = 0;
    for (let i = from; i < to; ) {
      const child = this.#digit(i, depth);
      let end = i + 1;
      while (end < to && this.#digit(end, depth) === child) end += 1;
      const code = depth + 1 === BRICK_DEPTH ? this.#brick(this.#slots[i]!) : this.#inner(depth + 1, i, end);
      word |= code << (2 * child);
      i = end;
    }
    return this.#close(start, word, depth > 0);
  }

  #brick(slot: number): number {
    return this.#cells(slot * BRICK_CELLS, 64);
  }

  /** Node whose 8 children cover `size` cells each, from cell `first` on. */
  #cells(first: number, size: number): number {
    const start = this.#open();
    let word = 0;
    for (let child = 0; child < 8; child += 1) {
      const at = first + child * size;
      word |= (size === 8 ? this.#pairs(at) : this.#cells(at, size >> 3)) << (2 * child);
    }
    return this.#close(start, word, true);
  }

  /** Node whose children are 8 cells. */
  #pairs(first: number): number {
    const logOdds = this.#logOdds;
    const occupiedFrom = this.#occupiedFrom;
    let word = 0;
    for (let child = 7; child >= 0; child -= 1) {
      const steps = logOdds[first + child]!;
      word = (word << 2) | (steps === UNKNOWN_CELL ? UNKNOWN : steps >= occupiedFrom ? OCCUPIED : FREE);
    }
    return this.#close(this.#open(), word, true);
  }

  /** Room for a node's two bytes, which are known only after its children. */
  #open(): number {
    if (this.#end + 2 > this.#out.length) {
      const larger = new Uint8Array(this.#out.length * 2);
      larger.set(this.#out);
      this.#out = larger;
    }
    this.#end += 2;
    return this.#end - 2;
  }

  /** Writes the node, or takes it back where all its children are the same leaf. */
  #close(start: number, word: number, mayPrune: boolean): number {
    if (mayPrune && (word === 0 || word === 0x5555 || word === 0xaaaa)) {
      this.#end = start;
      return word & 3;
    }
    this.#out[start] = word & 255;
    this.#out[start + 1] = word >>> 8;
    return HAS_CHILDREN;
  }
}
