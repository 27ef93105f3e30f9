import type { CameraInfo } from "../core/calibration.ts";
import type { Box, Detections } from "../core/detection.ts";
import { asFault, messageOf } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { Header, Image, StampedImage } from "../core/image.ts";
import type { StageTimes } from "../core/stage-times.ts";
import { spanText } from "../core/stamp.ts";
import type { View } from "../core/view.ts";
import { type ObjectOptions, ObjectTracker, type TrackedObject } from "../detect/objects.ts";
import { SolidView } from "../detect/solid-view.ts";
import type { Track } from "../detect/tracker.ts";
import type { Cloud } from "../msg/read-cloud.ts";
import { projection } from "../stereo/calibration.ts";

/** What the detector says of an image, defended or not. */
export interface Looked extends Detections {
  /** Windows that were masked. */
  readonly masks: readonly Box[];
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** Looks for objects in an image, given the tracks of the images before; asked for one image at a time, in the order of their stamps. */
export type Look = (image: Image, stampNs: bigint, tracks: readonly Track[]) => Promise<Looked | undefined>;

/** A detector with its defence, open. */
export interface OpenDetector {
  readonly name: string;
  readonly sha256: string;
  readonly classes: readonly string[];
  /** `tracks`: of the images before. */
  look(image: Image, stampNs: bigint, tracks: readonly Track[], defended: boolean): Promise<Looked | undefined>;
  /** Forgets masks. */
  reset(): void;
  close(): Promise<void>;
}

export interface DetectOptions extends ObjectOptions {
  /** Whether detections are weighed against solid voxels. */
  readonly evidence: boolean;
  readonly voxelSizeM: number;
  /** How far solid voxels are reported. */
  readonly rangeM: number;
}

export interface LiveDetectParts {
  readonly classes: readonly string[];
  /** Changes hold from the next image on, but for those of the tracker. */
  readonly options: DetectOptions;
  look: Look;
  /** Resolves when voxels of an image that was just looked at are given up. */
  patience(): Promise<void>;
  refuses(stampNs: bigint): "stale" | "rate_limit" | undefined;
  /** The step is valid until the call returns or its promise resolves. */
  onStep(step: DetectStep): Promise<void> | void;
}

/** One image with its objects. */
export interface DetectStep {
  readonly image: StampedImage;
  readonly objects: readonly TrackedObject[];
  readonly masks: readonly Box[];
  /** Where the voxels of the same moment were there. */
  readonly view: View | undefined;
}

export interface DetectCounts {
  seen: number;
  processed: number;
  /** Images that were judged against voxels. */
  weighed: number;
  readonly dropped: Partial<Record<"newer_image" | "stale" | "rate_limit" | "failed", number>>;
}

/** Clouds that wait for their image. */
const CLOUDS = 8;

/**
 * From images and solid voxels as they arrive to tracked objects. While the detector is busy the newest image waits and
 * older ones are dropped. Voxels belong to the image with their stamp; an image waits for them for a while.
 */
export class LiveDetect {
  readonly counts: DetectCounts = { seen: 0, processed: 0, weighed: 0, dropped: {} };
  readonly #parts: LiveDetectParts;
  readonly #health: Health;
  readonly #times: StageTimes;
  readonly #solid = new SolidView();
  readonly #clouds: Cloud[] = [];
  readonly #done: Promise<void>;
  #objects: ObjectTracker;
  #info: CameraInfo | undefined;
  #newest: StampedImage | undefined;
  #wake: (() => void) | undefined;
  #heard: (() => void) | undefined;
  #isStopped = false;

  constructor(parts: LiveDetectParts, health: Health, times: StageTimes) {
    this.#parts = parts;
    this.#health = health;
    this.#times = times;
    this.#objects = new ObjectTracker(parts.classes, parts.options);
    this.#done = this.#run();
  }

  pushImage(image: StampedImage): void {
    this.counts.seen += 1;
    if (this.#newest !== undefined) this.#drop("newer_image");
    this.#newest = image;
    this.#wake?.();
  }

  pushPoints(cloud: Cloud): void {
    this.#clouds.push(cloud);
    if (this.#clouds.length > CLOUDS) this.#clouds.shift();
    this.#heard?.();
  }

  pushInfo(info: CameraInfo): void {
    this.#info = info;
  }

  /** Forgets all tracks. */
  reset(): void {
    this.#objects = new ObjectTracker(this.#parts.classes, this.#parts.options);
  }

  /** Resolves when the image in work is done, and is given up; what waits is dropped. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const image = this.#newest;
      this.#newest = undefined;
      if (image === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const cause = this.#parts.refuses(image.stampNs);
      if (cause !== undefined) {
        this.#drop(cause);
        continue;
      }
      try {
        await this.#answer(image);
        this.#health.clear("detector", "WORKER_DIED");
        this.#health.clear("detector", "MODEL_MISMATCH");
      } catch (thrown) {
        this.#drop("failed");
        const { code, message, remedy } = asFault(thrown, `An image could not be answered: ${messageOf(thrown)}.`, {
          code: "MODEL_MISMATCH",
          remedy: "Report this: it is a defect.",
        });
        this.#health.raise("detector", code, `${message} ${remedy}`, "error");
      }
    }
  }

  async #answer(image: StampedImage): Promise<void> {
    const found = await this.#parts.look(image.image, image.stampNs, this.#objects.tracker.tracks);
    if (found === undefined || this.#isStopped) return;
    for (const [stage, ms] of Object.entries(found.stagesMs)) this.#times.record(stage, ms);
    const { evidence, rangeM } = this.#parts.options;
    const view = evidence ? await this.#see(image) : undefined;
    if (this.#isStopped) return;
    const solid = view === undefined ? undefined : { solid: this.#solid, rangeM };
    const objects = this.#times.measure("objects", () => this.#objects.update(found, image.stampNs, solid));
    this.counts.processed += 1;
    if (view !== undefined) this.counts.weighed += 1;
    await this.#parts.onStep({ image, objects, masks: found.masks, view });
  }

  /** Paints the voxels of the image's moment; undefined, with the reason in Health, where there are none. */
  async #see(image: StampedImage): Promise<View | undefined> {
    const info = this.#info;
    if (info === undefined) {
      return this.#without("No CameraInfo has come: publish it, or turn evidence.enabled off.", "CALIBRATION_MISSING");
    }
    const cloud = await this.#cloudOf(image);
    if (cloud === undefined) {
      const newest = this.#clouds.at(-1);
      const last =
        newest === undefined ? "none has come" : `the last is ${spanText(image.stampNs - newest.stampNs)} older`;
      return this.#without(`No voxels with the stamp of the image came in time (${last}).`, "INPUT_STALE");
    }
    if (cloud.frameId !== image.frameId) {
      const seen = `The voxels are in ${cloud.frameId}, the image in ${image.frameId}.`;
      return this.#without(`${seen} Detect on the left image of the pair.`, "TOPIC_TYPE");
    }
    for (const code of ["CALIBRATION_MISSING", "INPUT_STALE", "TOPIC_TYPE"] as const)
      this.#health.clear("evidence", code);
    const { width, height } = image.image;
    const view = { ...projection(info), width, height };
    this.#solid.paint(cloud.xyz, cloud.count, this.#parts.options.voxelSizeM, view);
    return view;
  }

  #without(why: string, code: "CALIBRATION_MISSING" | "INPUT_STALE" | "TOPIC_TYPE"): undefined {
    this.#health.raise("evidence", code, `${why} Detections are not weighed against the map.`);
  }

  async #cloudOf({ stampNs }: Header): Promise<Cloud | undefined> {
    const find = () => this.#clouds.find((cloud) => cloud.stampNs === stampNs);
    let isOver = false;
    const over = this.#parts.patience().then(() => {
      isOver = true;
    });
    for (let found = find(); ; found = find()) {
      if (found !== undefined || isOver || this.#isStopped) return found;
      const heard = new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
      await Promise.race([over, heard]);
    }
  }

  #drop(cause: keyof DetectCounts["dropped"]): void {
    this.counts.dropped[cause] = (this.counts.dropped[cause] ?? 0) + 1;
  }
}
