import type { Worker } from "node:worker_threads";
import { Fault } from "../core/fault.ts";
import type { HelperSetup } from "./kernel-helper.ts";
import { compileKernel, type Kernel, makeSharedMemory, startKernel } from "./kernel-module.ts";
import { CONTROL_BYTES, countItems, itemsOfHelpers, openRun, waitUntilDone, work } from "./kernel-schedule.ts";
import { spawnWorker } from "./spawn.ts";

/** An item takes a millisecond or so; this is for a helper that hangs or was killed. */
const TIMEOUT_MS = 10_000;

/** One kernel in shared memory, and the helpers that run it beside the calling thread. */
interface Crew<K> {
  readonly kernel: K;
  readonly control: Int32Array;
  readonly helpers: readonly Worker[];
  /** Why a helper is no more. */
  died?: string;
}

/**
 * A kernel on the calling thread and `threads - 1` helpers. The calling thread blocks while a job is worked
 * on; helpers that are not up yet are not waited for.
 */
export class KernelThreads<K extends Kernel> {
  readonly #name: string;
  readonly #module: WebAssembly.Module;
  readonly #threads: number;
  readonly #timeoutMs: number;
  #crew: Crew<K>;
  #closed = false;

  /** `name` is for faults, such as "matching kernel". */
  constructor(name: string, wasm: Uint8Array, threads: number, timeoutMs = TIMEOUT_MS) {
    this.#name = name;
    this.#module = compileKernel(wasm, true);
    this.#threads = threads;
    this.#timeoutMs = timeoutMs;
    this.#crew = this.#start();
  }

  /** Another one after a helper died. */
  get kernel(): K {
    return this.#crew.kernel;
  }

  get helpers(): readonly Worker[] {
    return this.#crew.helpers;
  }

  /** Items that the helpers ran, since they were started. */
  get itemsOfHelpers(): number {
    return itemsOfHelpers(this.#crew.control);
  }

  /** All phases of a job, whose data are in place. Throws WORKER_DIED where a helper died or hangs; all starts afresh then. */
  run(width: number, height: number): void {
    if (this.#closed) {
      throw new Fault(`The ${this.#name} was closed.`, { code: "WORKER_DIED", remedy: "Open the model again." });
    }
    const crew = this.#crew;
    try {
      if (crew.died !== undefined) throw this.#diedFault(crew.died);
      openRun(crew.control, width, height);
      const ended =
        work(crew.kernel, crew.control, 0, this.#timeoutMs) &&
        waitUntilDone(crew.control, countItems(crew.kernel, height), this.#timeoutMs);
      if (!ended) throw this.#diedFault("it did not finish its share");
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

  #start(): Crew<K> {
    const module = this.#module;
    const memory = makeSharedMemory();
    const kernel = startKernel<K>(module, memory);
    if (kernel.runItem === undefined) {
      throw new Fault(`The model's ${this.#name} is of an older version, which runs on one thread only.`, {
        code: "MODEL_MISMATCH",
        remedy: "Reinstall voxelguard, or export the model again (training/voxeltrain/export.py).",
      });
    }
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
    const helpers: Worker[] = [];
    const crew: Crew<K> = { kernel, control, helpers };
    for (let part = 1; part < Math.min(this.#threads, kernel.PARTS.value); part += 1) {
      const setup: HelperSetup = { module, memory, control, part, timeoutMs: this.#timeoutMs };
      const helper = spawnWorker("kernel-helper", setup);
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

  #diedFault(why: string): Fault {
    return new Fault(`A helper thread of the ${this.#name} died (${why}); the pair in work is lost.`, {
      code: "WORKER_DIED",
      remedy: "It starts again with the next pair; if it keeps dying, look at the memory of this machine.",
    });
  }
}

async function dismiss({ helpers }: Crew<unknown>): Promise<void> {
  await Promise.all(helpers.map((helper) => helper.removeAllListeners().terminate()));
}
