import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodeOnnx } from "../../src/infer/onnx-file.ts";
import { centernetGraph, type TfjsModel, tfNames } from "../../tools/detector/centernet-graph.ts";
import { sharedData } from "../support/shared-data.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const models = join(root, "node_modules/@vladmandic/human/models");
const json = JSON.parse(readFileSync(join(models, "centernet.json"), "utf8"));
const weights = readFileSync(join(models, "centernet.bin"));
const photo = sharedData("open", "detect", "coco_val", "images", "000000000139.jpg");

/** The original in TensorFlow.js, on one image of 512 x 512. Its plain JavaScript takes ten seconds. */
async function original(pixels: Uint8Array): Promise<Record<"heat" | "size" | "tap", Float32Array>> {
  await tf.setBackend("cpu");
  const { modelTopology, weightsManifest, format } = json;
  const weightData = new Uint8Array(weights).buffer;
  const model = await loadGraphModel({
    load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData, format }),
  });
  const image = tf.tensor4d(Float32Array.from(pixels), [1, 512, 512, 3]);
  const answers = model.execute(image, [tfNames.heat, tfNames.size, tfNames.tap]) as tf.Tensor[];
  const [heat, size, tap] = answers.map((answer) => tf.transpose(answer, [0, 3, 1, 2]).dataSync() as Float32Array);
  return { heat: heat!, size: size!, tap: tap! };
}

async function converted(): Promise<InferenceSession> {
  return await InferenceSession.create(encodeOnnx(centernetGraph(json, weights)), { logSeverityLevel: 3 });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

describe("CenterNet as ONNX", () => {
  it.skipIf(photo === undefined)("answers as the original does in TensorFlow.js", { timeout: 180_000 }, async () => {
    const picture = sharp(photo!).resize(512, 512, { fit: "contain", background: "black" });
    const pixels = new Uint8Array(await picture.removeAlpha().raw().toBuffer());
    const wanted = await original(pixels);
    const seen = await (await converted()).run({ image: new Tensor("uint8", pixels, [1, 512, 512, 3]) });
    const differences = (["heat", "size", "tap"] as const).map(
      (name) => [name, largestDifference(seen[name]!.data as Float32Array, wanted[name])] as const,
    );
    console.log("largest differences to TensorFlow.js:", Object.fromEntries(differences));
    // Something must be seen in it, else everything agrees on nothing.
    expect(Math.max(...wanted.heat.filter((score) => score > 0.3))).toBeGreaterThan(0.5);
    const [heat, size, tap] = differences.map(([, difference]) => difference);
    expect(heat).toBeLessThan(2e-6);
    // Pixels, of boxes up to 512; the tap's values reach some ten.
    expect(size).toBeLessThan(2e-3);
    expect(tap).toBeLessThan(1e-4);
  });

  it("takes any size in multiples of 32, and several images at once", async () => {
    const session = await converted();
    for (const [images, height, width] of [
      [1, 32, 96],
      [3, 160, 512],
    ] as const) {
      const pixels = new Uint8Array(images * height * width * 3).fill(128);
      const { heat, size, tap } = await session.run({ image: new Tensor("uint8", pixels, [images, height, width, 3]) });
      expect([heat, size, tap].map((each) => each?.dims)).toEqual(
        [80, 4, 24].map((channels) => [images, channels, height / 4, width / 4]),
      );
    }
  });

  it("refuses a model that is not the one it was written for", () => {
    const node: { name: string; op: string }[] = json.modelTopology.node;
    const other = node.map((each) => (each.op === "Relu6" ? { ...each, op: "Elu" } : each));
    const convert = (model: unknown, bytes: Uint8Array) => centernetGraph(model as TfjsModel, bytes);
    expect(() => convert({ ...json, modelTopology: { node: other } }, weights)).toThrow(/of the kind Elu/);
    expect(() => convert(json, weights.subarray(2))).toThrow(/length \d+, wanted \d+/);
  });
});
