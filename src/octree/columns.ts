import { BRICK_CELLS, BRICK_COUNT, BRICK_EDGE, cellIndex, keyOf } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/**
 * What a map holds, column by column: for each cell seen from above two rows of bits, one bit a cell of the column, from the
 * lowest brick up. A brick is 8 cells high, so that it fills one byte of each of its 64 columns.
 */
export class Columns {
  /** In columns. */
  width = 0;
  height = 0;
  /** Keys of column (0, 0) and of the lowest cell. */
  keyX = 0;
  keyY = 0;
  keyZ = 0;
  /** Bytes a column. */
  bytes = 0;
  /** Byte `column * bytes + ((kz - keyZ) >> 3)`, bit `(kz - keyZ) & 7`. */
  occupied: Uint8Array = new Uint8Array(0);
  free: Uint8Array = new Uint8Array(0);

  /** Takes in all bricks of the map, and the column of the point x, y, metres, map frame, where it lies in the key space. */
  gather(map: OccupancyMap, xM: number, yM: number): void {
    const { store } = map;
    const at = (m: number) => Math.min(Math.max(keyOf(m, map.resolutionM) >> 3, 0), BRICK_COUNT - 1);
    let [x0, y0, z0] = [at(xM), at(yM), BRICK_COUNT];
    let [x1, y1, z1] = [x0, y0, 0];
    for (let slot = 0; slot < store.count; slot += 1) {
      x0 = Math.min(x0, store.bx[slot]!);
      y0 = Math.min(y0, store.by[slot]!);
      z0 = Math.min(z0, store.bz[slot]!);
      x1 = Math.max(x1, store.bx[slot]!);
      y1 = Math.max(y1, store.by[slot]!);
      z1 = Math.max(z1, store.bz[slot]!);
    }
    this.width = (x1 - x0 + 1) * BRICK_EDGE;
    this.height = (y1 - y0 + 1) * BRICK_EDGE;
    this.bytes = Math.max(0, z1 - z0 + 1);
    [this.keyX, this.keyY, this.keyZ] = [x0 * BRICK_EDGE, y0 * BRICK_EDGE, z0 * BRICK_EDGE];
    const size = this.width * this.height * this.bytes;
    if (this.occupied.length < size) {
      this.occupied = new Uint8Array(size);
      this.free = new Uint8Array(size);
    } else {
      this.occupied.fill(0, 0, size);
      this.free.fill(0, 0, size);
    }
    for (let slot = 0; slot < store.count; slot += 1) this.#addBrick(map, slot, store.bz[slot]! - z0);
  }

  /** Whether a bit from key `from` up to key `to`, both included, is set in the column. */
  any(bits: Uint8Array, column: number, from: number, to: number): boolean {
    const low = Math.max(0, from - this.keyZ);
    const high = Math.min(this.bytes * 8 - 1, to - this.keyZ);
    if (low > high) return false;
    const first = column * this.bytes + (low >> 3);
    const last = column * this.bytes + (high >> 3);
    const [lowMask, highMask] = [(0xff << (low & 7)) & 0xff, 0xff >> (7 - (high & 7))];
    if (first === last) return (bits[first]! & lowMask & highMask) !== 0;
    if ((bits[first]! & lowMask) !== 0 || (bits[last]! & highMask) !== 0) return true;
    for (let i = first + 1; i < last; i += 1) if (bits[i]! !== 0) return true;
    return false;
  }

  #addBrick(map: OccupancyMap, slot: number, byte: number): void {
    const { bx, by, logOdds } = map.store;
    const { occupied, free, bytes, width } = this;
    const occupiedFrom = map.occupiedFrom;
    const corner = (by[slot]! * BRICK_EDGE - this.keyY) * width + bx[slot]! * BRICK_EDGE - this.keyX;
    for (let y = 0; y < BRICK_EDGE; y += 1) {
      for (let x = 0; x < BRICK_EDGE; x += 1) {
        const first = slot * BRICK_CELLS + cellIndex(x, y, 0);
        let [solid, empty] = [0, 0];
        for (let z = 0; z < BRICK_EDGE; z += 1) {
          const steps = logOdds[first + cellIndex(0, 0, z)]!;
          if (steps === UNKNOWN_CELL) continue;
          if (steps >= occupiedFrom) solid |= 1 << z;
          else empty |= 1 << z;
        }
        const at = (corner + y * width + x) * bytes + byte;
        occupied[at] = solid;
        free[at] = empty;
      }
    }
  }
}
