import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { detectorKinds } from "../detect/heads.ts";
import { openDetector } from "../infer/detector.ts";
import { openStereoModel, type StereoModelOptions } from "../infer/stereo-model.ts";
import { modelSummary } from "./model-folder.ts";

export interface TrialOptions extends StereoModelOptions {
  /** Of the made-up pair, pixels. */
  readonly width: number;
  readonly height: number;
  /** Runs after the first one. Default 1. */
  readonly rounds?: number;
}

export interface ModelTrial {
  readonly name: string;
  readonly sha256: string;
  readonly loadMs: number;
  /** The first pair: memory is found, code compiled. */
  readonly firstMs: number;
  /** Median of the rounds. */
  readonly runMs: number;
}

const VOXEL_M = 0.5;
const SHIFT_PX = 16;

/**
 * Opens the model (its hashes are checked) and has it look at a made-up pair, a detector at the left image. Throws what
 * both throw, and MODEL_MISMATCH.
 */
export async function tryModel(folder: string, options: TrialOptions): Promise<ModelTrial> {
  const { width, height, rounds = 1, ...rest } = options;
  const kind = (await modelSummary(folder))?.kind;
  const began = performance.now();
  const model = detectorKinds.some((each) => each === kind)
    ? await openDetector(folder, rest)
    : await openStereoModel(folder, rest);
  const loadMs = performance.now() - began;
  try {
    const pair = madeUpPair(width, height);
    const timed = async () => {
      const from = performance.now();
      if ("grid" in model) checkAnswer(await model.run(pair, VOXEL_M), model, folder);
      else await model.run(pair.left);
      return performance.now() - from;
    };
    const firstMs = await timed();
    const runs: number[] = [];
    while (runs.length < rounds) runs.push(await timed());
    const runMs = runs.sort((a, b) => a - b)[runs.length >> 1]!;
    return { name: model.name, sha256: model.sha256, loadMs, firstMs, runMs };
  } finally {
    await model.close();
  }
}

/** A wall of random dots: the right image is the left one moved by whole pixels. */
function madeUpPair(width: number, height: number): RectifiedPair {
  const left: Image = { width, height, channels: 1, data: new Uint8Array(width * height) };
  // xorshift32 (Marsaglia, 2003): the same dots on every machine.
  let seed = 2463534242;
  for (let i = 0; i < left.data.length; i += 1) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    left.data[i] = seed & 255;
  }
  const right = { ...left, data: new Uint8Array(left.data.length) };
  for (let i = 0; i < right.data.length; i += 1)
    right.data[i] = left.data[Math.min(i + SHIFT_PX, right.data.length - 1)]!;
  const focalPx = 320;
  const centre = { cx: width / 2, cy: height / 2 };
  const calibration = { width, height, fx: focalPx, fy: focalPx, ...centre, baselineM: 0.5, doffsPx: 0 };
  return { stampNs: 0n, frameId: "", left, right, calibration };
}

/** Every level of the grid, indices inside it, probabilities that are ones. Throws `Fault` MODEL_MISMATCH. */
function checkAnswer(answer: StereoAnswer | undefined, model: StereoModel, folder: string): void {
  const grid = model.grid(VOXEL_M);
  let why =
    answer?.levels.length === grid.levels ? undefined : `${answer?.levels.length} levels, wanted ${grid.levels}`;
  for (const [level, { index, p }] of (answer?.levels ?? []).entries()) {
    for (let i = 0; i < index.length; i += 1) {
      const cells = grid.size[i % 3]! >> (grid.levels - 1 - level);
      if (!(index[i]! >= 0 && index[i]! < cells))
        why ??= `index ${index[i]} on level ${level}, wanted 0 to ${cells - 1}`;
      if (!(p[i]! >= 0 && p[i]! <= 1.0001)) why ??= `probability ${p[i]} on level ${level}, wanted 0 to 1`;
    }
  }
  if ((answer?.levels[0]?.index.length ?? 0) === 0) why ??= "no cell at all, wanted those in view";
  if (why === undefined) return;
  throw new Fault(`The model in ${folder} answers a made-up pair with ${why}.`, {
    code: "MODEL_MISMATCH",
    remedy: "Export the model again (training/voxeltrain/export.py), or reinstall voxelguard.",
  });
}
