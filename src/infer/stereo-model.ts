import type { OctreeGrid } from "../core/occupancy.ts";
import type { AnswerWants, RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { alignInto, marginOf } from "./align.ts";
import { type LoadedModel, loadModel } from "./manifest.ts";
import type { Job, WorkerSetup } from "./protocol.ts";
import { type QueueOptions, WorkerQueue } from "./worker-queue.ts";

/** How the model runs. */
export interface StereoModelOptions extends QueueOptions {
  /** Threads of the network; the manifest's number where left out. */
  readonly threads?: number;
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
  readonly #queue: WorkerQueue<StereoAnswer>;
  #images = new SharedArrayBuffer(0);

  constructor(model: LoadedModel, options: StereoModelOptions) {
    const { manifest } = model;
    this.#model = model;
    this.name = `${manifest.name} ${manifest.version}`;
    this.sha256 = model.sha256;
    this.keep = manifest.keep;
    const { matcher, graph, decoder, heads } = model;
    const { keep, samples, near } = manifest;
    const { origin, size, levels, unit_voxel_m } = manifest.grid;
    const layout = { origin, size, levels, leafM: unit_voxel_m, keep, samples, near };
    const threads = options.threads ?? manifest.threads;
    const setup: WorkerSetup = { matcher, graph, decoder, heads, layout, threads };
    this.#queue = new WorkerQueue({ name: this.name, what: "pair", module: "worker", setup }, options);
  }

  grid(voxelSizeM: number): OctreeGrid {
    const { origin, size, levels } = this.#model.manifest.grid;
    return { voxelSizeM, origin, size, levels };
  }

  start(): Promise<void> {
    return this.#queue.start();
  }

  run(pair: RectifiedPair, voxelSizeM: number, wants: AnswerWants = {}): Promise<StereoAnswer | undefined> {
    return this.#queue.run((id) => ({ message: this.#jobOf(id, pair, voxelSizeM, wants) }));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #jobOf(id: number, pair: RectifiedPair, voxelSizeM: number, wants: AnswerWants): Job {
    const { height, fx, fy, cy, baselineM } = pair.calibration;
    const margin = marginOf(pair);
    const [width, cx] = [pair.calibration.width + margin, pair.calibration.cx + margin];
    const pixels = width * height;
    if (this.#images.byteLength < 2 * pixels) this.#images = new SharedArrayBuffer(2 * pixels);
    alignInto(new Uint8Array(this.#images, 0, pixels), new Uint8Array(this.#images, pixels, pixels), pair);
    // Scaling world and baseline together leaves the images as they are: the graph's voxel stands for any size.
    const baseline = (baselineM * this.#model.manifest.grid.unit_voxel_m) / voxelSizeM;
    return { id, images: this.#images, view: { width, height, fx, fy, cx, cy, baseline, margin }, wants };
  }
}
