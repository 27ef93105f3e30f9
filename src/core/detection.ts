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

/** Part of an image, pixels at edges. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * How much small parts of an image excite, on a grid of `width` x `height` cells; rows packed.
 * `hues`: how strongly colours vary from pixel to pixel in more than one direction of colour, pixel values; `energy`: length of
 * the vector of an early layer's channels, where the model has such an output.
 */
export interface Cues {
  readonly width: number;
  readonly height: number;
  /** Cell (x, y) begins at image pixel (left + x * cellWidth, top + y * cellHeight). */
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly maps: {
    readonly hues: Float32Array;
    readonly energy?: Float32Array;
  };
}

export interface DetectorAnswer extends Detections {
  /** Milliseconds per stage: `letterbox`, `network`, `decode`, `cues`; of a batch, this answer's share. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

export interface ImageAnswer extends DetectorAnswer {
  /** For `again`. */
  readonly imageId: number;
  /** Where the detector was opened with `cues`. */
  readonly cues?: Cues;
}

/** Finds objects in images, outside the calling thread. */
export interface Detector {
  readonly name: string;
  /** SHA-256 over the files of the model, hexadecimal. */
  readonly sha256: string;
  readonly classes: readonly string[];
  /** Detections with a lower score are not to be given out; with `cues`, answers hold weaker ones, too. */
  readonly scoreThreshold: number;
  /**
   * Answers in the order of the calls, the image with `windows` filled as in `again`. The image (grey or colour, any size) is copied before the call's turn ends; it must
   * stay unchanged until the answer. Undefined where `newest` was asked for and a later image took its place. Rejects with
   * a Fault (WORKER_DIED, ...); the next call starts a new worker.
   */
  run(image: Image, windows?: readonly Box[]): Promise<ImageAnswer | undefined>;
  /**
   * Looks again at the image of the latest answer, once for each list of windows, (pixels of the image) which
   * are filled from their borders inwards before the network runs; one answer for each list. Rejects with a Fault (USAGE) where another image came
   * between: ask before the next `run`.
   */
  again(imageId: number, variants: readonly (readonly Box[])[]): Promise<readonly DetectorAnswer[]>;
  close(): Promise<void>;
}
