import type { StereoCalibration } from "../core/calibration.ts";
import { FREE, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import type { Points } from "./ground-truth.ts";
import { chamfer } from "./metrics-chamfer.ts";
import { type TruthVoxels, truthVoxels } from "./metrics-truth.ts";

/**
 * How well a frame agrees with the truth. Names and definitions are those of the independent judge,
 * shared/eval/voxel_score.py, so that the two can be laid side by side; ratios are 0..1. "15m" and "32m" hold for voxels
 * of 0.5 m and mean 30 and 64 voxels ahead.
 */
export interface StereoScore {
  readonly gt_occupied: number;
  readonly pred_occupied: number;
  readonly pred_judged: number;
  /** Over judged voxels: those with a true surface point in their footprint. */
  readonly iou_15m: number;
  readonly iou_32m: number;
  /** Over all voxels in view; where nothing was measured counts as empty. */
  readonly iou_all_15m: number;
  readonly iou_all_32m: number;
  /** hits / (truth + predictions that a true ray refutes): the headline where truth is sparse. */
  readonly iou_ray_15m: number;
  readonly iou_ray_32m: number;
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
  /** IoU over judged voxels, each level's cells occupied if one of their leaves is; coarse to fine. */
  readonly iou_levels: readonly number[];
  /** Expected calibration error of p_occupied over judged voxels that the frame lists, 10 bins. */
  readonly calibration_error: number;
}

/** Scores against surface points (metres, left optical frame). */
export function scoreFrame(frame: OctreeFrame, points: Points, calibration: StereoCalibration): StereoScore {
  const truth = truthVoxels(frame.grid, points, calibration);
  const predicted = rasterOf(frame);
  return scoreOf(frame, truth, predicted);
}

interface Predicted {
  readonly state: Uint8Array;
  /** NaN where the frame lists nothing. */
  readonly pOccupied: Float32Array;
}

/** Leaf grid of the frame, index (x * sizeY + y) * sizeZ + z. Where cells overlap the stronger state holds. */
function rasterOf(frame: OctreeFrame): Predicted {
  const { levels, size } = frame.grid;
  const state = new Uint8Array(size[0] * size[1] * size[2]);
  const pOccupied = new Float32Array(state.length).fill(Number.NaN);
  for (let n = 0; n < frame.count; n += 1) {
    const edge = 1 << (levels - 1 - frame.level[n]!);
    for (let i = frame.x[n]! * edge; i < (frame.x[n]! + 1) * edge; i += 1) {
      for (let j = frame.y[n]! * edge; j < (frame.y[n]! + 1) * edge; j += 1) {
        const row = (i * size[1] + j) * size[2];
        for (let k = frame.z[n]! * edge; k < (frame.z[n]! + 1) * edge; k += 1) {
          state[row + k] = Math.max(state[row + k]!, frame.state[n]!);
          pOccupied[row + k] = frame.pOccupied[n]!;
        }
      }
    }
  }
  return { state, pOccupied };
}

function scoreOf(frame: OctreeFrame, truth: TruthVoxels, predicted: Predicted): StereoScore {
  const { size, origin, voxelSizeM } = frame.grid;
  const { seen, occupied: gt, judged, free } = truth;
  const { state } = predicted;
  const near = newTally();
  const all = newTally();
  for (let i = 0; i < state.length; i += 1) {
    if (seen[i] === 0) continue;
    const occ = state[i] === OCCUPIED ? 1 : 0;
    const isFree = state[i] === FREE ? 1 : 0;
    countInto(all, gt[i]!, occ, isFree, judged[i]!, free[i]!);
    if (origin[2] + (i % size[2]) + 0.5 < 30) countInto(near, gt[i]!, occ, isFree, judged[i]!, free[i]!);
  }
  return {
    gt_occupied: all.gt,
    pred_occupied: all.occ,
    pred_judged: all.occJudged,
    iou_15m: ratio(near.hitJudged, near.gtJudged + near.occJudged - near.hitJudged),
    iou_32m: ratio(all.hitJudged, all.gtJudged + all.occJudged - all.hitJudged),
    iou_all_15m: ratio(near.hit, near.gt + near.occ - near.hit),
    iou_all_32m: ratio(all.hit, all.gt + all.occ - all.hit),
    iou_ray_15m: ratio(near.hit, near.gt + near.occFree),
    iou_ray_32m: ratio(all.hit, all.gt + all.occFree),
    precision: ratio(all.hitJudged, all.occJudged),
    recall: ratio(all.hitJudged, all.gtJudged),
    missed: ratio(all.gtCalledFree, all.gt),
    free_violation: ratio(all.occFree, all.free),
    free_recall: ratio(all.freeCalledFree, all.free),
    ...chamfer(listOf(state, OCCUPIED, judged), listOf(gt, 1, judged), size, voxelSizeM),
    iou_levels: iouLevels(frame, gt, state, judged),
    calibration_error: calibrationError(gt, predicted.pOccupied, judged),
  };
}

function newTally() {
  return {
    gt: 0,
    occ: 0,
    hit: 0,
    gtJudged: 0,
    occJudged: 0,
    hitJudged: 0,
    free: 0,
    occFree: 0,
    freeCalledFree: 0,
    gtCalledFree: 0,
  };
}

/** All arguments 0 or 1; the voxel is in view. */
function countInto(
  tally: ReturnType<typeof newTally>,
  gt: number,
  occ: number,
  calledFree: number,
  judged: number,
  free: number,
): void {
  tally.gt += gt;
  tally.occ += occ;
  tally.hit += gt & occ;
  tally.gtJudged += gt & judged;
  tally.occJudged += occ & judged;
  tally.hitJudged += gt & occ & judged;
  tally.free += free;
  tally.occFree += occ & free;
  tally.freeCalledFree += calledFree & free;
  tally.gtCalledFree += gt & calledFree;
}

function ratio(part: number, whole: number): number {
  return part / Math.max(1, whole);
}

/** Indices of the judged voxels with this value. */
function listOf(values: Uint8Array, value: number, judged: Uint8Array): Int32Array {
  const list = new Int32Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] === value && judged[i] === 1) {
      list[n] = i;
      n += 1;
    }
  }
  return list.subarray(0, n);
}

function iouLevels(frame: OctreeFrame, gt: Uint8Array, state: Uint8Array, judged: Uint8Array): number[] {
  const { levels, size } = frame.grid;
  const ious: number[] = [];
  for (let level = 0; level < levels; level += 1) {
    const shift = levels - 1 - level;
    const [sizeY, sizeZ] = [size[1] >> shift, size[2] >> shift];
    const cells = new Uint8Array((size[0] >> shift) * sizeY * sizeZ);
    for (let i = 0; i < state.length; i += 1) {
      if (judged[i] === 0) continue;
      const bits = gt[i]! | (state[i] === OCCUPIED ? 2 : 0);
      if (bits === 0) continue;
      const k = (i % size[2]) >> shift;
      const j = (Math.floor(i / size[2]) % size[1]) >> shift;
      const x = Math.floor(i / (size[1] * size[2])) >> shift;
      cells[(x * sizeY + j) * sizeZ + k]! |= bits;
    }
    let hits = 0;
    let union = 0;
    for (let i = 0; i < cells.length; i += 1) {
      if (cells[i] === 3) hits += 1;
      if (cells[i] !== 0) union += 1;
    }
    ious.push(ratio(hits, union));
  }
  return ious;
}

const BINS = 10;

/** Mean over the bins, weighted by size, of |share that is occupied - mean p| (Naeini et al., AAAI 2015). */
function calibrationError(gt: Uint8Array, pOccupied: Float32Array, judged: Uint8Array): number {
  const surplus = new Float64Array(BINS);
  let total = 0;
  for (let i = 0; i < gt.length; i += 1) {
    const p = pOccupied[i]!;
    if (judged[i] === 0 || Number.isNaN(p)) continue;
    surplus[Math.min(BINS - 1, Math.floor(p * BINS))]! += gt[i]! - p;
    total += 1;
  }
  let sum = 0;
  for (let bin = 0; bin < BINS; bin += 1) sum += Math.abs(surplus[bin]!);
  return sum / Math.max(1, total);
}
