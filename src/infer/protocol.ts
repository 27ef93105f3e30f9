import type { Box, DetectorAnswer, ImageAnswer } from "../core/detection.ts";
import type { AnswerWants } from "../core/ports.ts";
import type { DetectorManifest } from "./detector-manifest.ts";
import type { OctreeLayout, View } from "./octree-evaluator.ts";

/** What a model's worker says to its `WorkerQueue`. */
export type FromWorker<Answer> =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly id: number | undefined; readonly message: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer };

/** To the worker of the stereo model. Its images travel in shared memory. */
export interface WorkerSetup {
  readonly matcher: Uint8Array;
  readonly graph: Uint8Array;
  readonly decoder: Uint8Array;
  readonly heads: Uint8Array;
  readonly layout: OctreeLayout;
  readonly threads: number;
}

export interface Job {
  readonly id: number;
  /** Left image, then right image: grey, packed, view.width * view.height bytes each. */
  readonly images: SharedArrayBuffer;
  readonly view: View;
  readonly wants: AnswerWants;
}

/** To the worker of a detector. */
export interface DetectorSetup {
  readonly manifest: DetectorManifest;
  readonly graph: Uint8Array;
  readonly threads: number;
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  /** Largest number of detections in an image. */
  readonly most: number;
  /** Indices of the classes that are looked for; all where left out. */
  readonly wanted: readonly number[] | undefined;
  /** Whether answers to images carry `Cues`. */
  readonly cues: boolean;
}

export type DetectJob = ImageJob | AgainJob;

export interface ImageJob {
  readonly kind: "image";
  readonly id: number;
  /** Packed pixels, perhaps more room than they need. Handed over, and handed back with the answer. */
  readonly image: ArrayBuffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Filled before the network runs, image pixels. */
  readonly windows: readonly Box[];
}

/** The image of job `imageId` again, once for each list of windows, image pixels. */
export interface AgainJob {
  readonly kind: "again";
  readonly id: number;
  readonly imageId: number;
  readonly variants: readonly (readonly Box[])[];
}

/** What a detector's worker answers. An image's buffer comes back; `stale`: it no longer has the image that was meant. */
export type DetectResult =
  | { readonly kind: "image"; readonly image: ArrayBuffer; readonly answer: ImageAnswer }
  | { readonly kind: "again"; readonly answers: readonly DetectorAnswer[] }
  | { readonly kind: "stale" };
