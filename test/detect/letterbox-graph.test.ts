import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { InputSpec } from "../../src/detect/heads.ts";
import { type CanvasSpec, planLetterbox } from "../../src/detect/letterbox.ts";
import { letterboxGraph, letterboxInto, wantsSmooth } from "../../src/infer/letterbox-graph.ts";

const plain: InputSpec = {
  type: "uint8",
  layout: "nhwc",
  order: "rgb",
  place: "centre",
  fill: 7,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** The canvas of packed pixels [height, width, channels]. */
async function canvasOf(
  input: InputSpec,
  spec: CanvasSpec,
  pixels: number[],
  height: number,
  channels: number,
  smooth = false,
) {
  const width = pixels.length / height / channels;
  const [size, pads] = [new BigInt64Array(4), new BigInt64Array(8)];
  letterboxInto(size, pads, channels, planLetterbox(width, height, spec));
  const session = await InferenceSession.create(letterboxGraph(input, smooth));
  const { canvas } = await session.run({
    image: new Tensor("uint8", Uint8Array.from(pixels), [1, height, width, channels]),
    size: new Tensor("int64", size, [4]),
    pads: new Tensor("int64", pads, [8]),
  });
  return { dims: canvas!.dims, data: [...(canvas!.data as Uint8Array | Float32Array)] };
}

describe("the letterbox graph", () => {
  it("is smooth below half the size", () => {
    const fixed: CanvasSpec = { width: 320, height: 320, place: "corner" };
    const smooth = [640, 641, 100].map((width) => wantsSmooth(planLetterbox(width, 100, fixed)));
    expect(smooth).toEqual([false, true, false]);
  });

  it("averages with a triangle of twice the step where it is smooth, else between the nearest", async () => {
    const impulse = [0, 0, 0, 240, 0, 0, 0, 0];
    const row = async (smooth: boolean) => {
      const half: CanvasSpec = { width: 4, height: 1, place: "stretch" };
      const { data } = await canvasOf(plain, half, [...impulse, ...impulse], 2, 1, smooth);
      return data.filter((_, i) => i % 3 === 0);
    };
    // Taps at 0.5 and 1.5 pixels from the centre of an output pixel weigh 3/8 and 1/8.
    expect(await row(true)).toEqual([0, 90, 30, 0]);
    expect(await row(false)).toEqual([0, 120, 0, 0]);
  });

  it("interpolates between pixel centres where it grows", async () => {
    const { data } = await canvasOf(plain, { width: 4, height: 1, place: "stretch" }, [0, 80], 1, 1);
    expect(data.filter((_, i) => i % 3 === 0)).toEqual([0, 20, 60, 80]);
  });

  it("lays the image in the middle of the filled canvas, grey in all three channels", async () => {
    const { dims, data } = await canvasOf(
      plain,
      { width: 4, height: 4, place: "centre" },
      [50, 50, 50, 50, 50, 50, 50, 50],
      2,
      1,
    );
    expect(dims).toEqual([1, 4, 4, 3]);
    const row = (value: number) => new Array<number>(12).fill(value);
    expect(data).toEqual([...row(7), ...row(50), ...row(50), ...row(7)]);
  });

  it("orders, scales and lays out the channels as the network wants them", async () => {
    const input: InputSpec = {
      ...plain,
      type: "float32",
      layout: "nchw",
      order: "bgr",
      mean: [1, 2, 3],
      std: [2, 4, 5],
    };
    const { dims, data } = await canvasOf(
      input,
      { width: 2, height: 1, place: "stretch" },
      [10, 20, 30, 13, 22, 31],
      1,
      3,
    );
    expect(dims).toEqual([1, 3, 1, 2]);
    expect(data.map((value) => Number(value.toFixed(5)))).toEqual([14.5, 15, 4.5, 5, 1.4, 2]);
  });
});
