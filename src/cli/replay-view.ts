import type { Health } from "../core/health.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import type { Playback } from "../server/playback.ts";
import type { ViewerServer } from "../server/viewer-server.ts";
import { type FrameObjects, frameOfStep } from "./feed-frame.ts";
import { FrameHistory } from "./frame-history.ts";
import { aborted } from "./interrupt.ts";
import type { ReplayRun } from "./replay-run.ts";
import { openViewer, steer, ViewerFeed, type ViewerOptions } from "./viewer-feed.ts";

/** The page of a replay: its clients pause and step the computation, and go back to frames that are done. */
export class ReplayView {
  readonly url: string;
  readonly #server: ViewerServer;
  readonly #history: FrameHistory;
  readonly #playback: Playback;
  readonly #playing: Promise<void>;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  /** `speed` against the recording, 0: as fast as it goes; clients may change it. `signal`: computes on unheeded. */
  static async open(options: ViewerOptions, speed: number, signal: AbortSignal): Promise<ReplayView> {
    const view = new ReplayView(await openViewer({ ...options, steered: true }), speed, signal);
    process.stderr.write(`viewer: ${view.url}\n`);
    return view;
  }

  private constructor(server: ViewerServer, speed: number, signal: AbortSignal) {
    this.url = server.url;
    this.#server = server;
    this.#signal = signal;
    this.#history = new FrameHistory(server, new ViewerFeed(server));
    this.#playback = steer(server, this.#history, speed, AbortSignal.any([signal, this.#stop.signal]));
    this.#playing = this.#playback.run();
  }

  /** Takes the step in; resolves when the page wants another. */
  async see(
    step: MapStep,
    run: ReplayRun,
    health: Health,
    more: { readonly accuracy?: Readonly<Record<string, number>>; readonly objects?: FrameObjects } = {},
  ): Promise<void> {
    const { bag, topics, counts, steps, times } = run;
    const seconds = (performance.now() - run.beganMs) / 1e3;
    const status = {
      frame: steps,
      pairs: counts.processed,
      pairsPerSecond: steps / seconds,
      stagesMs: times.medians(),
      health: health.list(),
      ...(more.accuracy && { accuracy: more.accuracy }),
    };
    const images = bag.topics.find(({ name }) => name === topics.left.image)?.count ?? 0;
    this.#history.expect(images, Number(bag.endNs - bag.startNs) / 1e9);
    this.#history.add(await frameOfStep(step, status, more.objects));
    this.#playback.grown();
    await this.#playback.caughtUp();
  }

  /** No more steps come: the page is served until Ctrl-C. */
  async untilInterrupted(): Promise<void> {
    this.#history.expect(0, this.#playback.state()["playback.duration_s"]);
    this.#playback.grown();
    if (this.#signal.aborted) return;
    process.stderr.write(`The map stays at ${this.url} until Ctrl-C.\n`);
    await aborted(this.#signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#playing;
    await this.#server.close();
  }
}
