import type { StereoCalibration } from "../core/calibration.ts";

/** Surface points: xyz[3 i..], metres, left optical frame. */
export type Points = Float64Array;

/** A map of one value a pixel of the left view, row-major. */
export interface PixelMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** What lies nearer than this is a blemish of the ground truth, not a surface. */
const NEAREST_M = 0.2;

/**
 * Points of a disparity map in pixels; NaN and values <= 0 are unknown. `biasPx` is added to every value (a known fault
 * of the truth). Depth is worked out in single precision, the precision of the maps, so that voxel indices agree with
 * NumPy's to the last bit.
 */
export function pointsFromDisparity(disparity: PixelMap, calibration: StereoCalibration, biasPx = 0): Points {
  const { fx, baselineM } = calibration;
  const scale = Math.fround(fx * baselineM);
  const bias = Math.fround(biasPx);
  const doffs = Math.fround(calibration.doffsPx);
  return pointsOf(disparity, calibration, (value) => {
    const d = Math.fround(value + bias);
    return d > 0 && d < Number.POSITIVE_INFINITY ? Math.fround(scale / Math.fround(d + doffs)) : 0;
  });
}

/**
 * Points of a depth map (metres along z; NaN, infinity and values <= 0 are unknown). The calibration must be that of the
 * map's own resolution.
 */
export function pointsFromDepth(depth: PixelMap, calibration: StereoCalibration): Points {
  return pointsOf(depth, calibration, (value) => (value < Number.POSITIVE_INFINITY ? value : 0));
}

/** Share of the step between two pixels' inverse depths by which the steps before and after may differ on one plane. */
const PLANE_TOLERANCE = 0.1;

/**
 * Points of a depth map as `pointsFromDepth`, and between neighbouring pixels of one plane more points, at most
 * `spacingM` apart. Where a ray grazes the ground, neighbours lie metres apart, and voxels between them would count as
 * empty. On a plane inverse depth is linear in the pixel, so four in a row tell a plane from an edge.
 */
export function surfacePointsFromDepth(depth: PixelMap, calibration: StereoCalibration, spacingM: number): Points {
  const { width, height, data } = depth;
  const { fx, fy, cx, cy } = calibration;
  const between: number[] = [];
  const inverse = (i: number) => 1 / data[i]!;
  for (const [du, dv] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const step = dv * width + du;
    for (let v = dv; v < height - 2 * dv; v += 1) {
      for (let u = du; u < width - 2 * du; u += 1) {
        const i = v * width + u;
        const [w0, w1] = [inverse(i), inverse(i + step)];
        const [z0, z1] = [1 / w0, 1 / w1];
        const lengthM = Math.hypot(
          z1 - z0,
          ((u + du - cx) * z1 - (u - cx) * z0) / fx,
          ((v + dv - cy) * z1 - (v - cy) * z0) / fy,
        );
        if (!(lengthM > spacingM) || !Number.isFinite(lengthM)) continue;
        const slope = w1 - w0;
        const bend = Math.max(Math.abs(w0 - inverse(i - step) - slope), Math.abs(inverse(i + 2 * step) - w1 - slope));
        if (!(bend <= PLANE_TOLERANCE * Math.abs(slope))) continue;
        const count = Math.ceil(lengthM / spacingM);
        for (let k = 1; k < count; k += 1) {
          // Along the straight line in space, not in the image.
          const [x0, x1] = [((u - cx) * z0) / fx, ((u + du - cx) * z1) / fx];
          const [y0, y1] = [((v - cy) * z0) / fy, ((v + dv - cy) * z1) / fy];
          const share = k / count;
          between.push(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, z0 + (z1 - z0) * share);
        }
      }
    }
  }
  const points = pointsFromDepth(depth, calibration);
  const out = new Float64Array(points.length + between.length);
  out.set(points);
  out.set(between, points.length);
  return out;
}

/** The points beyond the nearest 0.2 m. */
export function withoutNearest(xyz: Points): Points {
  const kept = new Float64Array(xyz.length);
  let n = 0;
  for (let i = 0; i < xyz.length; i += 3) {
    if (!(xyz[i + 2]! > NEAREST_M)) continue;
    kept[n] = xyz[i]!;
    kept[n + 1] = xyz[i + 1]!;
    kept[n + 2] = xyz[i + 2]!;
    n += 3;
  }
  return kept.subarray(0, n);
}

/** Median distance along z, metres; NaN without points. */
export function medianDepthM(xyz: Points): number {
  const depths = new Float64Array(xyz.length / 3);
  for (let i = 0; i < depths.length; i += 1) depths[i] = xyz[i * 3 + 2]!;
  depths.sort();
  return depths[depths.length >> 1] ?? Number.NaN;
}

function pointsOf(map: PixelMap, calibration: StereoCalibration, depthOf: (value: number) => number): Points {
  const { width, height, data } = map;
  const { fx, fy, cx, cy } = calibration;
  const xyz = new Float64Array(width * height * 3);
  let n = 0;
  for (let v = 0; v < height; v += 1) {
    for (let u = 0; u < width; u += 1) {
      const z = depthOf(data[v * width + u]!);
      if (!(z > NEAREST_M)) continue;
      xyz[n] = ((u - cx) * z) / fx;
      xyz[n + 1] = ((v - cy) * z) / fy;
      xyz[n + 2] = z;
      n += 3;
    }
  }
  return xyz.subarray(0, n);
}
