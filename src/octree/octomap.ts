import { FREE, OCCUPIED, UNKNOWN } from "../core/occupancy.ts";
import { BrickOrder } from "./brick-order.ts";
import { BRICK_CELLS, BRICK_DEPTH } from "./key.ts";
import { UNKNOWN_CELL, UNKNOWN_PAIR } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** What two bits say of a child in OctoMap's binary stream; the first three are our states. */
export const HAS_CHILDREN = 3;

/**
 * Encodes a map as OctoMap does (`OccupancyOcTreeBase::writeBinaryData`): depth first, for each inner node 2 bits a
 * child in two bytes, then its inner children's subtrees in order; child i = x + 2 y + 4 z. Each cell becomes its
 * likelier state; 8 equal children become one leaf. The data of `octomap_msgs/Octomap` with `binary = true`.
 */
export class OctomapEncoder {
  #out = new Uint8Array(4096);
  #end = 0;
  readonly #order = new BrickOrder();
  #logOdds = new Int16Array(0);
  /** The same, two cells a number. */
  #pairs = new Int32Array(0);
  #occupiedFrom = 0;

  /** A view that holds until the next call; empty for an empty map. */
  borrowBinary(map: OccupancyMap): Uint8Array {
    this.#end = 0;
    this.#logOdds = map.store.logOdds as Int16Array<ArrayBuffer>;
    this.#pairs = map.store.pairs as Int32Array<ArrayBuffer>;
    this.#occupiedFrom = map.occupiedFrom;
    this.#order.sort(map);
    if (map.store.count > 0) this.#inner(0, 0, map.store.count);
    return this.#out.subarray(0, this.#end);
  }

  /** Node above the bricks `from`..`to`; returns what its parent writes for it. */
  #inner(depth: number, from: number, to: number): number {
    const start = this.#open();
    let word = 0;
    for (let i = from; i < to; ) {
      const end = this.#order.runEnd(i, to, depth);
      const slot = this.#order.slots[i]!;
      const code = depth + 1 === BRICK_DEPTH ? this.#brick(slot) : this.#inner(depth + 1, i, end);
      word |= code << (2 * this.#order.digit(i, depth));
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
      word |= (size === 8 ? this.#eight(at) : this.#cells(at, size >> 3)) << (2 * child);
    }
    return this.#close(start, word, true);
  }

  /** Node whose children are 8 cells. */
  #eight(first: number): number {
    if (this.#areUnknown(first >> 1)) return UNKNOWN;
    const logOdds = this.#logOdds;
    const occupiedFrom = this.#occupiedFrom;
    let word = 0;
    for (let child = 7; child >= 0; child -= 1) {
      const steps = logOdds[first + child]!;
      word = (word << 2) | (steps === UNKNOWN_CELL ? UNKNOWN : steps >= occupiedFrom ? OCCUPIED : FREE);
    }
    return this.#close(this.#open(), word, true);
  }

  /** Whether four pairs of cells are: in most places of a map. */
  #areUnknown(at: number): boolean {
    const pairs = this.#pairs;
    const one = pairs[at]!;
    return one === UNKNOWN_PAIR && pairs[at + 1] === one && pairs[at + 2] === one && pairs[at + 3] === one;
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
