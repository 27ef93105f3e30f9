import { resolve } from "node:path";
import type { StereoConfig } from "../config/stereo-schema.ts";
import type { StereoCalibration } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import type { PairFolder, PairTags, PairTruth, ScalelessPair } from "../io/pair-folder.ts";
import { writeVoxelsCsv } from "../io/voxels-csv.ts";
import { decodeLimits } from "../pipeline/stereo-options.ts";
import { makeOctreeDecoder } from "../stereo/decode-octree.ts";
import { makeDisparityPixels } from "../stereo/disparity.ts";
import { medianDepthM, type Points, pointsFromDisparity, withoutNearest } from "../stereo/ground-truth.ts";
import { tallyFrame } from "../stereo/metrics.ts";
import { type DisparityTally, tallyDisparity } from "../stereo/metrics-disparity.ts";
import type { FrameTally } from "../stereo/metrics-tally.ts";
import { labelledVoxels, type TruthVoxels, truthVoxels } from "../stereo/metrics-truth.ts";
import { readAnswer } from "./eval-answers.ts";
import { answerTo, type CellCounts, countCells, loadPair, makeInfer } from "./infer-pair.ts";

export interface EvalOptions {
  readonly data: string;
  /** Metres; `auto` looks at the truth. */
  readonly voxelSize: number | "auto";
  /** Runs of each pair that are timed. */
  readonly repeat: number;
  /** Added to the true disparity, pixels. */
  readonly disparityBias: number;
  /** Folder for the octree of each pair, `<pair>.csv`. */
  readonly voxels?: string;
  /** Folder with such files by another program; they are scored instead of the model. */
  readonly answers?: string;
}

/** What one pair gave: counts, from which any group of pairs is scored. */
export interface PairMeasured {
  readonly pair: string;
  readonly path: string;
  readonly tags: PairTags;
  /** Where the voxels' truth comes from; `none`: times alone. */
  readonly truth: "labels" | "disparity" | "points" | "none";
  /** The following are absent where the pair has no metres. */
  readonly voxel_size_m?: number;
  readonly counts?: CellCounts;
  readonly voxels?: string;
  /** Medians over the runs but the first, milliseconds; `total` is all that the product does after reading the files. */
  readonly p50_ms: Readonly<Record<string, number>>;
  readonly tally?: FrameTally;
  readonly disparityTally?: DisparityTally;
}

/** Runs the product on a pair, once to score it and `repeat` times more to time it; or reads the answer from a file. */
export async function measurePair(
  model: StereoModel,
  folder: PairFolder,
  options: EvalOptions,
  config: StereoConfig,
): Promise<PairMeasured> {
  const { name, path, tags, labels } = folder;
  const points = truthPoints(folder, options.disparityBias);
  const fitting = labels?.voxelSizeM ?? fittingVoxelSizeM(points);
  const voxelSizeM = options.voxelSize === "auto" ? fitting : options.voxelSize;
  const grid = model.grid(voxelSizeM);
  const truth = truthIn(grid, folder, points);
  const common = {
    pair: name,
    path: resolve(path),
    tags,
    truth: labels === undefined ? (folder.truth?.kind ?? "none") : "labels",
  } as const;
  const known = { ...common, voxel_size_m: voxelSizeM };
  if (options.answers !== undefined) {
    const frame = await readAnswer(options.answers, name, grid);
    return { ...known, counts: countCells(frame), ...(truth && { tally: tallyFrame(frame, truth) }), p50_ms: {} };
  }
  const { pair } = await loadPair(folder.leftPath, folder.rightPath, { stereo: folder.calibration });
  const answer = await answerTo(model, pair, voxelSizeM, { disparity: folder.truth?.kind === "disparity" });
  const frame = makeOctreeDecoder(grid, model.keep)(answer, pair.calibration, decodeLimits(config));
  const voxels = options.voxels && resolve(options.voxels, `${name}.csv`);
  if (voxels !== undefined) await writeVoxelsCsv(voxels, frame);
  return {
    ...known,
    counts: countCells(frame),
    ...(voxels && { voxels }),
    ...(truth && { tally: tallyFrame(frame, truth, answer.levels) }),
    ...disparityOf(answer, pair, folder.truth, folder.calibration.doffsPx + options.disparityBias),
    p50_ms: await timesOf(model, pair, options.repeat, { ...config, voxel_size: voxelSizeM }),
  };
}

/**
 * A pair without metres: disparities alone, of the pictures as they are. The network wants a camera and gets a made-up
 * one, alike for all such pairs: 53 degrees wide, half a metre between the eyes, voxels of half a metre.
 */
export async function measureScaleless(
  model: StereoModel,
  folder: ScalelessPair,
  { repeat, disparityBias }: EvalOptions,
  config: StereoConfig,
): Promise<PairMeasured> {
  const { name, path, tags, truth } = folder;
  const { width, height } = truth;
  const view = { fx: width, fy: width, cx: (width - 1) / 2, cy: (height - 1) / 2, baselineM: 0.5, doffsPx: 0 };
  const stereo: StereoCalibration = { width, height, ...view };
  const { pair } = await loadPair(folder.leftPath, folder.rightPath, { stereo });
  const answer = await answerTo(model, pair, 0.5, { disparity: true });
  const measured = {
    pair: name,
    path: resolve(path),
    tags,
    truth: "none" as const,
    ...disparityOf(answer, pair, truth, disparityBias),
  };
  return { ...measured, p50_ms: await timesOf(model, pair, repeat, { ...config, voxel_size: 0.5 }) };
}

async function timesOf(model: StereoModel, pair: RectifiedPair, repeat: number, config: StereoConfig) {
  const infer = makeInfer(model, config);
  const times = new StageTimes();
  for (let run = 0; run < repeat; run += 1) {
    for (const [stage, ms] of Object.entries((await infer(pair)).stagesMs)) times.record(stage, ms);
  }
  return times.medians();
}

function disparityOf(
  { disparity }: StereoAnswer,
  { left }: RectifiedPair,
  truth: PairTruth | undefined,
  offsetPx: number,
) {
  if (disparity === undefined || truth?.kind !== "disparity") return {};
  const { width, height, disparityPx: data } = truth;
  return { disparityTally: tallyDisparity(makeDisparityPixels()(disparity, left), { width, height, data }, offsetPx) };
}

function truthPoints({ truth, calibration }: PairFolder, biasPx: number): Points | undefined {
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

/** Dense labels before points. */
function truthIn(grid: OctreeGrid, folder: PairFolder, points: Points | undefined): TruthVoxels | undefined {
  const { labels, calibration } = folder;
  if (labels === undefined) return points && truthVoxels(grid, points, calibration);
  const isSame = labels.voxelSizeM === grid.voxelSizeM && labels.size.every((n, axis) => n === grid.size[axis]);
  if (isSame) return labelledVoxels(labels.labels);
  const text = (size: readonly number[], voxelSizeM: number) => `${size.join(" x ")} voxels of ${voxelSizeM} m`;
  throw new Fault(
    `${folder.path} has labels of ${text(labels.size, labels.voxelSizeM)}, the answer is of ${text(grid.size, grid.voxelSizeM)}`,
    { code: "DATASET_INVALID", remedy: "Leave --voxel-size out, or take gt_labels.npz away." },
  );
}

/** Streets want half a metre, rooms and tables a twentieth; what is unknown counts as a street. */
export function fittingVoxelSizeM(points: Points | undefined): number {
  return points !== undefined && medianDepthM(points) <= 6 ? 0.05 : 0.5;
}
