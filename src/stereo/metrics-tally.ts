import { chamferOf, type Distances } from "./metrics-chamfer.ts";

/**
 * Counts from which every ratio is made, so that many frames are scored by summing counts, never by averaging ratios
 * (`added`). Voxels are those in view; "judged" and "free" are explained in metrics-truth.ts.
 */
export interface Tally {
  truth: number;
  predicted: number;
  hits: number;
  truthJudged: number;
  predictedJudged: number;
  hitsJudged: number;
  free: number;
  freeCalledFree: number;
  freeCalledOccupied: number;
  truthCalledFree: number;
  /** From judged predicted voxels to the nearest true one, and back. */
  readonly toTruth: Distances;
  readonly toPredicted: Distances;
  /** Of p_occupied over judged voxels that the frame lists, pruned ones with their parent's. */
  readonly reliability: Reliability;
}

/** Bins of equal width over 0..1. */
export interface Reliability {
  readonly count: number[];
  readonly sumP: number[];
  readonly occupied: number[];
}

/** Cells that truth and answer share, and cells of either. */
export interface Overlap {
  hits: number;
  union: number;
}

export interface LevelTally {
  /** Of the octree: a cell is occupied if one of its leaves is. To 30 voxels ahead, and over all. */
  readonly near: Overlap;
  readonly all: Overlap;
  /** Of the level's own head at p > 0.5, over the cells that were evaluated; others count as not occupied. */
  readonly head: Overlap;
  readonly reliability: Reliability;
}

export interface FrameTally {
  readonly near: Tally;
  /** By distance ahead, 16 voxels each. */
  readonly ranges: readonly Tally[];
  readonly levels: readonly LevelTally[];
  readonly leaves: { inView: number; evaluated: number };
}

export const RANGE_VOXELS = 16;
export const NEAR_VOXELS = 30;
const BINS = 10;

export function newReliability(): Reliability {
  const zeros = () => new Array<number>(BINS).fill(0);
  return { count: zeros(), sumP: zeros(), occupied: zeros() };
}

export function newTally(): Tally {
  const distances = () => ({ count: 0, sumM: 0, squaresM2: 0 });
  const counts = { truth: 0, predicted: 0, hits: 0, truthJudged: 0, predictedJudged: 0, hitsJudged: 0 };
  const free = { free: 0, freeCalledFree: 0, freeCalledOccupied: 0, truthCalledFree: 0 };
  return { ...counts, ...free, toTruth: distances(), toPredicted: distances(), reliability: newReliability() };
}

export function newLevelTally(): LevelTally {
  const overlap = () => ({ hits: 0, union: 0 });
  return { near: overlap(), all: overlap(), head: overlap(), reliability: newReliability() };
}

export function see({ count, sumP, occupied }: Reliability, p: number, isOccupied: boolean): void {
  const bin = Math.min(BINS - 1, Math.floor(p * BINS));
  count[bin]! += 1;
  sumP[bin]! += p;
  if (isOccupied) occupied[bin]! += 1;
}

/** The sum of two structures of the same shape, number by number. */
export function added<T>(a: T, b: T): T {
  if (typeof a === "number") return ((a as number) + (b as number)) as T;
  if (Array.isArray(a)) return a.map((one, i) => added(one, (b as unknown[])[i])) as T;
  const entries = Object.entries(a as object).map(([key, one]) => [key, added(one, (b as never)[key])]);
  return Object.fromEntries(entries) as T;
}

export function ratio(part: number, whole: number): number {
  return part / Math.max(1, whole);
}

/** Mean over the bins, weighted by size, of |share that is occupied - mean p| (Naeini et al., AAAI 2015). */
export function calibrationError({ count, sumP, occupied }: Reliability): number {
  const off = count.reduce((sum, _, bin) => sum + Math.abs(occupied[bin]! - sumP[bin]!), 0);
  return ratio(
    off,
    count.reduce((sum, n) => sum + n, 0),
  );
}

/** One line of the table, by the names of the independent judge (shared/eval/voxel_score.py); ratios 0..1. */
export interface Score {
  readonly gt_occupied: number;
  readonly pred_occupied: number;
  readonly pred_judged: number;
  /** Over judged voxels: those with a true surface point in their footprint. */
  readonly iou: number;
  /** Over all voxels in view; where nothing was measured counts as empty. */
  readonly iou_all: number;
  /** hits / (truth + predictions that a true ray refutes): the headline where truth is sparse. */
  readonly iou_ray: number;
  readonly precision: number;
  readonly recall: number;
  /** Truly occupied voxels that were called free. */
  readonly missed: number;
  /** Voxels that a true ray crosses, called occupied. */
  readonly free_violation: number;
  /** The same voxels, called free. */
  readonly free_recall: number;
  /** Mean distance to the nearest voxel of the other side, both ways averaged, metres; absent if a side is empty. */
  readonly chamfer_m?: number;
  /** Sum of the two mean squared distances, as in the StereoVoxelNet paper, square metres. */
  readonly chamfer_paper_m2?: number;
  /** Expected calibration error of p_occupied over judged voxels that the frame lists, 10 bins. */
  readonly calibration_error: number;
}

export function scoreOfTally(t: Tally): Score {
  return {
    gt_occupied: t.truth,
    pred_occupied: t.predicted,
    pred_judged: t.predictedJudged,
    iou: ratio(t.hitsJudged, t.truthJudged + t.predictedJudged - t.hitsJudged),
    iou_all: ratio(t.hits, t.truth + t.predicted - t.hits),
    iou_ray: ratio(t.hits, t.truth + t.freeCalledOccupied),
    precision: ratio(t.hitsJudged, t.predictedJudged),
    recall: ratio(t.hitsJudged, t.truthJudged),
    missed: ratio(t.truthCalledFree, t.truth),
    free_violation: ratio(t.freeCalledOccupied, t.free),
    free_recall: ratio(t.freeCalledFree, t.free),
    ...chamferOf(t.toTruth, t.toPredicted),
    calibration_error: calibrationError(t.reliability),
  };
}
