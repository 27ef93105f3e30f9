import type { Reel } from "../server/playback.ts";
import type { ViewerServer } from "../server/viewer-server.ts";
import type { FeedFrame } from "./feed-frame.ts";
import type { ViewerFeed } from "./viewer-feed.ts";

/** Half a gigabyte: a thousand frames of the demo drive. */
const KEPT_BYTES = 512 << 20;

/** Frames as they are computed, kept so that one can go back; the oldest go when they take more than `KEPT_BYTES`. */
export class FrameHistory implements Reel {
  first = 0;
  durationS = 0;
  readonly #server: ViewerServer;
  readonly #feed: ViewerFeed;
  readonly #frames: (FeedFrame | undefined)[] = [];
  #expected = 0;
  #bytes = 0;
  readonly #limit: number;

  constructor(server: ViewerServer, feed: ViewerFeed, limitBytes = KEPT_BYTES) {
    this.#server = server;
    this.#feed = feed;
    this.#limit = limitBytes;
  }

  get ready(): number {
    return this.#frames.length;
  }

  get total(): number {
    return Math.max(this.#expected, this.#frames.length);
  }

  /** How many frames there will be, and over what time, as far as one knows. */
  expect(frames: number, durationS: number): void {
    this.#expected = frames;
    this.durationS = durationS;
  }

  add(frame: FeedFrame): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
    while (this.#bytes > this.#limit && this.first < this.#frames.length - 1) {
      this.#bytes -= this.#frames[this.first]!.bytes;
      this.#frames[this.first] = undefined;
      this.first += 1;
    }
  }

  stampNs(frame: number): bigint {
    return this.#at(frame).stampNs;
  }

  async show(frame: number): Promise<void> {
    const { stampNs } = this.#at(frame);
    this.#server.showTime(stampNs < 0n ? 0n : stampNs);
    this.#feed.show(this.#at(frame));
  }

  /** The frame, or the oldest that is still there. */
  #at(frame: number): FeedFrame {
    return this.#frames[Math.max(frame, this.first)]!;
  }
}
