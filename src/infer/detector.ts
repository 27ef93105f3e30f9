import type { Box, Detector, DetectorAnswer, ImageAnswer } from "../core/detection.ts";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import { type LoadedDetector, loadDetector } from "./detector-manifest.ts";
import type { AgainJob, DetectorSetup, DetectResult, ImageJob } from "./protocol.ts";
import { type QueueOptions, WorkerQueue } from "./worker-queue.ts";

export interface DetectorOptions extends QueueOptions {
  /** Threads of the network; the manifest's number where left out. */
  readonly threads?: number | undefined;
  /** 0..1; the manifest's where left out. */
  readonly scoreThreshold?: number | undefined;
  readonly iouThreshold?: number | undefined;
  /** Names of the classes that are looked for; all where left out. */
  readonly classes?: readonly string[] | undefined;
  /** Largest number of detections in an image. Default: 100, as COCO counts. */
  readonly most?: number;
  /** Whether answers are for the patch defence: with cues, and with weak detections to compare. Default: no. */
  readonly cues?: boolean;
}

/** Down to this score detections are compared by the defence. */
const WEAK_SCORE = 0.1;

/**
 * Opens the detector of a folder in a worker thread; resolves when the network is loaded. Throws `Fault` MODEL_MISSING,
 * MODEL_CORRUPT, MODEL_MISMATCH (the graph is not what the manifest says), USAGE (a class that it does not know).
 */
export async function openDetector(folder: string, options: DetectorOptions = {}): Promise<Detector> {
  const detector = new WorkerDetector(await loadDetector(folder), options);
  await detector.start();
  return detector;
}

class WorkerDetector implements Detector {
  readonly name: string;
  readonly sha256: string;
  readonly classes: readonly string[];
  readonly scoreThreshold: number;
  readonly #queue: WorkerQueue<DetectResult>;
  /** Where images are copied to. One is with the worker, one may be filled before the other's answer is taken. */
  readonly #slots: ArrayBuffer[] = [];

  constructor({ manifest, graph, sha256 }: LoadedDetector, options: DetectorOptions) {
    this.name = `${manifest.name} ${manifest.version}`;
    this.sha256 = sha256;
    this.classes = manifest.classes;
    this.scoreThreshold = options.scoreThreshold ?? manifest.score_threshold;
    const cues = options.cues ?? false;
    const setup: DetectorSetup = {
      manifest,
      graph,
      threads: options.threads ?? manifest.threads,
      scoreThreshold: cues ? Math.min(WEAK_SCORE, this.scoreThreshold) : this.scoreThreshold,
      iouThreshold: options.iouThreshold ?? manifest.iou_threshold,
      most: options.most ?? 100,
      wanted: options.classes?.map((name) => indexOf(name, manifest.classes)),
      cues,
    };
    this.#queue = new WorkerQueue({ name: this.name, what: "image", module: "detect-worker", setup }, options);
  }

  start(): Promise<void> {
    return this.#queue.start();
  }

  async run(image: Image, windows: readonly Box[] = []): Promise<ImageAnswer | undefined> {
    const { width, height, channels, data } = image;
    if (!(width >= 1 && height >= 1) || data.length !== width * height * channels) {
      throw new Fault(
        `An image of ${width} x ${height} with ${channels} channels has ${data.length} bytes, wanted ${width * height * channels} and at least one pixel`,
        { code: "IMAGE_SHAPE", remedy: "Give packed rows of 8-bit samples." },
      );
    }
    const result = await this.#queue.run((id) => {
      const free = this.#slots.pop();
      const slot = free !== undefined && free.byteLength >= data.length ? free : new ArrayBuffer(data.length);
      new Uint8Array(slot).set(data);
      const message: ImageJob = { kind: "image", id, image: slot, width, height, channels, windows };
      return { message, transfer: [slot] };
    });
    if (result?.kind !== "image") return undefined;
    this.#slots.push(result.image);
    return result.answer;
  }

  async again(imageId: number, variants: readonly (readonly Box[])[]): Promise<readonly DetectorAnswer[]> {
    if (variants.length === 0) return [];
    const result = await this.#queue.run((id) => {
      const message: AgainJob = { kind: "again", id, imageId, variants };
      return { message };
    });
    if (result?.kind === "again") return result.answers;
    throw new Fault(`Image ${imageId} is no longer with the detector`, {
      code: "USAGE",
      remedy: "Ask for an image again before the next one is given.",
    });
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}

function indexOf(name: string, classes: readonly string[]): number {
  const index = classes.indexOf(name);
  if (index !== -1) return index;
  throw new Fault(`The detector knows no class "${name}"; it knows ${classes.join(", ")}`, {
    code: "USAGE",
    remedy: "Name one of these.",
  });
}
