import { describe, expect, it } from "vitest";
import type { Answer } from "./answer.ts";
import { Candidates } from "./candidates.ts";
import { cocoNames } from "./coco.ts";
import { type DetectorKind, type Head, heads } from "./heads.ts";

const canvas = { width: 128, height: 64 };
const classes = 3;

/** Answers of a kind for the canvas, all zeros. */
function blank(kind: DetectorKind): Answer[] {
  const head: Head = heads[kind];
  return head.outputs(classes, canvas).map((dims) => {
    const whole = [1, ...dims.map(Number)];
    return { dims: whole, data: new Float32Array(whole.reduce((product, dim) => product * dim, 1)) };
  });
}

/** Sets the entry at these indices. */
function put({ data, dims }: Answer, indices: readonly number[], value: number): void {
  data[indices.reduce((at, index, axis) => at * dims[axis]! + index, 0)] = value;
}

function decoded(kind: DetectorKind, answers: readonly Answer[], wanted?: readonly number[]) {
  const head: Head = heads[kind];
  const out = new Candidates(0.25, classes, wanted);
  head.decode(out, answers, canvas);
  const { count, scores, classes: kinds, boxes } = out;
  return Array.from({ length: count }, (_, i) => ({
    score: Number(scores[i]!.toFixed(4)),
    kind: kinds[i],
    // + 0 makes a zero of minus zero.
    box: [...boxes.subarray(4 * i, 4 * i + 4)].map((value) => Number(value.toFixed(3)) + 0),
  }));
}

describe("CenterNet", () => {
  const answers = blank("centernet");
  const [heat, size] = answers as [Answer, Answer];
  for (const [side, pixels] of [6, 3, 10, 5].entries()) put(size, [0, side, 7, 20], pixels);
  put(heat, [0, 2, 7, 20], 0.9);
  // A neighbour that is no peak, and the same place in another class.
  put(heat, [0, 2, 8, 21], 0.8);
  put(heat, [0, 0, 8, 20], 0.3);
  for (const side of [0, 1, 2, 3]) put(size, [0, side, 8, 20], 1);

  it("takes peaks of each class, boxes by their four sides from the cell's corner", () => {
    expect(decoded("centernet", answers)).toEqual([
      { score: 0.3, kind: 0, box: [79, 31, 81, 33] },
      { score: 0.9, kind: 2, box: [74, 25, 90, 33] },
    ]);
    expect(decoded("centernet", answers, [2])).toHaveLength(1);
  });

  it("looks at the rims of the map and at no further", () => {
    const rim = blank("centernet");
    for (const [y, x] of [
      [0, 0],
      [0, 31],
      [15, 0],
      [15, 31],
    ] as const) {
      put(rim[0]!, [0, 1, y, x], 0.5);
      for (const side of [0, 1, 2, 3]) put(rim[1]!, [0, side, y, x], 2);
    }
    expect(decoded("centernet", rim).map(({ box }) => box.slice(0, 2))).toEqual([
      [-2, -2],
      [122, -2],
      [-2, 58],
      [122, 58],
    ]);
  });
});

it("YOLOX: offsets and log sizes in cells of each stride", () => {
  const answers = blank("yolox");
  const first = 16 * 8 + 8 * 4;
  // Stride 32 has 4 x 2 cells; this is x 3, y 1.
  const row = first + 4 + 3;
  for (const [i, value] of [0.5, 0.25, Math.log(2), 0, 0.8, 0, 0.5, 0].entries()) put(answers[0]!, [0, row, i], value);
  expect(decoded("yolox", answers)).toEqual([{ score: 0.4, kind: 1, box: [80, 24, 144, 56] }]);
});

it("FastestDet: tanh of the centre, sigmoid of the size, the best class", () => {
  const answers = blank("fastestdet");
  const values = [0.5, Math.atanh(0.5), Math.atanh(-0.5), 0, Math.log(3), 0.1, 0.7, 0.2];
  for (const [channel, value] of values.entries()) put(answers[0]!, [0, channel, 2, 3], value);
  const score = Number((0.5 ** 0.6 * 0.7 ** 0.4).toFixed(4));
  // Cells of 16 pixels: centre (56, 24), size 128 / 2 by 64 * 3 / 4.
  expect(decoded("fastestdet", answers)).toEqual([{ score, kind: 1, box: [24, 0, 88, 48] }]);
});

/** Logits of a distribution that is all on one bin, or halved between it and the next. */
function bins(mean: number): number[] {
  return Array.from({ length: 8 }, (_, i) => (i === Math.floor(mean) || i === Math.ceil(mean) ? 40 : 0));
}

it.each(["picodet", "nanodet"] as const)("%s: expected distances from the middle of the cell", (kind) => {
  const answers = blank(kind);
  const strides = answers.length / 2;
  // Stride 16, 8 x 4 cells: x 2, y 1.
  put(answers[1]!, [0, 10, 2], 0.6);
  for (const [side, cells] of [1, 0.5, 3, 7].entries()) {
    for (const [bin, logit] of bins(cells).entries()) put(answers[strides + 1]!, [0, 10, 8 * side + bin], logit);
  }
  expect(decoded(kind, answers)).toEqual([{ score: 0.6, kind: 2, box: [24, 16, 88, 136] }]);
});

it("NanoDet-Plus: all strides in one answer, distances from the corner of the cell", () => {
  const answers = blank("nanodet-plus");
  // Stride 16 begins after 16 x 8 cells.
  const row = 128 + 10;
  put(answers[0]!, [0, row, 0], 0.6);
  for (const [side, cells] of [1, 0.5, 3, 7].entries()) {
    for (const [bin, logit] of bins(cells).entries()) put(answers[0]!, [0, row, classes + 8 * side + bin], logit);
  }
  expect(decoded("nanodet-plus", answers)).toEqual([{ score: 0.6, kind: 0, box: [16, 8, 80, 128] }]);
});

it("there are 80 names of COCO, each once", () => {
  expect(new Set(cocoNames).size).toBe(80);
  expect([cocoNames[0], cocoNames[9], cocoNames[79]]).toEqual(["person", "traffic light", "toothbrush"]);
});
