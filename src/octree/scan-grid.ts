import { BRICK_EDGE, KEY_COUNT } from "./key.ts";

/** Most cells that a scan may span: 64 MiB for each of the two bit sets. */
export const MAX_SCAN_CELLS = 2 ** 29;
/** Cells of a row are whole words of the bit sets. */
const WORD = 32;

/**
 * The part of the key space that one scan reaches, as two bit sets: cells that a ray left behind it, and cells in which
 * a point lies. Bit of cell (x, y, z) from the corner: x + width * (y + height * z); a byte is one row of a brick.
 */
export class ScanGrid {
  /** Key of the corner cell; the corner of a brick. */
  readonly low: Int32Array = new Int32Array(3);
  /** Cells along x (whole words), y and z (whole bricks). */
  readonly size: Int32Array = new Int32Array(3);
  free: Int32Array = new Int32Array(0);
  hit: Int32Array = new Int32Array(0);
  /** The same memory by bytes. */
  freeRows: Uint8Array = new Uint8Array(0);
  hitRows: Uint8Array = new Uint8Array(0);
  /** Words of each set. */
  words = 0;

  /** Spans the keys low..high (edges included); false where that is more than `MAX_SCAN_CELLS`. */
  span(low: ArrayLike<number>, high: ArrayLike<number>): boolean {
    let cells = 1;
    for (let a = 0; a < 3; a += 1) {
      const edge = a === 0 ? WORD : BRICK_EDGE;
      const from = Math.floor(low[a]! / BRICK_EDGE) * BRICK_EDGE;
      this.low[a] = from;
      this.size[a] = Math.ceil((high[a]! + 1 - from) / edge) * edge;
      cells *= this.size[a]!;
    }
    this.words = cells / WORD;
    return cells <= MAX_SCAN_CELLS;
  }

  /** Lets the two sets lie in `memory`, `words` words from each address on, and clears them. */
  place(memory: ArrayBuffer, free: number, hit: number): void {
    this.free = new Int32Array(memory, free, this.words).fill(0);
    this.hit = new Int32Array(memory, hit, this.words).fill(0);
    this.freeRows = new Uint8Array(memory, free, this.words * 4);
    this.hitRows = new Uint8Array(memory, hit, this.words * 4);
  }
}

/** A key within the key space, whatever the number. */
export function clampKey(key: number): number {
  return Math.min(Math.max(key, 0), KEY_COUNT - 1);
}
