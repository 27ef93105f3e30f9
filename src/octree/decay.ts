import type { BrickStore } from "./bricks.ts";
import { BRICK_CELLS } from "./key.ts";
import { LOG_ODDS_STEP, UNKNOWN_CELL } from "./log-odds.ts";

/** Numbers that 8 bits hold, 0 for "never" among them, and how many may be in use after a merge. */
const NUMBERS = 256;
const AFTER_MERGE = 192;
/** Frames become one where they lie closer together than this part of their age. */
const GRAIN = 1 / 16;

/**
 * Numbers the frames and knows their times. A cell holds 8 bits of frame number; when these run out, neighbouring frames
 * become one, with the time of the later: the age of a cell is known to 1/16 of it (coarser only where ages span more
 * than a million frames), and is never said to be higher than it is.
 */
export class FrameTimes {
  /** Number of the frame now being inserted, of which no cell of an older frame has any; 0 before the first. */
  now = 0;
  /** Seconds since the first frame, by frame number; a cell that was never seen is older than all. */
  readonly #timeS = new Float64Array(NUMBERS);
  /** The time of the first of the frames that a number stands for. */
  readonly #fromS = new Float64Array(NUMBERS);
  readonly #mergedInto = new Uint8Array(NUMBERS);

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
    if (this.now === NUMBERS - 1) this.#merge(store);
    this.now += 1;
    this.#timeS[this.now] = timeS;
    this.#fromS[this.now] = timeS;
  }

  reset(): void {
    this.now = 0;
  }

  #merge({ seen, count }: BrickStore): void {
    let grain = GRAIN;
    while (this.#group(grain) > AFTER_MERGE) grain *= 2;
    const into = this.#mergedInto;
    for (let n = 1; n <= this.now; n += 1) {
      if (into[n] !== into[n - 1]) this.#fromS[into[n]!] = this.#fromS[n]!;
      this.#timeS[into[n]!] = this.#timeS[n]!;
    }
    const end = count * BRICK_CELLS;
    for (let i = 0; i < end; i += 1) seen[i] = into[seen[i]!]!;
    this.now = into[this.now]!;
  }

  /** Finds which frames become one; returns how many there are then. */
  #group(grain: number): number {
    const nowS = this.nowS;
    let fromS = Number.NEGATIVE_INFINITY;
    let groups = 0;
    for (let n = 1; n <= this.now; n += 1) {
      const timeS = this.#timeS[n]!;
      if (timeS - fromS > (nowS - timeS) * grain) {
        groups += 1;
        fromS = this.#fromS[n]!;
      }
      this.#mergedInto[n] = groups;
    }
    return groups;
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
