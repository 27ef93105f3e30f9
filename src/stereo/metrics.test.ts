import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StereoCalibration } from "../core/calibration.ts";
import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import { pointsFromDepth } from "./ground-truth.ts";
import { scoreFrame, scoreOf, tallyFrame } from "./metrics.ts";
import { addDistances, chamferOf, squaredDistances } from "./metrics-chamfer.ts";
import { added, scoreOfTally } from "./metrics-tally.ts";
import { labelledVoxels, truthVoxels } from "./metrics-truth.ts";

// The shared judge is compared in test/infer/judge.test.ts; here are scenes whose answer is known.
const grid: OctreeGrid = { voxelSizeM: 0.5, origin: [-32, -12, 0], size: [64, 16, 64], levels: 4 };
const calibration: StereoCalibration = {
  width: 200,
  height: 100,
  fx: 200,
  fy: 200,
  cx: 100,
  cy: 50,
  baselineM: 0.5,
  doffsPx: 0,
};
/** A wall that fills the image, 10.25 m ahead: layer 20 of the grid. */
const wall = { width: 200, height: 100, data: new Float32Array(200 * 100).fill(10.25) };
const wallLayer = 20;

/** Leaves of the given state by z layer: free before the wall, occupied on it, unknown behind. */
function wallFrame(occupiedLayer: number, pOccupied = 1): OctreeFrame {
  const frame = makeOctreeFrame(grid, 64 * 16 * 64);
  for (let x = 0; x < 64; x += 1) {
    for (let y = 0; y < 16; y += 1) {
      for (let z = 0; z < 64; z += 1) {
        const i = frame.count++;
        const state = z < occupiedLayer ? FREE : z === occupiedLayer ? OCCUPIED : UNKNOWN;
        frame.level[i] = 3;
        frame.x[i] = x;
        frame.y[i] = y;
        frame.z[i] = z;
        frame.state[i] = state;
        frame.pOccupied[i] = state === OCCUPIED ? pOccupied : 0;
      }
    }
  }
  return frame;
}

describe("scoreFrame", () => {
  it("gives a perfect frame a perfect score", () => {
    const score = scoreFrame(wallFrame(wallLayer), pointsFromDepth(wall, calibration), calibration);
    expect(score.gt_occupied).toBeGreaterThan(100);
    expect(score).toMatchObject({
      iou_15m: 1,
      iou_32m: 1,
      iou_all_32m: 1,
      iou_ray_15m: 1,
      iou_ray_32m: 1,
      precision: 1,
      recall: 1,
      missed: 0,
      free_violation: 0,
      free_recall: 1,
      chamfer_m: 0,
      chamfer_paper_m2: 0,
      calibration_error: 0,
      levels: Array(4).fill({ iou_15m: 1, iou_32m: 1 }),
    });
  });

  it("measures a wall that is one voxel too near as half a metre off", () => {
    const score = scoreFrame(wallFrame(wallLayer - 1), pointsFromDepth(wall, calibration), calibration);
    expect(score.iou_32m).toBe(0);
    expect(score.recall).toBe(0);
    expect(score.chamfer_m).toBeGreaterThanOrEqual(0.5);
    expect(score.chamfer_m).toBeLessThan(0.52);
    // 20 and 19 share the cell of 1 m only where it starts at an even layer: 18-19 and 20-21 do not, 16-23 do.
    expect(score.levels.map(({ iou_32m }) => iou_32m > 0)).toEqual([true, false, false, false]);
    // What was the wall lies behind the predicted one and is called unknown: not missed.
    expect(score.missed).toBe(0);
  });

  it("counts a wall that is called free as missed, and one in the way of a ray as a violation", () => {
    const far = scoreFrame(wallFrame(wallLayer + 8), pointsFromDepth(wall, calibration), calibration);
    expect(far.missed).toBe(1);
    expect(far.free_violation).toBe(0);
    const near = scoreFrame(wallFrame(wallLayer - 8), pointsFromDepth(wall, calibration), calibration);
    expect(near.free_violation).toBeGreaterThan(0);
    expect(near.free_recall).toBeLessThan(1);
    expect(near.iou_ray_32m).toBe(0);
  });

  it("measures how far probabilities are off", () => {
    const score = scoreFrame(wallFrame(wallLayer, 0.75), pointsFromDepth(wall, calibration), calibration);
    const sure = scoreFrame(wallFrame(wallLayer, 1), pointsFromDepth(wall, calibration), calibration);
    const judgedWall = score.gt_occupied;
    expect(sure.calibration_error).toBe(0);
    // 0.25 for the wall's voxels, 0 for the rest: between the extremes, and in proportion to the surplus.
    expect(score.calibration_error).toBeGreaterThan(0);
    expect(judgedWall).toBe(sure.gt_occupied);
    const half = scoreFrame(wallFrame(wallLayer, 0.5), pointsFromDepth(wall, calibration), calibration);
    expect(half.calibration_error / score.calibration_error).toBeCloseTo(2, 6);
  });

  it("takes a depth map of lower resolution with its own calibration", () => {
    const quarter = { width: 50, height: 25, data: new Float32Array(50 * 25).fill(10.25) };
    const scaled = { ...calibration, width: 50, height: 25, fx: 50, fy: 50, cx: 24.625, cy: 12.125 };
    const score = scoreFrame(wallFrame(wallLayer), pointsFromDepth(quarter, scaled), scaled);
    expect(score).toMatchObject({ iou_32m: 1, missed: 0, free_violation: 0 });
  });

  it("survives a scene without truth and a frame without cells", () => {
    const none = new Float64Array(0);
    const score = scoreFrame(makeOctreeFrame(grid, 0), none, calibration);
    expect(score).toMatchObject({ gt_occupied: 0, pred_occupied: 0, iou_32m: 0, missed: 0, calibration_error: 0 });
    expect(score.chamfer_m).toBeUndefined();
    const { levels, ...ratios } = score;
    expect([ratios, ...levels].flatMap(Object.values).every(Number.isFinite)).toBe(true);
  });

  it("counts coarse cells for every leaf they cover", () => {
    const frame = makeOctreeFrame(grid, 8 * 2 * 8);
    for (let i = 0; i < 128; i += 1) {
      frame.x[i] = i % 8;
      frame.y[i] = (i >> 3) % 2;
      frame.z[i] = i >> 4;
      frame.state[i] = FREE;
    }
    frame.count = 128;
    const score = scoreFrame(frame, pointsFromDepth(wall, calibration), calibration);
    expect(score).toMatchObject({ missed: 1, free_recall: 1, pred_occupied: 0 });
  });
});

describe("tallies", () => {
  const truth = truthVoxels(grid, pointsFromDepth(wall, calibration), calibration);
  const [right, wrong] = [wallLayer, wallLayer - 1].map((layer) => tallyFrame(wallFrame(layer), truth));

  it("of several frames are summed: voxels count alike, not frames", () => {
    const both = scoreOf(added(right!, wrong!));
    const [one, two] = [scoreOf(right!), scoreOf(wrong!)];
    expect(both.gt_occupied).toBe(one.gt_occupied + two.gt_occupied);
    expect(both.recall).toBeCloseTo(0.5, 12);
    const judged = one.pred_judged + two.pred_judged;
    expect(both.precision).toBeCloseTo(one.pred_judged / judged, 12);
    expect(both.levels[3]!.iou_32m).toBeCloseTo(
      one.pred_judged / (one.gt_occupied + two.gt_occupied + two.pred_judged),
      12,
    );
  });

  it("of the ranges hold what lies there: the wall in the second quarter", () => {
    expect(right!.ranges.map(({ truth }) => truth > 0)).toEqual([false, true, false, false]);
    expect(right!.ranges.map((range) => range.toTruth.count > 0)).toEqual([false, true, false, false]);
    expect(scoreOfTally(right!.ranges[1]!).iou).toBe(1);
  });

  it("of a level's head count cells that it was not asked about as not occupied", () => {
    // Two leaves of the wall in the middle of the view, one said with 0.95, one with 0.2; a third voxel wrongly with 0.6.
    const index = Int32Array.of(32, 12, 20, 31, 12, 20, 32, 12, 10);
    const p = Float32Array.of(0, 0, 0.95, 0, 0, 0.2, 0, 0, 0.6);
    const empty = { index: new Int32Array(0), p: new Float32Array(0) };
    const tally = tallyFrame(wallFrame(wallLayer), truth, [empty, empty, empty, { index, p }]);
    const head = tally.levels[3]!;
    expect(head.head).toEqual({ hits: 1, union: scoreOf(right!).gt_occupied + 1 });
    expect(head.reliability.count.map((n, bin) => [bin, n]).filter(([, n]) => n! > 0)).toEqual([
      [2, 1],
      [6, 1],
      [9, 1],
    ]);
    expect(head.reliability.occupied[9]).toBe(1);
    expect(tally.leaves.evaluated).toBe(3);
  });
});

describe("dense labels", () => {
  it("judge every voxel in view, and tell free from unknown", () => {
    const labels = new Uint8Array(64 * 16 * 64).fill(3);
    const at = (z: number) => (32 * 16 + 12) * 64 + z;
    labels.set([1, 2, 0, 0], at(19));
    const score = (layer: number) => scoreOf(tallyFrame(wallFrame(layer), labelledVoxels(labels)));
    expect(score(20)).toMatchObject({
      gt_occupied: 1,
      pred_occupied: 1,
      iou_32m: 1,
      iou_ray_32m: 1,
      missed: 0,
      free_recall: 1,
    });
    // Occupied where the truth is unknown: wrong to iou, not refuted by a ray; and what is occupied was called free.
    expect(score(21)).toMatchObject({ iou_32m: 0, iou_ray_32m: 0, missed: 1, free_violation: 0, pred_judged: 1 });
    expect(score(19)).toMatchObject({ free_violation: 1, missed: 0, precision: 0 });
  });
});

describe("chamfer", () => {
  const size = [9, 5, 7] as const;
  const voxels = fc.uniqueArray(fc.nat(9 * 5 * 7 - 1), { minLength: 1, maxLength: 40 });

  it("finds the nearest of a set as trying all of them does", () => {
    fc.assert(
      fc.property(voxels, (set) => {
        const squares = squaredDistances(Int32Array.from(set), size);
        for (let i = 0; i < squares.length; i += 1) {
          expect(squares[i]).toBe(Math.min(...set.map((j) => squareBetween(i, j))));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is symmetric, and grows with the voxel", () => {
    fc.assert(
      fc.property(voxels, voxels, (a, b) => {
        const there = chamfer(Int32Array.from(a), Int32Array.from(b), 1);
        const back = chamfer(Int32Array.from(b), Int32Array.from(a), 2);
        expect(back.chamfer_m).toBeCloseTo(there.chamfer_m! * 2, 9);
        expect(back.chamfer_paper_m2).toBeCloseTo(there.chamfer_paper_m2! * 4, 9);
      }),
    );
  });

  function chamfer(a: Int32Array, b: Int32Array, voxelSizeM: number) {
    const [there, back] = [a, b].map((from) => {
      const distances = { count: 0, sumM: 0, squaresM2: 0 };
      addDistances(() => distances, from, from === a ? b : a, size, voxelSizeM);
      return distances;
    });
    return chamferOf(there!, back!);
  }

  function squareBetween(i: number, j: number): number {
    const at = (n: number) => [Math.floor(n / 35), Math.floor(n / 7) % 5, n % 7] as const;
    const [a, b] = [at(i), at(j)];
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  }
});
