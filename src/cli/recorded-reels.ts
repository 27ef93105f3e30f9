import type { Reel } from "../server/playback.ts";
import type { ViewerServer } from "../server/viewer-server.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { ViewerFeed } from "./viewer-feed.ts";

/** A run on its page, and how many nanoseconds to add to its times. */
export interface ReelTrack {
  readonly run: RecordedRun;
  readonly feed: ViewerFeed;
  readonly shiftNs: bigint;
}

/** Recorded runs on one timeline. A frame is a moment at which one of them has a new map; the others show their last. */
export class RecordedReel implements Reel {
  readonly first = 0;
  readonly total: number;
  readonly durationS: number;
  readonly #server: ViewerServer;
  readonly #tracks: readonly (ReelTrack & { readonly timesNs: readonly bigint[]; shown: number })[];
  readonly #timesNs: readonly bigint[];

  constructor(server: ViewerServer, tracks: readonly ReelTrack[]) {
    this.#server = server;
    this.#tracks = tracks.map((track) => ({
      ...track,
      timesNs: track.run.timesNs.map((time) => time + track.shiftNs),
      shown: -1,
    }));
    const all = new Set(this.#tracks.flatMap(({ timesNs }) => timesNs));
    this.#timesNs = [...all].sort((a, b) => (a < b ? -1 : 1));
    this.total = this.#timesNs.length;
    this.durationS = Number(this.#timesNs.at(-1)! - this.#timesNs[0]!) / 1e9;
  }

  get ready(): number {
    return this.total;
  }

  stampNs(frame: number): bigint {
    return this.#timesNs[frame]!;
  }

  async show(frame: number): Promise<void> {
    const nowNs = this.#timesNs[frame]!;
    this.#server.showTime(nowNs);
    for (const track of this.#tracks) {
      const at = lastAtOrBefore(track.timesNs, nowNs);
      if (at < 0 || at === track.shown) continue;
      track.shown = at;
      track.feed.show(await track.run.read(at));
    }
  }
}

/** Index of the last of the sorted times that is not later; -1 where all are. */
export function lastAtOrBefore(sorted: readonly bigint[], time: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
