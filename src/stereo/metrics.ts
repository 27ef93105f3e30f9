import type { StereoCalibration } from "../core/calibration.ts";
import { FREE, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import type { LevelAnswer } from "../core/ports.ts";
import type { Points } from "./ground-truth.ts";
import { addDistances } from "./metrics-chamfer.ts";
import {
  added,
  calibrationError,
  type FrameTally,
  type LevelTally,
  NEAR_VOXELS,
  newLevelTally,
  newTally,
  RANGE_VOXELS,
  ratio,
  type Score,
  scoreOfTally,
  see,
  type Tally,
} from "./metrics-tally.ts";
import { type TruthVoxels, truthVoxels } from "./metrics-truth.ts";

/**
 * How well frames agree with the truth: `Score` to both ranges. "15m" and "32m" hold for voxels of 0.5 m and mean 30 and
 * 64 voxels ahead.
 */
export interface StereoScore extends Omit<Score, "iou" | "iou_all" | "iou_ray"> {
  readonly iou_15m: number;
  readonly iou_32m: number;
  readonly iou_all_15m: number;
  readonly iou_all_32m: number;
  readonly iou_ray_15m: number;
  readonly iou_ray_32m: number;
  /** Coarse to fine. */
  readonly levels: readonly LevelScore[];
}

export interface LevelScore {
  /** IoU over judged voxels, a cell of the octree occupied if one of its leaves is. */
  readonly iou_15m: number;
  readonly iou_32m: number;
  /** The same of the level's own head at p > 0.5, and its calibration error; absent without the network's answer. */
  readonly head_iou?: number;
  readonly head_calibration_error?: number;
}

/** Scores against surface points (metres, left optical frame). */
export function scoreFrame(frame: OctreeFrame, points: Points, calibration: StereoCalibration): StereoScore {
  return scoreOf(tallyFrame(frame, truthVoxels(frame.grid, points, calibration)));
}

export function scoreOf({ near, ranges, levels }: FrameTally): StereoScore {
  const { iou, iou_all, iou_ray, ...rest } = scoreOfTally(ranges.reduce((sum, range) => added(sum, range)));
  const close = scoreOfTally(near);
  return {
    ...rest,
    iou_15m: close.iou,
    iou_32m: iou,
    iou_all_15m: close.iou_all,
    iou_all_32m: iou_all,
    iou_ray_15m: close.iou_ray,
    iou_ray_32m: iou_ray,
    levels: levels.map((level) => ({
      iou_15m: ratio(level.near.hits, level.near.union),
      iou_32m: ratio(level.all.hits, level.all.union),
      ...(level.reliability.count.some((n) => n > 0) && {
        head_iou: ratio(level.head.hits, level.head.union),
        head_calibration_error: calibrationError(level.reliability),
      }),
    })),
  };
}

/** Counts of one frame. `answers`: what the network said per level, for the figures of its heads. */
export function tallyFrame(frame: OctreeFrame, truth: TruthVoxels, answers: readonly LevelAnswer[] = []): FrameTally {
  const { size, origin, voxelSizeM } = frame.grid;
  const { seen, occupied: gt, judged, free } = truth;
  const { state, pOccupied } = rasterOf(frame);
  const near = newTally();
  const ranges = Array.from({ length: Math.ceil(size[2] / RANGE_VOXELS) }, newTally);
  const rangeOf = (voxel: number) => ranges[Math.floor((voxel % size[2]) / RANGE_VOXELS)]!;
  let inView = 0;
  for (let i = 0; i < state.length; i += 1) {
    if (seen[i] === 0) continue;
    inView += 1;
    const p = judged[i] === 0 ? Number.NaN : pOccupied[i]!;
    countInto(rangeOf(i), gt[i]!, state[i]!, judged[i]!, free[i]!, p);
    if (origin[2] + (i % size[2]) + 0.5 < NEAR_VOXELS) countInto(near, gt[i]!, state[i]!, judged[i]!, free[i]!, p);
  }
  const predicted = listOf(state, OCCUPIED, judged);
  const real = listOf(gt, 1, judged);
  addDistances((i) => rangeOf(i).toTruth, predicted, real, size, voxelSizeM);
  addDistances((i) => rangeOf(i).toPredicted, real, predicted, size, voxelSizeM);
  const levels = Array.from({ length: frame.grid.levels }, (_, level) =>
    tallyLevel(frame, level, truth, state, answers[level]),
  );
  return { near, ranges, levels, leaves: { inView, evaluated: (answers.at(-1)?.index.length ?? 0) / 3 } };
}

/**
 * Leaf grid of the frame, index (x * sizeY + y) * sizeZ + z; pOccupied NaN where the frame lists nothing. Where cells
 * overlap the stronger state holds.
 */
export function rasterOf(frame: OctreeFrame): { readonly state: Uint8Array; readonly pOccupied: Float32Array } {
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

/** gt, judged, free: 0 or 1; p: NaN where it does not count. */
function countInto(tally: Tally, gt: number, state: number, judged: number, free: number, p: number): void {
  const occupied = state === OCCUPIED ? 1 : 0;
  const calledFree = state === FREE ? 1 : 0;
  tally.truth += gt;
  tally.predicted += occupied;
  tally.hits += gt & occupied;
  tally.truthJudged += gt & judged;
  tally.predictedJudged += occupied & judged;
  tally.hitsJudged += gt & occupied & judged;
  tally.free += free;
  tally.freeCalledFree += calledFree & free;
  tally.freeCalledOccupied += occupied & free;
  tally.truthCalledFree += gt & calledFree;
  if (!Number.isNaN(p)) see(tally.reliability, p, gt === 1);
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

/** What a cell of a level holds. */
const TRUE = 1;
const PREDICTED = 2;
const TRUE_NEAR = 4;
const PREDICTED_NEAR = 8;
const JUDGED = 16;

function tallyLevel(
  frame: OctreeFrame,
  level: number,
  { occupied: gt, judged }: TruthVoxels,
  state: Uint8Array,
  answer: LevelAnswer | undefined,
): LevelTally {
  const { levels, size, origin } = frame.grid;
  const shift = levels - 1 - level;
  const [sizeY, sizeZ] = [size[1] >> shift, size[2] >> shift];
  const cells = new Uint8Array((size[0] >> shift) * sizeY * sizeZ);
  for (let i = 0; i < state.length; i += 1) {
    if (judged[i] === 0) continue;
    const z = i % size[2];
    let bits = (gt[i] === 1 ? TRUE : 0) | (state[i] === OCCUPIED ? PREDICTED : 0);
    if (origin[2] + z + 0.5 < NEAR_VOXELS) bits |= bits << 2;
    const y = Math.floor(i / size[2]) % size[1];
    const x = Math.floor(i / (size[1] * size[2]));
    cells[((x >> shift) * sizeY + (y >> shift)) * sizeZ + (z >> shift)]! |= bits | JUDGED;
  }
  const tally = newLevelTally();
  for (let i = 0; i < cells.length; i += 1) {
    const bits = cells[i]!;
    if ((bits & (TRUE | PREDICTED)) !== 0) tally.all.union += 1;
    if ((bits & TRUE) !== 0 && (bits & PREDICTED) !== 0) tally.all.hits += 1;
    if ((bits & (TRUE_NEAR | PREDICTED_NEAR)) !== 0) tally.near.union += 1;
    if ((bits & TRUE_NEAR) !== 0 && (bits & PREDICTED_NEAR) !== 0) tally.near.hits += 1;
    if (answer !== undefined && (bits & TRUE) !== 0) tally.head.union += 1;
  }
  if (answer === undefined) return tally;
  const { index, p } = answer;
  for (let i = 0; i < index.length; i += 3) {
    const bits = cells[(index[i]! * sizeY + index[i + 1]!) * sizeZ + index[i + 2]!]!;
    if ((bits & JUDGED) === 0) continue;
    const isTrue = (bits & TRUE) !== 0;
    see(tally.reliability, p[i + 2]!, isTrue);
    if (!(p[i + 2]! > 0.5)) continue;
    if (isTrue) tally.head.hits += 1;
    else tally.head.union += 1;
  }
  return tally;
}
