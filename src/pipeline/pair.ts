import type { StampedImage } from "../core/image.ts";
import type { Side, StereoPair } from "../core/ports.ts";
import { dropEvent, type ImageDropCause, otherSide, type PairEvent, resetEvent } from "./pair-drop.ts";
import { FramePeriod } from "./pair-period.ts";

/** Which images of the two eyes belong together. */
export interface PairOptions {
  /**
   * `exact`: equal stamps. `approximate`: the nearest stamps within `slopNs`, never more than half a frame period
   * apart. `auto`: as approximate, with a slop of a quarter of the measured period, at most `slopNs`.
   */
  readonly mode: "exact" | "approximate" | "auto";
  readonly slopNs: bigint;
  /** Images that each eye may keep waiting. */
  readonly queueSize: number;
  /**
   * How many newer images of the other eye prove that an image has no partner: 1 decides at once (live use), more waits
   * for partners that come out of order. At most (and by default) `queueSize`.
   */
  readonly reorder?: number;
  /** An image this much older than the newest of its eye means that time was set back. Default 0.5 s. */
  readonly backwardsNs?: bigint;
  /** Hears of each image that found no partner, and of time that ran backwards. */
  readonly onEvent?: (event: PairEvent) => void;
}

/**
 * What suits a bag of which nothing is known. A quarter of the period: two partners for one image would have to be
 * nearer than half a period, so the nearest is known at once; hardware-triggered eyes are far below it, and eyes that
 * are further apart see a moving scene too differently. 20 ms: the error of a robot at 1 m/s is then 2 cm.
 */
export const autoPairing: PairOptions = { mode: "auto", slopNs: 20_000_000n, queueSize: 10 };

export interface PairCounts {
  pushed: number;
  /** Pairs, of two images each. */
  paired: number;
  /** Jumps backwards in time. */
  resets: number;
  /** Images: 2 paired + the sum of these = pushed, once flushed. */
  readonly dropped: Partial<Record<ImageDropCause, number>>;
}

interface Eye {
  readonly side: Side;
  /** Waiting images, oldest first. */
  readonly queue: StampedImage[];
  /** The last accepted stamps, in the order of arrival. */
  recentNs: bigint[];
  newestNs: bigint | undefined;
  /** Images older than this come too late: pairs go out in the order of time. */
  releasedNs: bigint | undefined;
  /** Since the other eye's time went back: images from here on still belong to the time before. */
  staleFromNs: bigint | undefined;
  readonly period: FramePeriod;
}

/** Pairs the images of two eyes by stamp; deterministic, reads no clock. Pairs come out in the order of their stamps. */
export class StereoPairer {
  readonly counts: PairCounts = { pushed: 0, paired: 0, resets: 0, dropped: {} };
  readonly #options: PairOptions;
  readonly #reorder: number;
  readonly #backwardsNs: bigint;
  readonly #eyes: Readonly<Record<Side, Eye>> = { left: makeEye("left"), right: makeEye("right") };

  constructor(options: PairOptions = autoPairing) {
    this.#options = options;
    this.#reorder = Math.max(1, Math.min(options.reorder ?? options.queueSize, options.queueSize));
    this.#backwardsNs = options.backwardsNs ?? 500_000_000n;
  }

  /** Takes an image; returns the pairs that are settled by it, oldest first. */
  push(side: Side, image: StampedImage): StereoPair[] {
    const eye = this.#eyes[side];
    const { stampNs } = image;
    const pairs: StereoPair[] = [];
    this.counts.pushed += 1;
    if (this.#isStale(side, stampNs)) {
      this.#drop(eye, stampNs, "stamp_backwards");
      return pairs;
    }
    if (eye.newestNs !== undefined && stampNs < eye.newestNs - this.#backwardsNs) this.#reset(eye, stampNs, pairs);
    if (eye.recentNs.includes(stampNs)) {
      this.#drop(eye, stampNs, "duplicate_stamp");
      return pairs;
    }
    if (eye.releasedNs !== undefined && stampNs <= eye.releasedNs) {
      this.#drop(eye, stampNs, "late");
      return pairs;
    }
    this.#enqueue(eye, image);
    this.#settle(pairs, false);
    while (eye.queue.length > this.#options.queueSize) {
      this.#step(pairs, true, "queue_overflow");
      this.#settle(pairs, false);
    }
    return pairs;
  }

  /** End of the stream: pairs what still can be and counts the rest as dropped. */
  flush(): StereoPair[] {
    const pairs: StereoPair[] = [];
    this.#settle(pairs, true);
    return pairs;
  }

  /** Gives up what waits, without pairing. */
  stop(): void {
    for (const eye of [this.#eyes.left, this.#eyes.right]) {
      for (const image of eye.queue.splice(0)) this.#drop(eye, image.stampNs, "stopped");
    }
  }

  #enqueue(eye: Eye, image: StampedImage): void {
    const { stampNs } = image;
    let at = eye.queue.length;
    while (at > 0 && eye.queue[at - 1]!.stampNs > stampNs) at -= 1;
    eye.queue.splice(at, 0, image);
    eye.recentNs.push(stampNs);
    if (eye.recentNs.length > 2 * this.#options.queueSize) eye.recentNs.shift();
    if (eye.newestNs === undefined || stampNs > eye.newestNs) eye.newestNs = stampNs;
    eye.period.add(stampNs);
  }

  #settle(pairs: StereoPair[], final: boolean): void {
    while (this.#step(pairs, final, undefined)) {}
  }

  /** Settles the oldest images: a pair goes out, or the older one is dropped. False: wait for more, or nothing left. */
  #step(pairs: StereoPair[], final: boolean, unproven: ImageDropCause | undefined): boolean {
    const { left, right } = this.#eyes;
    const l = left.queue[0];
    const r = right.queue[0];
    if (l === undefined && r === undefined) return false;
    if (l !== undefined && r !== undefined) {
      const verdict = this.#judge(l.stampNs, r.stampNs, final);
      if (verdict === "wait") return false;
      if (verdict === "pair") {
        left.queue.shift();
        right.queue.shift();
        left.releasedNs = l.stampNs;
        right.releasedNs = r.stampNs;
        this.counts.paired += 1;
        pairs.push({ left: l, right: r });
        return true;
      }
    }
    const eye = r === undefined || (l !== undefined && l.stampNs <= r.stampNs) ? left : right;
    const { stampNs } = eye.queue[0]!;
    const newer = this.#newerOnOtherEye(eye.side, stampNs);
    if (!final && newer < this.#reorder) return false;
    eye.queue.shift();
    const lone = eye.side === "left" ? "lone_left" : "lone_right";
    this.#drop(eye, stampNs, newer > 0 ? lone : (unproven ?? lone));
    return true;
  }

  /** Whether the oldest left and right images belong together; `apart` leaves the older one alone. */
  #judge(leftNs: bigint, rightNs: bigint, final: boolean): "pair" | "apart" | "wait" {
    const apartNs = distance(leftNs, rightNs);
    if (apartNs === 0n) return "pair";
    const periodNs = this.#periodNs();
    const slopNs = this.#slopNs(periodNs);
    if (apartNs > slopNs) return "apart";
    const [earlier, laterNs] = leftNs < rightNs ? [this.#eyes.left, rightNs] : [this.#eyes.right, leftNs];
    const next = earlier.queue[1];
    if (next !== undefined) return distance(next.stampNs, laterNs) < apartNs ? "apart" : "pair";
    // Without the next image at hand: a nearer one can only come if frames are less than half a period apart.
    return final || (periodNs !== undefined && apartNs * 4n <= periodNs) ? "pair" : "wait";
  }

  #slopNs(periodNs: bigint | undefined): bigint {
    const { mode, slopNs } = this.#options;
    if (mode === "exact") return 0n;
    if (periodNs === undefined) return slopNs;
    const capNs = mode === "auto" ? periodNs / 4n : periodNs / 2n;
    return capNs < slopNs ? capNs : slopNs;
  }

  #periodNs(): bigint | undefined {
    const l = this.#eyes.left.period.periodNs;
    const r = this.#eyes.right.period.periodNs;
    return l === undefined || (r !== undefined && r < l) ? r : l;
  }

  #newerOnOtherEye(side: Side, stampNs: bigint): number {
    const fromNs = stampNs + this.#slopNs(this.#periodNs());
    return this.#eyes[otherSide(side)].recentNs.filter((otherNs) => otherNs > fromNs).length;
  }

  #drop(eye: Eye, stampNs: bigint, cause: ImageDropCause): void {
    this.counts.dropped[cause] = (this.counts.dropped[cause] ?? 0) + 1;
    this.#options.onEvent?.(dropEvent(eye.side, stampNs, cause));
  }

  /** After a jump of the other eye: does this image still belong to the time before it? */
  #isStale(side: Side, stampNs: bigint): boolean {
    const eye = this.#eyes[side];
    const other = this.#eyes[otherSide(side)];
    // This eye is where the other one was before its jump: the jump was a single wrong stamp.
    if (other.staleFromNs !== undefined && stampNs >= other.staleFromNs) other.staleFromNs = undefined;
    if (eye.staleFromNs === undefined) return false;
    if (stampNs >= eye.staleFromNs) return true;
    eye.staleFromNs = undefined;
    return false;
  }

  #reset(eye: Eye, stampNs: bigint, pairs: StereoPair[]): void {
    this.counts.resets += 1;
    this.#options.onEvent?.(resetEvent(eye.side, stampNs, eye.newestNs!));
    let more = true;
    while (more) {
      const [l, r] = [this.#eyes.left.queue[0], this.#eyes.right.queue[0]];
      if (l === undefined || r === undefined) break;
      more = this.#step(pairs, true, "stamp_backwards");
    }
    for (const each of [this.#eyes.left, this.#eyes.right]) {
      for (const image of each.queue.splice(0)) this.#drop(each, image.stampNs, "stamp_backwards");
      if (each !== eye && each.newestNs !== undefined) each.staleFromNs = each.newestNs - this.#backwardsNs;
      each.recentNs = [];
      each.newestNs = undefined;
      each.releasedNs = undefined;
      each.period.restart();
    }
  }
}

function makeEye(side: Side): Eye {
  return {
    side,
    queue: [],
    recentNs: [],
    newestNs: undefined,
    releasedNs: undefined,
    staleFromNs: undefined,
    period: new FramePeriod(),
  };
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}
