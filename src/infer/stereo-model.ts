import type { Worker } from "node:worker_threads";
import { Fault, messageOf } from "../core/fault.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { AnswerWants, RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { alignInto, marginOf } from "./align.ts";
import { type LoadedModel, loadModel } from "./manifest.ts";
import type { FromWorker, Job, WorkerSetup } from "./protocol.ts";
import { spawnWorker } from "./spawn.ts";

export interface StereoModelOptions {
  /** Threads of the network; the manifest's number where left out. */
  readonly threads?: number;
  /**
   * What happens to pairs that wait while the worker is busy: `every` keeps them all (replay), `newest` only the latest
   * (live; the older ones resolve to undefined).
   */
  readonly backlog?: "every" | "newest";
  /** A worker that takes longer than this over one pair hangs and is replaced. Default: a minute. */
  readonly answerWithinMs?: number;
}

interface Waiting {
  readonly pair: RectifiedPair;
  readonly voxelSizeM: number;
  readonly wants: AnswerWants;
  readonly resolve: (answer: StereoAnswer | undefined) => void;
  readonly reject: (fault: Fault) => void;
}

/** Opens the model of a folder in a worker thread; resolves when the network is loaded. */
export async function openStereoModel(folder: string, options: StereoModelOptions = {}): Promise<StereoModel> {
  const model = new StereoWorkerModel(await loadModel(folder), options);
  await model.start();
  return model;
}

class StereoWorkerModel implements StereoModel {
  readonly name: string;
  readonly sha256: string;
  readonly keep: readonly number[];
  readonly #model: LoadedModel;
  readonly #setup: WorkerSetup;
  readonly #newest: boolean;
  readonly #answerWithinMs: number;
  readonly #queue: Waiting[] = [];
  #worker: Worker | undefined;
  #running: Waiting | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #images = new SharedArrayBuffer(0);
  #nextId = 0;
  #isClosed = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(model: LoadedModel, options: StereoModelOptions) {
    const { manifest } = model;
    this.#model = model;
    this.name = `${manifest.name} ${manifest.version}`;
    this.sha256 = model.sha256;
    this.keep = manifest.keep;
    this.#newest = options.backlog === "newest";
    this.#answerWithinMs = options.answerWithinMs ?? 60_000;
    const { matcher, graph, decoder, heads } = model;
    const { keep, samples, near } = manifest;
    const { origin, size, levels, unit_voxel_m } = manifest.grid;
    const layout = { origin, size, levels, leafM: unit_voxel_m, keep, samples, near };
    this.#setup = { matcher, graph, decoder, heads, layout, threads: options.threads ?? manifest.threads };
  }

  grid(voxelSizeM: number): OctreeGrid {
    const { origin, size, levels } = this.#model.manifest.grid;
    return { voxelSizeM, origin, size, levels };
  }

  /** Starts the worker and waits until it is ready. */
  async start(): Promise<void> {
    const worker = spawnWorker("worker", this.#setup);
    try {
      await untilReady(worker);
    } catch (thrown) {
      worker.on("error", () => {});
      await worker.terminate();
      throw new Fault(`The model ${this.name} does not start: ${messageOf(thrown)}.`, {
        code: "MODEL_MISMATCH",
        remedy: "Run `voxelguard models verify`; if the model is whole, look at the memory of this machine.",
        cause: thrown,
      });
    }
    if (this.#isClosed) {
      await worker.terminate();
      return;
    }
    worker.on("message", (message: FromWorker) => {
      if (this.#worker === worker) this.#answered(message);
    });
    worker.on("error", (thrown) => this.#died(worker, thrown.message));
    worker.on("exit", (code) => this.#died(worker, `exit code ${code}`));
    this.#worker = worker;
  }

  run(pair: RectifiedPair, voxelSizeM: number, wants: AnswerWants = {}): Promise<StereoAnswer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedFault());
        return;
      }
      if (this.#newest) for (const older of this.#queue.splice(0)) older.resolve(undefined);
      this.#queue.push({ pair, voxelSizeM, wants, resolve, reject });
      this.#next();
    });
  }

  /** Pairs that wait are refused; the one in work is finished: ONNX Runtime aborts the process if it is cut off. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedFault());
    if (this.#running !== undefined) await new Promise<void>((done) => this.#whenIdle.push(done));
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners();
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    this.#running = waiting;
    if (this.#worker !== undefined) this.#send(waiting);
    else this.#restart(waiting);
  }

  #restart(waiting: Waiting): void {
    this.start().then(
      () => {
        if (this.#isClosed) this.#finish((one) => one.reject(closedFault()));
        else this.#send(waiting);
      },
      (fault) => this.#finish((one) => one.reject(fault)),
    );
  }

  #send({ pair, voxelSizeM, wants }: Waiting): void {
    const { height, fx, fy, cy, baselineM } = pair.calibration;
    const margin = marginOf(pair);
    const [width, cx] = [pair.calibration.width + margin, pair.calibration.cx + margin];
    const pixels = width * height;
    if (this.#images.byteLength < 2 * pixels) this.#images = new SharedArrayBuffer(2 * pixels);
    alignInto(new Uint8Array(this.#images, 0, pixels), new Uint8Array(this.#images, pixels, pixels), pair);
    // Scaling world and baseline together leaves the images as they are: the graph's voxel stands for any size.
    const baseline = (baselineM * this.#model.manifest.grid.unit_voxel_m) / voxelSizeM;
    const id = this.#nextId++;
    const job: Job = { id, images: this.#images, view: { width, height, fx, fy, cx, cy, baseline, margin }, wants };
    const worker = this.#worker!;
    worker.postMessage(job);
    this.#watchdog = setTimeout(() => {
      this.#died(worker, `it gave no answer for ${this.#answerWithinMs / 1000} s`);
      void worker.terminate();
    }, this.#answerWithinMs);
  }

  #answered(message: FromWorker): void {
    if (message.kind === "answer") {
      this.#finish((one) => one.resolve(message.answer));
    } else if (message.kind === "failed") {
      const fault = new Fault(`The network failed on a pair: ${message.message}`, {
        code: "MODEL_MISMATCH",
        remedy: "Run `voxelguard models verify`; report the pair if the model is whole.",
      });
      this.#finish((one) => one.reject(fault));
    }
  }

  #died(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const fault = new Fault(`The model's worker died (${why}); the pair in work is lost.`, {
      code: "WORKER_DIED",
      remedy: "It starts again with the next pair; if it keeps dying, look at the memory of this machine.",
    });
    this.#finish((one) => one.reject(fault));
  }

  #finish(settle: (one: Waiting) => void): void {
    clearTimeout(this.#watchdog);
    const one = this.#running;
    this.#running = undefined;
    if (one !== undefined) settle(one);
    this.#next();
    if (this.#running === undefined) for (const done of this.#whenIdle.splice(0)) done();
  }
}

/** Rejects when the worker says that it cannot, fails or ends before it is ready. */
async function untilReady(worker: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => {
      // One by one: removeAllListeners would also take Node's own, and with them all later messages.
      worker.off("error", failed).off("exit", ended).off("message", said);
      act();
    };
    const failed = (thrown: Error) => settle(() => reject(thrown));
    const ended = (code: number) => settle(() => reject(new Error(`its thread ended with exit code ${code}`)));
    const said = (message: FromWorker) =>
      settle(() => {
        if (message.kind === "ready") resolve();
        else reject(new Error(message.kind === "failed" ? message.message : "it answered before it was asked"));
      });
    worker.on("error", failed).on("exit", ended).on("message", said);
  });
}

function closedFault(): Fault {
  return new Fault("The model was closed.", { code: "WORKER_DIED", remedy: "Open it again." });
}
