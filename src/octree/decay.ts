import type { BrickStore } from "./bricks.ts";
import { BRICK_CELLS } from "./key.ts";
import { LOG_ODDS_STEP, UNKNOWN_CELL } from "./log-odds.ts";

const REMEMBERED = 65536;
const FORGET = 32768;

/**
 * Numbers the frames and knows their times. A cell holds 16 bits of frame number; when these run out (after 1.8 h at
 * 10 Hz) the older half of the numbers is forgotten: its cells count as last seen before everything.
 */
export class FrameTimes {
  /** Number of the frame now being inserted; 0 before the first. */
  now = 0;
  /** Seconds since the first frame, by frame number. */
  readonly #timeS = new Float64Array(REMEMBERED);

  constructor() {
    this.#timeS[0] = Number.NEGATIVE_INFINITY;
  }

  get nowS(): number {
    return this.now === 0 ? 0 : this.#timeS[this.now]!;
  }

  timeS(frame: number): number {
    return this.#timeS[frame]!;
  }

  next(timeS: number, store: BrickStore): void {
    if (this.now === REMEMBERED - 1) this.#forget(store);
    this.now += 1;
    this.#timeS[this.now] = timeS;
  }

  reset(): void {
    this.now = 0;
  }

  #forget(store: BrickStore): void {
    const { seen } = store;
    const end = store.count * BRICK_CELLS;
    for (let i = 0; i < end; i += 1) seen[i] = Math.max(0, seen[i]! - FORGET);
    this.#timeS.copyWithin(0, FORGET);
    this.#timeS[0] = Number.NEGATIVE_INFINITY;
    this.now -= FORGET;
  }
}

/** How the map forgets what it no longer sees. */
export interface DecayOptions {
  /** Seconds for which a cell keeps its evidence without being seen. */
  readonly decayAfterS: number;
  /** After that its log-odds go towards 0 by this much a second, and at 0 it is unknown again; 0 = never. */
  readonly decayPerS: number;
  /** Every brick is visited once in so many frames. What a cell loses does not depend on it, only how promptly. */
  readonly decayEveryFrames: number;
}

/** Applies decay to a slice of the bricks each frame and drops bricks of which nothing is left. */
export class Decay {
  /** May be replaced between frames. */
  options: DecayOptions;
  #cursor = 0;

  constructor(options: DecayOptions) {
    this.options = options;
  }

  step(store: BrickStore, times: FrameTimes): void {
    if (this.options.decayPerS === 0) return;
    for (let left = Math.ceil(store.count / this.options.decayEveryFrames); left > 0 && store.count > 0; left -= 1) {
      if (this.#cursor <= 0 || this.#cursor > store.count) this.#cursor = store.count;
      this.#cursor -= 1;
      this.#decayBrick(store, times, this.#cursor);
      if (store.known[this.#cursor] === 0) store.remove(this.#cursor);
    }
  }

  #decayBrick(store: BrickStore, times: FrameTimes, slot: number): void {
    const { decayAfterS, decayPerS } = this.options;
    const { logOdds, seen } = store;
    const nowS = times.nowS;
    const sinceS = store.decayedS[slot]!;
    let known = store.known[slot]!;
    const end = (slot + 1) * BRICK_CELLS;
    for (let i = slot * BRICK_CELLS; i < end; i += 1) {
      const value = logOdds[i]!;
      if (value === UNKNOWN_CELL) continue;
      const fromS = Math.max(sinceS, times.timeS(seen[i]!) + decayAfterS);
      if (fromS >= nowS) continue;
      const loss = Math.round(((nowS - fromS) * decayPerS) / LOG_ODDS_STEP);
      const next = value > 0 ? value - loss : value + loss;
      if (value > 0 ? next > 0 : next < 0) {
        logOdds[i] = next;
      } else {
        logOdds[i] = UNKNOWN_CELL;
        known -= 1;
      }
    }
    store.known[slot] = known;
    store.decayedS[slot] = nowS;
  }
}
