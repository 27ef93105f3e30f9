import type { Worker } from "node:worker_threads";
import { Fault } from "../core/fault.ts";
import type { HelperSetup } from "./matcher-helper.ts";
import { compileKernel, type MatcherKernel, makeSharedMemory, startKernel } from "./matcher-module.ts";
import { CONTROL_BYTES, countItems, itemsOfHelpers, openRun, waitUntilDone, work } from "./matcher-schedule.ts";
import { spawnWorker } from "./spawn.ts";

/** An item takes a millisecond or so; this is for a helper that hangs or was killed. */
const TIMEOUT_MS = 10_000;

/** One kernel in shared memory, and the helpers that run it beside the calling thread. */
interface Crew {
  readonly kernel: MatcherKernel;
  readonly control: Int32Array;
  readonly helpers: readonly Worker[];
  /** Why a helper is no more. */
  died?: string;
}

/**
 * The matching kernel on the calling thread and `threads - 1` helpers. The calling thread blocks while a pair is worked
 * on; helpers that are not up yet are not waited for.
 */
export class MatcherThreads {
  readonly #module: WebAssembly.Module;
  readonly #threads: number;
  readonly #timeoutMs: number;
  #crew: Crew;
  #closed = false;

  constructor(wasm: Uint8Array, threads: number, timeoutMs = TIMEOUT_MS) {
    this.#module = compileKernel(wasm, true);
    this.#threads = threads;
    this.#timeoutMs = timeoutMs;
    this.#crew = this.#start();
  }

  /** Another one after a helper died. */
  get kernel(): MatcherKernel {
    return this.#crew.kernel;
  }

  get helpers(): readonly Worker[] {
    return this.#crew.helpers;
  }

  /** Items that the helpers ran, since they were started. */
  get itemsOfHelpers(): number {
    return itemsOfHelpers(this.#crew.control);
  }

  /** All phases, for images in place. Throws WORKER_DIED where a helper died or hangs; all starts afresh then. */
  run(width: number, height: number): void {
    if (this.#closed) {
      throw new Fault("The matching kernel was closed.", { code: "WORKER_DIED", remedy: "Open the model again." });
    }
    const crew = this.#crew;
    try {
      if (crew.died !== undefined) throw diedFault(crew.died);
      openRun(crew.control, width, height);
      const ended =
        work(crew.kernel, crew.control, 0, this.#timeoutMs) &&
        waitUntilDone(crew.control, countItems(crew.kernel, height), this.#timeoutMs);
      if (!ended) throw diedFault("it did not finish its share");
    } catch (thrown) {
      void dismiss(crew);
      this.#crew = this.#start();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await dismiss(this.#crew);
  }

  #start(): Crew {
    const module = this.#module;
    const memory = makeSharedMemory();
    const kernel = startKernel(module, memory);
    if (kernel.runItem === undefined) {
      throw new Fault("The model's matching kernel is of an older version, which runs on one thread only.", {
        code: "MODEL_MISMATCH",
        remedy: "Reinstall voxelguard, or export the model again (training/voxeltrain/export.py).",
      });
    }
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
    const helpers: Worker[] = [];
    const crew: Crew = { kernel, control, helpers };
    for (let part = 1; part < Math.min(this.#threads, kernel.PARTS.value); part += 1) {
      const setup: HelperSetup = { module, memory, control, part, timeoutMs: this.#timeoutMs };
      const helper = spawnWorker("matcher-helper", setup);
      helper.on("error", (thrown) => {
        crew.died ??= thrown.message;
      });
      helper.on("exit", (code) => {
        crew.died ??= `exit code ${code}`;
      });
      // It sleeps between pairs and must not keep the process alive.
      helper.unref();
      helpers.push(helper);
    }
    return crew;
  }
}

async function dismiss({ helpers }: Crew): Promise<void> {
  await Promise.all(helpers.map((helper) => helper.removeAllListeners().terminate()));
}

function diedFault(why: string): Fault {
  return new Fault(`A helper thread of the matching kernel died (${why}); the pair in work is lost.`, {
    code: "WORKER_DIED",
    remedy: "It starts again with the next pair; if it keeps dying, look at the memory of this machine.",
  });
}
