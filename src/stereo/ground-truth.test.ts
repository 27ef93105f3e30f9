import { describe, expect, it } from "vitest";
import type { StereoCalibration } from "../core/calibration.ts";
import {
  medianDepthM,
  pointsFromDepth,
  pointsFromDisparity,
  surfacePointsFromDepth,
  withoutNearest,
} from "./ground-truth.ts";

const calibration: StereoCalibration = {
  width: 3,
  height: 2,
  fx: 100,
  fy: 50,
  cx: 1,
  cy: 0.5,
  baselineM: 0.5,
  doffsPx: 5,
};

describe("pointsFromDisparity", () => {
  it("projects known pixels, disparity counted from infinity by doffs, and leaves out unknown ones", () => {
    const data = Float32Array.of(5, Number.NaN, 0, -1, 20, Number.POSITIVE_INFINITY);
    const points = pointsFromDisparity({ width: 3, height: 2, data }, calibration);
    // 100 * 0.5 / (5 + 5) = 5 m; 100 * 0.5 / (20 + 5) = 2 m
    expect([...points]).toEqual([(-1 * 5) / 100, (-0.5 * 5) / 50, 5, 0, (0.5 * 2) / 50, 2]);
  });

  it("adds the bias before it looks whether a value is known", () => {
    const data = Float32Array.of(-4, 4);
    const points = pointsFromDisparity({ width: 2, height: 1, data }, { ...calibration, doffsPx: 0 }, 6);
    expect([points[2], points[5]]).toEqual([25, 5]);
  });

  it("drops what would lie in the lens", () => {
    expect(pointsFromDisparity({ width: 1, height: 1, data: Float32Array.of(1000) }, calibration)).toHaveLength(0);
  });
});

describe("pointsFromDepth", () => {
  it("takes metres along z; NaN, infinity, 0 and less are unknown", () => {
    const data = Float32Array.of(Number.NaN, 0, -3, Number.POSITIVE_INFINITY, 4, 0.1);
    expect([...pointsFromDepth({ width: 3, height: 2, data }, calibration)]).toEqual([0, (0.5 * 4) / 50, 4]);
  });
});

it("withoutNearest and medianDepthM", () => {
  const points = Float64Array.of(0, 0, 0.1, 1, 2, 3, 0, 0, 5, 0, 0, 9);
  expect([...withoutNearest(points)]).toEqual([1, 2, 3, 0, 0, 5, 0, 0, 9]);
  expect(medianDepthM(withoutNearest(points))).toBe(5);
  expect(medianDepthM(new Float64Array(0))).toBeNaN();
});

describe("surfacePointsFromDepth", () => {
  // Ground 1.2 m below a camera: row v sees it at z = fy * 1.2 / (v - cy). A wall at 5 m stands in the left columns.
  const ground: StereoCalibration = { ...calibration, width: 8, height: 60, fx: 100, fy: 100, cx: 4, cy: 0.5 };
  const data = new Float32Array(8 * 60).fill(Number.NaN);
  for (let v = 4; v < 60; v += 1) {
    for (let u = 0; u < 8; u += 1) data[v * 8 + u] = u < 3 && v < 24 ? 5 : 120 / (v - 0.5);
  }
  const depth = { width: 8, height: 60, data };

  it("fills the ground between grazing rays, on the ground, and not the air between wall and ground", () => {
    const sparse = pointsFromDepth(depth, ground);
    const points = surfacePointsFromDepth(depth, ground, 0.25);
    expect(points.length).toBeGreaterThan(sparse.length * 1.5);
    for (let i = sparse.length; i < points.length; i += 3) expect(points[i + 1]).toBeCloseTo(1.2, 5);
    // Rows 5 to 7 see the ground at 26.7, 21.8 and 18.5 m: no gap wider than the spacing is left between.
    const far = [...points.keys()].filter(
      (i) => i % 3 === 2 && points[i]! > 18 && points[i]! < 26.7 && Math.abs(points[i - 2]!) < 0.01,
    );
    const depths = far.map((i) => points[i]!).sort((a, b) => a - b);
    for (let i = 1; i < depths.length; i += 1) expect(depths[i]! - depths[i - 1]!).toBeLessThan(0.2501);
  });
});
