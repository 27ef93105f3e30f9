import type { InputSpec } from "../detect/heads.ts";
import type { Letterbox } from "../detect/letterbox.ts";
import {
  elementTypeOf,
  encodeOnnx,
  floatConstant,
  int64Constant,
  type OnnxConstant,
  type OnnxNode,
} from "./onnx-file.ts";

/**
 * A graph that lays an image in a network's canvas: `image` uint8 [1, H, W, 1 or 3], `size` int64 [4] (of the resized
 * image, NHWC), `pads` int64 [8] (before, then after, each axis) -> `canvas` as the network wants it. Pixels are
 * interpolated between the nearest four, or with `smooth` averaged over all that shrink into one (triangle filter).
 */
export function letterboxGraph({ type, layout, order, fill, mean, std }: InputSpec, smooth: boolean): Uint8Array {
  const nodes: OnnxNode[] = [];
  const constants: OnnxConstant[] = [];
  let last = "image";
  const then = (op: string, others: readonly string[] = [], attributes: OnnxNode["attributes"] = {}): void => {
    const output = `${nodes.length}_${op}`;
    nodes.push({ op, inputs: [last, ...others], output, attributes });
    last = output;
  };
  const constant = (value: OnnxConstant): string => {
    constants.push(value);
    return value.name;
  };
  then("Resize", ["", "", "size"], { mode: "linear", antialias: smooth ? 1 : 0 });
  then("Pad", ["pads", constant({ name: "fill", type: "uint8", dims: [], bytes: Uint8Array.of(fill) })]);
  then("Expand", [constant(int64Constant("three", [1, 1, 1, 3]))]);
  if (order === "bgr") then("Gather", [constant(int64Constant("reversed", [2, 1, 0]))], { axis: 3 });
  if (layout === "nchw") then("Transpose", [], { perm: [0, 3, 1, 2] });
  if (type === "float32") {
    then("Cast", [], { to: elementTypeOf("float32") });
    const dims = layout === "nchw" ? [1, 3, 1, 1] : [1, 1, 1, 3];
    if (mean.some((value) => value !== 0)) then("Sub", [constant(floatConstant("mean", mean, dims))]);
    if (std.some((value) => value !== 1)) then("Div", [constant(floatConstant("std", std, dims))]);
  }
  nodes.push({ op: "Identity", inputs: [last], output: "canvas" });
  return encodeOnnx({
    name: "letterbox",
    nodes,
    constants,
    inputs: [
      { name: "image", type: "uint8", dims: [1, "h", "w", "c"] },
      { name: "size", type: "int64", dims: [4] },
      { name: "pads", type: "int64", dims: [8] },
    ],
    outputs: [{ name: "canvas", type, dims: ["n", "a", "b", "c"] }],
  });
}

/** Below half the size, the nearest four pixels would leave others out. Up to there they do as well, in half the time. */
export function wantsSmooth({ scaleX, scaleY }: Letterbox): boolean {
  return Math.min(scaleX, scaleY) < 0.5;
}

/** Fills the graph's `size` and `pads`. */
export function letterboxInto(size: BigInt64Array, pads: BigInt64Array, channels: number, box: Letterbox): void {
  size.set([1n, BigInt(box.height), BigInt(box.width), BigInt(channels)]);
  const below = box.canvasHeight - box.height - box.top;
  const right = box.canvasWidth - box.width - box.left;
  pads.set([0n, BigInt(box.top), BigInt(box.left), 0n, 0n, BigInt(below), BigInt(right), 0n]);
}
