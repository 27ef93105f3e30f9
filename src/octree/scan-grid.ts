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
  free: Uint32Array = new Uint32Array(0);
  hit: Uint32Array = new Uint32Array(0);
  /** The same memory by bytes. */
  freeRows: Uint8Array = new Uint8Array(0);
  hitRows: Uint8Array = new Uint8Array(0);
  /** Words in use. */
  words = 0;

  /** Spans the keys low..high (edges included) and clears them; false where that is more than `MAX_SCAN_CELLS`. */
  span(low: ArrayLike<number>, high: ArrayLike<number>): boolean {
    let cells = 1;
    for (let a = 0; a < 3; a += 1) {
      const edge = a === 0 ? WORD : BRICK_EDGE;
      const from = Math.floor(low[a]! / BRICK_EDGE) * BRICK_EDGE;
      this.low[a] = from;
      this.size[a] = Math.ceil((high[a]! + 1 - from) / edge) * edge;
      cells *= this.size[a]!;
    }
    if (cells > MAX_SCAN_CELLS) return false;
    this.words = cells / WORD;
    if (this.free.length < this.words) this.#grow(Math.min(this.words * 2, MAX_SCAN_CELLS / WORD));
    this.free.fill(0, 0, this.words);
    this.hit.fill(0, 0, this.words);
    return true;
  }

  #grow(words: number): void {
    this.free = new Uint32Array(words);
    this.hit = new Uint32Array(words);
    this.freeRows = new Uint8Array(this.free.buffer);
    this.hitRows = new Uint8Array(this.hit.buffer);
  }
}

/** A key within the key space, whatever the number. */
export function clampKey(key: number): number {
  return Math.min(Math.max(key, 0), KEY_COUNT - 1);
}
