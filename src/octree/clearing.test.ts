import fc from "fast-check";
import { expect, it } from "vitest";
import { addCell, randomFrame, randomOf } from "../../test/octree/frames.ts";
import { clearingRay } from "../../test/reference/clearing-walk.ts";
import type { StereoCalibration } from "../core/calibration.ts";
import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid } from "../core/occupancy.ts";
import { clearingPointsInto } from "./clearing.ts";
import { cutOffBy, makeClearingRays } from "./clearing-rays.ts";
import { frameOccupiedInto, hasBit, leafNumber, makeLeafBits, rasterInto } from "./per-frame.ts";
import { makePointList } from "./points.ts";

const grid: OctreeGrid = { voxelSizeM: 0.5, origin: [-8, -8, 0], size: [16, 16, 16], levels: 2 };
const calibration: StereoCalibration = {
  width: 101,
  height: 51,
  fx: 100,
  fy: 100,
  cx: 50,
  cy: 25,
  baselineM: 0.1,
  doffsPx: 0,
};

/** State by leaf. */
function statesOf(frame: OctreeFrame): number[] {
  const bits = makeLeafBits(frame.grid);
  rasterInto(bits, frame);
  return Array.from({ length: 4096 }, (_, leaf) =>
    hasBit(bits.occupied, leaf) ? OCCUPIED : hasBit(bits.free, leaf) ? FREE : 0,
  );
}

/** Every leaf's state by a rule over its indices. */
function frameBy(rule: (x: number, y: number, z: number) => number): OctreeFrame {
  const frame = makeOctreeFrame(grid, 4096);
  for (let z = 0; z < 16; z += 1) {
    for (let y = 0; y < 16; y += 1) for (let x = 0; x < 16; x += 1) addCell(frame, 1, x, y, z, rule(x, y, z), 0.5);
  }
  return frame;
}

function pointsOf(frame: OctreeFrame, options = {}) {
  const out = makePointList(1);
  clearingPointsInto(out, frame, makeClearingRays(grid, calibration, { maxRays: 1, ...options }));
  return Array.from({ length: out.count }, (_, i) => [...out.xyz.subarray(i * 3, i * 3 + 3), out.value[i]!]);
}

it("ends before the first obstacle, before the first unknown cell, at the grid's end or at maximum range", () => {
  const [wall] = pointsOf(frameBy((_x, _y, z) => (z < 10 ? FREE : z === 10 ? OCCUPIED : 0)));
  expect(wall![2]).toBeGreaterThan(4.9);
  expect(wall![2]).toBeLessThan(5);
  expect(wall![3]).toBe(1);
  const [shadow] = pointsOf(frameBy((_x, _y, z) => (z < 10 ? FREE : 0)));
  expect(shadow![2]).toBeCloseTo(4.975, 3);
  expect(shadow![3]).toBe(0);
  const [open] = pointsOf(frameBy(() => FREE));
  expect(open![2]).toBeCloseTo(7.975, 3);
  const [near] = pointsOf(
    frameBy(() => FREE),
    { maxRangeM: 3 },
  );
  expect(near![2]).toBeCloseTo(2.975, 3);
});

it("bridges what stereo cannot see at the start, and no more", () => {
  const blind = (cells: number) => frameBy((_x, _y, z) => (z < cells ? 0 : z < 10 ? FREE : OCCUPIED));
  expect(pointsOf(blind(3), { blindM: 2 })).toHaveLength(1);
  expect(pointsOf(blind(5), { blindM: 2 })).toHaveLength(0);
  expect(pointsOf(frameBy((_x, _y, z) => (z === 2 ? OCCUPIED : z < 2 ? 0 : FREE)))).toHaveLength(0);
});

it("bridges what reaches out of the image, however far, and nothing unknown that could have been seen whole", () => {
  // Half a metre about the axis is 51 px high at 1 m; the narrow camera sees a leaf whole from 5 m on.
  const narrow = { ...calibration, height: 21, cy: 10 };
  const pointsBy = (rule: (z: number) => number) => {
    const out = makePointList(1);
    const rays = makeClearingRays(grid, narrow, { maxRays: 1, blindM: 1 });
    clearingPointsInto(
      out,
      frameBy((_x, _y, z) => rule(z)),
      rays,
    );
    return out.count;
  };
  expect(pointsBy((z) => (z < 10 ? 0 : FREE))).toBeGreaterThan(0);
  expect(pointsBy((z) => (z < 11 ? 0 : FREE))).toBe(0);
  expect(pointsBy((z) => (z < 10 ? (z === 7 ? OCCUPIED : 0) : FREE))).toBe(0);
});

it("gives no point where nothing is free", () => {
  expect(
    pointsOf(
      frameBy(() => 0),
      { maxRays: 32 },
    ),
  ).toEqual([]);
});

it("sends one ray through the middle of each bin of the image", () => {
  const points = pointsOf(
    frameBy(() => FREE),
    { maxRays: 3 },
  );
  const slopes = points.map(([x, y, z]) => [x! / z!, y! / z!]);
  expect(slopes[0]![0]).toBeCloseTo((101 / 4 - 0.5 - 50) / 100, 5);
  expect(slopes[1]![0]).toBeCloseTo((303 / 4 - 0.5 - 50) / 100, 5);
  expect(slopes[0]![1]).toBeCloseTo(0, 5);
});

it("puts the rays half a leaf apart where the grid ends, or where they do, and no more of them than allowed", () => {
  for (const [options, endM] of [
    [{}, 8],
    [{ maxRangeM: 4 }, 4],
  ] as const) {
    const { columns, rows } = makeClearingRays(grid, calibration, options);
    const apart = [
      (endM * calibration.width) / calibration.fx / columns,
      (endM * calibration.height) / calibration.fy / rows,
    ];
    for (const spacingM of apart) {
      expect(spacingM).toBeGreaterThan(0.25 * 0.85);
      expect(spacingM).toBeLessThanOrEqual(0.25);
    }
  }
  const { columns, rows } = makeClearingRays(grid, calibration, { maxRays: 200 });
  expect(columns * rows).toBeLessThanOrEqual(200);
  expect(columns / rows).toBeCloseTo(101 / 51, 0);
});

it("ends every ray where the reference ends it", () => {
  const grids: OctreeGrid[] = [grid, { ...grid, origin: [-12, -9, 3] }, { ...grid, origin: [2, -8, 0] }];
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...grids), fc.constantFrom(3, 100), (seed, of, maxRangeM) => {
      const frame = randomFrame(randomOf(seed), of);
      const options = { maxRays: 300, blindM: 1, maxRangeM };
      const rays = makeClearingRays(of, calibration, options);
      const out = makePointList(1);
      clearingPointsInto(out, frame, rays);
      const dense = statesOf(frame);
      const cutOff = cutOffBy(of, calibration);
      const wanted: number[][] = [];
      for (let ray = 0; ray < rays.directions.length; ray += 3) {
        const d = Array.from(rays.directions.subarray(ray, ray + 3));
        const end = clearingRay(of, dense, (leaf) => cutOff[leaf] === 1, d, rays.options);
        if (end === undefined) continue;
        const rangeM = Math.max(end.lengthM - 0.05 * of.voxelSizeM, end.lengthM * 0.9);
        wanted.push([...d.map((v) => v * rangeM), end.hit ? 1 : 0]);
      }
      expect(out.count).toBe(wanted.length);
      for (const [i, [x, y, z, hit]] of wanted.entries()) {
        expect(out.xyz[i * 3]).toBeCloseTo(x!, 4);
        expect(out.xyz[i * 3 + 1]).toBeCloseTo(y!, 4);
        expect(out.xyz[i * 3 + 2]).toBeCloseTo(z!, 4);
        expect(out.value[i]).toBe(hit);
      }
    }),
    { numRuns: 60 },
  );
});

it("only ever crosses free space after its blind start, and ends inside it", () => {
  const random = fc.integer();
  fc.assert(
    fc.property(random, (seed) => {
      const frame = randomFrame(randomOf(seed), grid);
      const dense = statesOf(frame);
      const cutOff = cutOffBy(grid, calibration);
      for (const [x, y, z] of pointsOf(frame, { maxRays: 512, blindM: 1 })) {
        const length = Math.hypot(x!, y!, z!);
        let sawFree = true;
        for (let t = length; t > 1.5; t -= 0.07) {
          const cell = [x!, y!, z!].map((v, a) => Math.floor((v * t) / length / 0.5) - grid.origin[a]!);
          const leaf = leafNumber(grid, cell[0]!, cell[1]!, cell[2]!);
          const state = dense[leaf]!;
          sawFree = sawFree && state === FREE;
          // Towards the camera: free, then at most what reaches out of the image.
          expect(sawFree || (state === 0 && cutOff[leaf] === 1)).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
});

it("refuses a frame of another grid", () => {
  const rays = makeClearingRays(grid, calibration);
  const other = makeOctreeFrame({ ...grid, voxelSizeM: 0.1 }, 1);
  expect(() => clearingPointsInto(makePointList(), other, rays)).toThrow(
    expect.objectContaining({ code: "MODEL_MISMATCH" }),
  );
});

it("frameOccupiedInto lists occupied cells with centre and probability, growing its list", () => {
  const frame = makeOctreeFrame(grid, 3);
  addCell(frame, 1, 8, 8, 6, OCCUPIED, 0.75);
  addCell(frame, 1, 9, 8, 6, FREE, 0.1);
  addCell(frame, 0, 0, 0, 1, OCCUPIED, 0.5);
  const out = makePointList(1);
  frameOccupiedInto(out, frame);
  expect(out.count).toBe(2);
  expect(Array.from(out.xyz.subarray(0, 6))).toEqual([0.25, 0.25, 3.25, -3.5, -3.5, 1.5]);
  expect(Array.from(out.value.subarray(0, 2))).toEqual([0.75, 0.5]);
});

it("rasterInto gives every leaf the state of its cell, of edges shorter and longer than a word", () => {
  const wide: OctreeGrid = { voxelSizeM: 0.5, origin: [0, 0, 0], size: [64, 64, 64], levels: 7 };
  for (const level of [0, 1, 2, 4, 6]) {
    const frame = makeOctreeFrame(wide, 2);
    const last = 2 ** level - 1;
    addCell(frame, level, last, 0, last, FREE, 0.1);
    const bits = makeLeafBits(wide);
    rasterInto(bits, frame);
    const edge = 64 >> level;
    for (let leaf = 0; leaf < 64 ** 3; leaf += 1) {
      const [z, x, y] = [leaf & 63, (leaf >> 6) & 63, leaf >> 12];
      if (hasBit(bits.free, leaf) !== (x >= 64 - edge && y < edge && z >= 64 - edge))
        throw new Error(`${level}: ${x} ${y} ${z}`);
    }
    expect(bits.occupied.every((word) => word === 0)).toBe(true);
  }
});
