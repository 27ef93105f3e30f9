import { asFault, messageOf } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { StereoInput, StereoModel } from "../core/ports.ts";
import type { StageTimes } from "../core/stage-times.ts";
import { FrameAssembler, type FrameOptions, type PosedPair } from "./frames-assemble.ts";
import { countDrop, type FrameCounts } from "./frames-counts.ts";
import { type MapOptions, type MapStep, mapSteps } from "./map-steps.ts";

export interface LiveMapOptions {
  readonly frames: FrameOptions;
  /** What mapSteps says may be changed may be changed here. */
  readonly map: MapOptions;
  readonly model: StereoModel;
  /** Asked before each pair is answered: why not to, if so. */
  readonly refuses: (stampNs: bigint) => "stale" | "rate_limit" | undefined;
  /** Hears of every step; frame and map are valid until the promise resolves. What it throws is told to Health. */
  readonly onStep: (step: MapStep) => Promise<void> | void;
}

/**
 * From messages as they arrive to steps of the map. While the model is busy, the newest pair waits and older ones are
 * dropped; what is refused by then is dropped too.
 */
export class LiveMap {
  readonly #options: LiveMapOptions;
  readonly #health: Health;
  readonly #counts: FrameCounts;
  readonly #assembler: FrameAssembler;
  readonly #done: Promise<void>;
  #newest: PosedPair | undefined;
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor(options: LiveMapOptions, health: Health, counts: FrameCounts, times: StageTimes) {
    this.#options = options;
    this.#health = health;
    this.#counts = counts;
    this.#assembler = new FrameAssembler(options.frames, health, counts);
    const steps = mapSteps(this.#pairs(), options.model, options.map, health, counts, times);
    this.#done = this.#run(steps);
  }

  push(input: StereoInput): void {
    if (this.#isStopped) return;
    for (const posed of this.#assembler.push(input)) {
      if (this.#newest !== undefined) countDrop(this.#counts, "newer_pair");
      this.#newest = posed;
    }
    if (this.#newest !== undefined) this.#wake?.();
  }

  /** Resolves when the pair in work is done, and is given up; what waits is dropped. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#done;
  }

  /** Never rejects: nobody waits for it before `stop`, and a rejection would end the process. */
  async #run(steps: AsyncIterable<MapStep>): Promise<void> {
    try {
      for await (const step of steps) if (!this.#isStopped) await this.#hand(step);
    } catch (thrown) {
      const { code, message, remedy } = asFault(thrown, "The map failed, and nothing is answered any more.", {
        code: "MODEL_MISMATCH",
        remedy: "Reset the map or start the node again, and report this: it is a defect.",
      });
      this.#health.raise("map", code, `${message} ${remedy}`, "error");
    }
  }

  async #hand(step: MapStep): Promise<void> {
    try {
      await this.#options.onStep(step);
      this.#health.clear("outputs", "OUTPUT_UNWRITABLE");
    } catch (thrown) {
      const why = `The outputs of a pair could not be made or published: ${messageOf(thrown)}. Report this: it is a defect.`;
      this.#health.raise("outputs", "OUTPUT_UNWRITABLE", why, "error");
    }
  }

  async *#pairs(): AsyncGenerator<PosedPair> {
    while (!this.#isStopped) {
      const posed = this.#newest;
      this.#newest = undefined;
      if (posed === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      const cause = this.#options.refuses(posed.pair.stampNs);
      if (cause !== undefined) {
        countDrop(this.#counts, cause);
        continue;
      }
      this.#counts.processed += 1;
      yield posed;
    }
    if (this.#newest !== undefined) countDrop(this.#counts, "stopped_pair");
  }
}
