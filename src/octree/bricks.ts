import { BRICK_CELLS } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";

/** 16 and 8 bits a cell, four 16-bit numbers and a time a brick. */
const BRICK_BYTES = BRICK_CELLS * 3 + 16;

/**
 * Bricks of 8^3 cells, found by a hash of their coordinates (key >> 3). Slots 0..count-1 are the live bricks, always
 * without holes: removing one moves the last into its place, so slots and array references are valid only until the
 * next `add` or `remove`.
 */
export class BrickStore {
  readonly maxBricks: number;
  count = 0;
  /** Brick coordinates by slot. */
  bx: Uint16Array = new Uint16Array(0);
  by: Uint16Array = new Uint16Array(0);
  bz: Uint16Array = new Uint16Array(0);
  /** Cells of the slot that are not unknown. */
  known: Uint16Array = new Uint16Array(0);
  /** Map time up to which the slot's decay has been applied, seconds. */
  decayedS: Float64Array = new Float64Array(0);
  /** Cell slot * 512 + `cellIndex`: log-odds in steps, or UNKNOWN_CELL. */
  logOdds: Int16Array = new Int16Array(0);
  /** Number (`FrameTimes`) of the frame that last updated the cell; 0 = none. */
  seen: Uint8Array = new Uint8Array(0);
  #capacity = 0;
  /** Open addressing, linear probing, at most half full; -1 = empty. */
  #table: Int32Array = new Int32Array(0);

  constructor(maxBricks: number) {
    this.maxBricks = maxBricks;
    this.#grow(Math.min(256, maxBricks));
  }

  /** `logOdds`, two cells a number (compare with UNKNOWN_PAIR). */
  get pairs(): Int32Array {
    return new Int32Array(this.logOdds.buffer, this.logOdds.byteOffset, this.logOdds.length / 2);
  }

  /** Bytes of all arrays. */
  get byteLength(): number {
    return this.#capacity * BRICK_BYTES + this.#table.byteLength;
  }

  /** Bytes of the bricks that there are and of the hash, without the room kept for more. */
  get usedBytes(): number {
    return this.count * BRICK_BYTES + this.#table.byteLength;
  }

  /** Slot of the brick, or -1. */
  find(bx: number, by: number, bz: number): number {
    const mask = this.#table.length - 1;
    for (let at = hash(bx, by, bz) & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at]!;
      if (slot < 0) return -1;
      if (this.bx[slot] === bx && this.by[slot] === by && this.bz[slot] === bz) return slot;
    }
  }

  /** A new brick, all unknown. It must not exist yet and `count` must be below `maxBricks`. */
  add(bx: number, by: number, bz: number, nowS: number): number {
    if (this.count === this.#capacity) this.#grow(Math.min(this.#capacity * 2, this.maxBricks));
    const slot = this.count;
    this.count += 1;
    this.bx[slot] = bx;
    this.by[slot] = by;
    this.bz[slot] = bz;
    this.known[slot] = 0;
    this.decayedS[slot] = nowS;
    this.logOdds.fill(UNKNOWN_CELL, slot * BRICK_CELLS, (slot + 1) * BRICK_CELLS);
    this.seen.fill(0, slot * BRICK_CELLS, (slot + 1) * BRICK_CELLS);
    this.#enter(slot);
    return slot;
  }

  remove(slot: number): void {
    this.#leave(slot);
    const last = this.count - 1;
    this.count = last;
    if (slot === last) return;
    this.#table[this.#placeOf(last)] = slot;
    for (const column of [this.bx, this.by, this.bz, this.known, this.decayedS]) column[slot] = column[last]!;
    for (const cells of [this.logOdds, this.seen]) {
      cells.copyWithin(slot * BRICK_CELLS, last * BRICK_CELLS, (last + 1) * BRICK_CELLS);
    }
  }

  clear(): void {
    this.count = 0;
    this.#table.fill(-1);
  }

  #enter(slot: number): void {
    const mask = this.#table.length - 1;
    let at = hash(this.bx[slot]!, this.by[slot]!, this.bz[slot]!) & mask;
    while (this.#table[at]! >= 0) at = (at + 1) & mask;
    this.#table[at] = slot;
  }

  #placeOf(slot: number): number {
    const mask = this.#table.length - 1;
    let at = hash(this.bx[slot]!, this.by[slot]!, this.bz[slot]!) & mask;
    while (this.#table[at] !== slot) at = (at + 1) & mask;
    return at;
  }

  /** Takes the entry out and moves later ones of the same run back, so that no tombstones pile up over hours. */
  #leave(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = this.#placeOf(slot);
    for (let at = (hole + 1) & mask; table[at]! >= 0; at = (at + 1) & mask) {
      const other = table[at]!;
      const home = hash(this.bx[other]!, this.by[other]!, this.bz[other]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      table[hole] = other;
      hole = at;
    }
    table[hole] = -1;
  }

  #grow(capacity: number): void {
    this.#capacity = capacity;
    this.bx = grown(this.bx, new Uint16Array(capacity));
    this.by = grown(this.by, new Uint16Array(capacity));
    this.bz = grown(this.bz, new Uint16Array(capacity));
    this.known = grown(this.known, new Uint16Array(capacity));
    this.decayedS = grown(this.decayedS, new Float64Array(capacity));
    this.logOdds = grown(this.logOdds, new Int16Array(capacity * BRICK_CELLS));
    this.seen = grown(this.seen, new Uint8Array(capacity * BRICK_CELLS));
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2))).fill(-1);
    for (let slot = 0; slot < this.count; slot += 1) this.#enter(slot);
  }
}

function grown<T extends Uint8Array | Uint16Array | Int16Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

function hash(bx: number, by: number, bz: number): number {
  let h = Math.imul(bx, 0x9e3779b1) ^ Math.imul(by, 0x85ebca6b) ^ Math.imul(bz, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
