import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Fault } from "../core/fault.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { type LoadedModel, loadModel } from "./manifest.ts";
import type { FromWorker, Job, WorkerSetup } from "./protocol.ts";

export interface StereoModelOptions {
  /** Threads of the network; the manifest's number where left out. */
  readonly threads?: number;
  /**
   * What happens to pairs that wait while the worker is busy: `every` keeps them all (replay), `newest` only the latest
   * (live; the older ones resolve to undefined).
   */
  readonly backlog?: "every" | "newest";
}

interface Waiting {
  readonly pair: RectifiedPair;
  readonly voxelSizeM: number;
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
  readonly #queue: Waiting[] = [];
  #worker: Worker | undefined;
  #running: Waiting | undefined;
  #images = new SharedArrayBuffer(0);
  #nextId = 0;

  constructor(model: LoadedModel, options: StereoModelOptions) {
    const { manifest } = model;
    this.#model = model;
    this.name = `${manifest.name} ${manifest.version}`;
    this.sha256 = model.sha256;
    this.keep = manifest.keep;
    this.#newest = options.backlog === "newest";
    const { matcher, graph, decoder, heads } = model;
    const { origin, size, levels, unit_voxel_m } = manifest.grid;
    const layout = { origin, size, levels, leafM: unit_voxel_m, keep: manifest.keep, samples: manifest.samples };
    this.#setup = { matcher, graph, decoder, heads, layout, threads: options.threads ?? manifest.threads };
  }

  grid(voxelSizeM: number): OctreeGrid {
    const { origin, size, levels } = this.#model.manifest.grid;
    return { voxelSizeM, origin, size, levels };
  }

  /** Starts the worker and waits until it is ready. */
  async start(): Promise<void> {
    const worker = spawnWorker(this.#setup);
    await new Promise<void>((resolve, reject) => {
      const refuse = (why: string) =>
        reject(
          new Fault(`The model ${this.name} does not start: ${why}`, {
            code: "MODEL_MISMATCH",
            remedy: "run `voxelguard models verify` and `voxelguard doctor`",
          }),
        );
      worker.once("error", (thrown) => refuse(thrown.message));
      worker.once("message", (message: FromWorker) => {
        worker.removeAllListeners("error");
        if (message.kind === "ready") resolve();
        else refuse(message.kind === "failed" ? message.message : "unexpected answer");
      });
    }).catch(async (thrown) => {
      await worker.terminate();
      throw thrown;
    });
    worker.on("message", (message: FromWorker) => this.#answered(message));
    worker.on("error", (thrown) => this.#died(worker, thrown.message));
    worker.on("exit", (code) => this.#died(worker, `exit code ${code}`));
    this.#worker = worker;
  }

  run(pair: RectifiedPair, voxelSizeM: number): Promise<StereoAnswer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#newest) for (const older of this.#queue.splice(0)) older.resolve(undefined);
      this.#queue.push({ pair, voxelSizeM, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners();
    await worker?.terminate();
    const closed = new Fault("The model was closed.", { code: "WORKER_DIED", remedy: "open it again" });
    this.#running?.reject(closed);
    this.#running = undefined;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closed);
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    this.#running = waiting;
    if (this.#worker === undefined) {
      this.start().then(
        () => this.#send(waiting),
        (fault) => this.#finish((one) => one.reject(fault)),
      );
    } else this.#send(waiting);
  }

  #send({ pair, voxelSizeM }: Waiting): void {
    const { width, height, fx, fy, cx, cy, baselineM } = pair.calibration;
    const pixels = width * height;
    if (this.#images.byteLength < 2 * pixels) this.#images = new SharedArrayBuffer(2 * pixels);
    const images = new Uint8Array(this.#images);
    images.set(pair.left.data, 0);
    images.set(pair.right.data, pixels);
    // Scaling world and baseline together leaves the images as they are: the graph's voxel stands for any size.
    const baseline = (baselineM * this.#model.manifest.grid.unit_voxel_m) / voxelSizeM;
    const id = this.#nextId++;
    const job: Job = { id, images: this.#images, view: { width, height, fx, fy, cx, cy, baseline } };
    this.#worker!.postMessage(job);
  }

  #answered(message: FromWorker): void {
    if (message.kind === "answer") {
      this.#finish((one) => one.resolve({ levels: message.levels, stagesMs: message.stagesMs }));
    } else if (message.kind === "failed") {
      const fault = new Fault(`The network failed on a pair: ${message.message}`, {
        code: "MODEL_MISMATCH",
        remedy: "run `voxelguard models verify`; report the pair if the model is intact",
      });
      this.#finish((one) => one.reject(fault));
    }
  }

  #died(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const fault = new Fault(`The model's worker died (${why}); the pair in work is lost.`, {
      code: "WORKER_DIED",
      remedy: "nothing: it starts again with the next pair; if it goes on, look at the memory of this machine",
    });
    this.#finish((one) => one.reject(fault));
  }

  #finish(settle: (one: Waiting) => void): void {
    const one = this.#running;
    this.#running = undefined;
    if (one !== undefined) settle(one);
    this.#next();
  }
}

/** The worker beside this file: worker.js in a build; from TypeScript sources (tsx, vitest) through tsx's loader. */
function spawnWorker(setup: WorkerSetup): Worker {
  const options = { workerData: setup };
  if (import.meta.url.endsWith(".js")) return new Worker(new URL("./worker.js", import.meta.url), options);
  const tsx = new URL(
    "dist/esm/api/index.mjs",
    pathToFileURL(createRequire(import.meta.url).resolve("tsx/package.json")),
  );
  const source = new URL("./worker.ts", import.meta.url);
  const code = `import(${JSON.stringify(tsx.href)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(source.href)}); });`;
  return new Worker(code, { ...options, eval: true });
}
