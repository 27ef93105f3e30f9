import type { Image } from "./image.ts";

/**
 * Objects in one image, best first, as structure of arrays of length `count`. A box is left, top, right, bottom in pixels
 * of that image, measured at pixel edges: the whole image is 0, 0, width, height.
 */
export interface Detections {
  readonly count: number;
  /** Length 4 * count. */
  readonly boxes: Float32Array;
  /** 0..1 */
  readonly scores: Float32Array;
  /** Index into the detector's `classes`. */
  readonly classes: Uint16Array;
}

export interface DetectorAnswer extends Detections {
  /** Milliseconds per stage: `letterbox`, `network`, `decode`. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** Finds objects in images, outside the calling thread. */
export interface Detector {
  readonly name: string;
  /** SHA-256 over the files of the model, hexadecimal. */
  readonly sha256: string;
  readonly classes: readonly string[];
  /**
   * Answers in the order of the calls. The image (grey or colour, any size) is copied before the call's turn ends; it must
   * stay unchanged until the answer. Undefined where `newest` was asked for and a later image took its place. Rejects with
   * a Fault (WORKER_DIED, ...); the next call starts a new worker.
   */
  run(image: Image): Promise<DetectorAnswer | undefined>;
  close(): Promise<void>;
}
