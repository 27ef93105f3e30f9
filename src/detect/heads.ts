import type { Answer, Canvas } from "./answer.ts";
import type { Candidates } from "./candidates.ts";
import { decodeCenternet } from "./decode-centernet.ts";
import { decodeFastestdet } from "./decode-fastestdet.ts";
import { BINS, decodeGflJoined, decodeGflPairs } from "./decode-gfl.ts";
import { decodeYolox, yoloxStrides } from "./decode-yolox.ts";
import type { CanvasSpec } from "./letterbox.ts";

/** What a network's input holds: value = (pixel - mean) / std, channels in the order given. */
export interface InputSpec extends Omit<CanvasSpec, "width" | "height" | "multiple"> {
  readonly type: "uint8" | "float32";
  readonly layout: "nhwc" | "nchw";
  readonly order: "rgb" | "bgr";
  /** Pixel value, 0..255, of the canvas around the image. */
  readonly fill: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Sizes of one output; a text stands for any number. */
export type Dims = readonly (number | string)[];

/** A kind of detection network: what it is fed by custom, what it must answer, and how that is read. */
export interface Head {
  readonly input: InputSpec;
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  /** Shapes of the outputs, in the order that `decode` wants, for a canvas of this size. Leading ones are left away. */
  outputs(classes: number, canvas: Canvas): readonly Dims[];
  /** Adds candidates, boxes in canvas pixels. */
  decode(out: Candidates, answers: readonly Answer[], canvas: Canvas): void;
}

const bgr = { type: "float32", layout: "nchw", order: "bgr" } as const;
const plain = { mean: [0, 0, 0], std: [1, 1, 1] };
/** ImageNet's, in the order blue, green, red. */
const normalised = { mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] };

/** The kinds, by the word of `--kind`. What is fed is what each project's own exporter and demo use. */
export const heads = {
  centernet: {
    input: { type: "uint8", layout: "nhwc", order: "rgb", place: "centre", fill: 0, ...plain },
    scoreThreshold: 0.3,
    iouThreshold: 0.6,
    outputs: (classes, canvas) =>
      [classes, 4].map((channels) => [channels, cells(canvas.height, 4), cells(canvas.width, 4)]),
    decode: decodeCenternet,
  },
  yolox: {
    input: { ...bgr, place: "corner", fill: 114, ...plain },
    scoreThreshold: 0.3,
    iouThreshold: 0.6,
    outputs: (classes, canvas) => [[allCells(canvas, yoloxStrides), 5 + classes]],
    decode: decodeYolox,
  },
  picodet: gflPairs([8, 16, 32, 64]),
  nanodet: gflPairs([8, 16, 32]),
  "nanodet-plus": {
    input: { ...bgr, place: "stretch", fill: 0, ...normalised },
    scoreThreshold: 0.3,
    iouThreshold: 0.6,
    outputs: (classes, canvas) => [[allCells(canvas, [8, 16, 32, 64]), classes + 4 * BINS]],
    decode: decodeGflJoined([8, 16, 32, 64]),
  },
  fastestdet: {
    input: { ...bgr, place: "stretch", fill: 0, mean: [0, 0, 0], std: [255, 255, 255] },
    scoreThreshold: 0.4,
    iouThreshold: 0.45,
    outputs: (classes, canvas) => [[5 + classes, cells(canvas.height, 16), cells(canvas.width, 16)]],
    decode: decodeFastestdet,
  },
} as const satisfies Record<string, Head>;

export type DetectorKind = keyof typeof heads;
export const detectorKinds = Object.keys(heads) as [DetectorKind, ...DetectorKind[]];

function gflPairs(strides: readonly number[]): Head {
  return {
    input: { ...bgr, place: "centre", fill: 0, ...normalised },
    scoreThreshold: 0.3,
    iouThreshold: 0.6,
    outputs: (classes, canvas) =>
      [classes, 4 * BINS].flatMap((columns) => strides.map((stride) => [allCells(canvas, [stride]), columns])),
    decode: decodeGflPairs(strides),
  };
}

function cells(pixels: number, stride: number): number {
  return Math.ceil(pixels / stride);
}

function allCells({ width, height }: Canvas, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + cells(width, stride) * cells(height, stride), 0);
}
