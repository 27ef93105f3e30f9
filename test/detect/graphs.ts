import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DetectorKind, heads } from "../../src/detect/heads.ts";
import type { DetectorManifest } from "../../src/infer/detector-manifest.ts";
import { encodeOnnx, floatConstant, int64Constant } from "../../src/infer/onnx-file.ts";

/** A row that YOLOX would answer: cell of the 64 x 64 canvas (8 x 8 cells of stride 8 first), box and scores. */
export interface YoloxRow {
  readonly cell: number;
  /** Offset x, y, log width, log height (cells), objectness, class scores. */
  readonly values: readonly number[];
}

export const yoloxClasses = ["cat", "dog"];
const CELLS = 64 + 16 + 4;

/** An ONNX graph that answers the same, whatever it sees: YOLOX for 64 x 64 and two classes. */
export function yoloxGraph(rows: readonly YoloxRow[]): Uint8Array {
  const data = new Array<number>(CELLS * 7).fill(0);
  for (const { cell, values } of rows) for (const [i, value] of values.entries()) data[cell * 7 + i] = value;
  return encodeOnnx({
    name: "yolox",
    nodes: [{ op: "Identity", inputs: ["rows"], output: "output" }],
    constants: [floatConstant("rows", data, [1, CELLS, 7])],
    inputs: [{ name: "images", type: "float32", dims: [1, 3, 64, 64] }],
    outputs: [{ name: "output", type: "float32", dims: [1, CELLS, 7] }],
  });
}

/** YOLOX for 64 x 64 with one answer: a box of the first cell whose score is the mean of the image, 255 = 1. */
export function meanGraph(dims: readonly (number | string)[]): Uint8Array {
  const row = [0, 0, 0, 0, 1, 1, 0];
  const scale = new Array<number>(CELLS * 7).fill(0);
  const shift = [...row, ...new Array<number>(CELLS * 7 - 7).fill(0)];
  scale[4] = 1 / 255;
  shift[4] = 0;
  return encodeOnnx({
    name: "mean",
    nodes: [
      { op: "ReduceMean", inputs: ["images", "axes"], output: "mean", attributes: { keepdims: 0 } },
      { op: "Unsqueeze", inputs: ["mean", "last"], output: "column" },
      { op: "Mul", inputs: ["column", "scale"], output: "scaled" },
      { op: "Add", inputs: ["scaled", "shift"], output: "output" },
    ],
    constants: [
      int64Constant("axes", [1, 2, 3]),
      int64Constant("last", [1, 2]),
      floatConstant("scale", scale, [1, CELLS, 7]),
      floatConstant("shift", shift, [1, CELLS, 7]),
    ],
    inputs: [{ name: "images", type: "float32", dims }],
    outputs: [{ name: "output", type: "float32", dims: [dims[0]!, CELLS, 7] }],
  });
}

/** Writes a model folder; `change` overrides parts of a manifest that fits `yoloxGraph`. */
export function writeDetector(folder: string, graph: Uint8Array, change: Partial<DetectorManifest> = {}): string {
  const kind: DetectorKind = "yolox";
  const manifest: DetectorManifest = {
    name: "made up",
    version: "1",
    kind,
    graph: { file: "model.onnx", sha256: createHash("sha256").update(graph).digest("hex") },
    input: { name: "images", width: 64, height: 64, ...heads[kind].input, mean: [0, 0, 0], std: [1, 1, 1] },
    outputs: ["output"],
    classes: yoloxClasses,
    score_threshold: 0.3,
    iou_threshold: 0.6,
    threads: 1,
    ...change,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.onnx"), graph);
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  return folder;
}
