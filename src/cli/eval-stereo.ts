import type { StereoConfig } from "../config/stereo-schema.ts";
import { asFault, messageOf } from "../core/fault.ts";
import type { StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import { type PairFolder, pairFoldersIn, readPairFolder } from "../io/pair-folder.ts";
import { medianDepthM, type Points, pointsFromDisparity, withoutNearest } from "../stereo/ground-truth.ts";
import { scoreFrame } from "../stereo/metrics.ts";
import type { EvalResult, PairResult } from "./eval-table.ts";
import { countCells, loadPair, makeInfer } from "./infer-pair.ts";
import { openModel } from "./model-folder.ts";

export interface EvalOptions {
  readonly data: string;
  /** Metres; `auto` looks at the truth. */
  readonly voxelSize: number | "auto";
  /** Runs of each pair that are timed. */
  readonly repeat: number;
  /** Added to the true disparity, pixels. */
  readonly disparityBias: number;
}

/** Runs the product over every pair of the folder. A pair that cannot be read is reported, not fatal; a bad model is. */
export async function evaluateStereo(options: EvalOptions, config: StereoConfig): Promise<EvalResult> {
  const folders = await pairFoldersIn(options.data);
  const model = await openModel(config);
  const pairs: PairResult[] = [];
  const skipped: { pair: string; reason: string }[] = [];
  const failed: { pair: string; code: string; message: string }[] = [];
  try {
    for (const folder of folders) {
      try {
        const entry = await readPairFolder(folder);
        if (entry.kind === "skipped") skipped.push({ pair: entry.name, reason: entry.reason });
        else pairs.push(await evaluatePair(model, entry.pair, options, config));
      } catch (thrown) {
        const { code, message } = asFault(thrown, messageOf(thrown), { code: "DATASET_INVALID", remedy: "" });
        if (code === "WORKER_DIED" || code.startsWith("MODEL_")) throw thrown;
        failed.push({ pair: folder, code, message });
      }
    }
    return { model: { name: model.name, sha256: model.sha256 }, pairs, skipped, failed };
  } finally {
    await model.close();
  }
}

async function evaluatePair(
  model: StereoModel,
  folder: PairFolder,
  options: EvalOptions,
  config: StereoConfig,
): Promise<PairResult> {
  const points = truthOf(folder, options.disparityBias);
  const voxelSizeM = options.voxelSize === "auto" ? fittingVoxelSizeM(points) : options.voxelSize;
  const { pair } = await loadPair(folder.leftPath, folder.rightPath, { stereo: folder.calibration });
  const infer = makeInfer(model, { ...config, voxel_size: voxelSizeM });
  let { frame } = await infer(pair);
  const times = new StageTimes();
  for (let run = 0; run < options.repeat; run += 1) {
    const inferred = await infer(pair);
    for (const [stage, ms] of Object.entries(inferred.stagesMs)) times.record(stage, ms);
    frame = inferred.frame;
  }
  const p50 = Object.entries(times.quantiles()).map(([stage, { p50 }]) => [stage, p50] as const);
  return {
    pair: folder.name,
    voxel_size_m: voxelSizeM,
    counts: countCells(frame),
    ...(points === undefined ? {} : { score: scoreFrame(frame, points, folder.calibration) }),
    p50_ms: Object.fromEntries(p50),
  };
}

function truthOf({ truth, calibration }: PairFolder, biasPx: number): Points | undefined {
  switch (truth?.kind) {
    case "disparity": {
      const { width, height, disparityPx: data } = truth;
      return pointsFromDisparity({ width, height, data }, calibration, biasPx);
    }
    case "points":
      return withoutNearest(truth.xyz);
    default:
      return undefined;
  }
}

/** Streets want half a metre, rooms and tables a twentieth; what is unknown counts as a street. */
export function fittingVoxelSizeM(points: Points | undefined): number {
  return points !== undefined && medianDepthM(points) <= 6 ? 0.05 : 0.5;
}
