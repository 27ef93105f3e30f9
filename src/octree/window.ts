import type { BrickStore } from "./bricks.ts";
import { BRICK_COUNT } from "./key.ts";

/**
 * Decides which bricks may exist: those inside a cube around the robot, and of these at most `maxBricks`. When the
 * store is full and a nearer brick wants in, the farthest sixteenth goes at once (so that the search for it is rare);
 * until the robot moves on or much was freed, nothing is taken in that is as far as what went, or full and free would
 * alternate.
 */
export class RollingWindow {
  readonly store: BrickStore;
  /** Half the edge in bricks: a brick stays while it is at most this far from the centre brick on each axis. */
  readonly halfBricks: number;
  centreX = BRICK_COUNT / 2;
  centreY = BRICK_COUNT / 2;
  centreZ = BRICK_COUNT / 2;
  /** Since `beginFrame`: bricks that fell out of the window, bricks that the cap evicted, and requests that it refused. */
  left = 0;
  evicted = 0;
  refused = 0;
  /** Squared distance from which on nothing is taken in. */
  #limit = Number.POSITIVE_INFINITY;
  /** With fewer bricks than this the limit is lifted. */
  #liftBelow = 0;
  #distances = new Int32Array(0);

  constructor(store: BrickStore, halfBricks: number) {
    this.store = store;
    this.halfBricks = halfBricks;
  }

  /** Moves the centre to this brick and drops what is outside now. */
  beginFrame(bx: number, by: number, bz: number): void {
    this.left = 0;
    this.evicted = 0;
    this.refused = 0;
    if (this.store.count < this.#liftBelow) this.#limit = Number.POSITIVE_INFINITY;
    if (bx === this.centreX && by === this.centreY && bz === this.centreZ) return;
    this.#limit = Number.POSITIVE_INFINITY;
    this.centreX = bx;
    this.centreY = by;
    this.centreZ = bz;
    const { store } = this;
    for (let slot = store.count - 1; slot >= 0; slot -= 1) {
      if (this.contains(store.bx[slot]!, store.by[slot]!, store.bz[slot]!)) continue;
      store.remove(slot);
      this.left += 1;
    }
  }

  contains(bx: number, by: number, bz: number): boolean {
    const half = this.halfBricks;
    const { centreX: x, centreY: y, centreZ: z } = this;
    return bx - x <= half && x - bx <= half && by - y <= half && y - by <= half && bz - z <= half && z - bz <= half;
  }

  /** Slot of the brick, made when it is missing; -1 where it may not exist. */
  ensure(bx: number, by: number, bz: number, nowS: number): number {
    const { store } = this;
    const slot = store.find(bx, by, bz);
    if (slot >= 0) return slot;
    if (!this.contains(bx, by, bz)) return -1;
    const distance = this.#distance(bx, by, bz);
    if (distance < this.#limit && store.count === store.maxBricks) this.#makeRoom(distance);
    if (distance >= this.#limit) {
      this.refused += 1;
      return -1;
    }
    return store.add(bx, by, bz, nowS);
  }

  /** Squared distance from the centre brick, in bricks. */
  #distance(bx: number, by: number, bz: number): number {
    const dx = bx - this.centreX;
    const dy = by - this.centreY;
    const dz = bz - this.centreZ;
    return dx * dx + dy * dy + dz * dz;
  }

  /** Lets the farthest bricks go for one at this distance; nothing where that is the farthest itself. */
  #makeRoom(distance: number): void {
    const { store } = this;
    const { count } = store;
    if (this.#distances.length < count) this.#distances = new Int32Array(store.maxBricks);
    const distances = this.#distances.subarray(0, count);
    for (let slot = 0; slot < count; slot += 1) {
      distances[slot] = this.#distance(store.bx[slot]!, store.by[slot]!, store.bz[slot]!);
    }
    distances.sort();
    // Ties go together, so that the outcome does not depend on who came first.
    const farthest = distances[count - 1]!;
    this.#limit = distance >= farthest ? distance : distances[count - Math.ceil(count / 16)]!;
    if (distance < farthest) this.#dropBeyondLimit();
    this.#liftBelow = store.count / 2;
  }

  #dropBeyondLimit(): void {
    const { store } = this;
    for (let slot = store.count - 1; slot >= 0; slot -= 1) {
      if (this.#distance(store.bx[slot]!, store.by[slot]!, store.bz[slot]!) < this.#limit) continue;
      store.remove(slot);
      this.evicted += 1;
    }
  }
}
