import type { CameraInfo } from "../../src/core/calibration.ts";

/** A CameraInfo of a rectified 64x48 camera, f = 50 px; the right eye of a pair has `baselineM`. */
export function makeInfo(overrides: Partial<CameraInfo> = {}, baselineM = 0): CameraInfo {
  return {
    stampNs: 0n,
    frameId: "cam_optical",
    width: 64,
    height: 48,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [50, 0, 31.5, 0, 50, 23.5, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [50, 0, 31.5, -50 * baselineM, 0, 50, 23.5, 0, 0, 0, 1, 0],
    binningX: 0,
    binningY: 0,
    roi: { xOffset: 0, yOffset: 0, width: 0, height: 0 },
    ...overrides,
  };
}

/** The matrix as numbers in P's order, with other values at some indices. */
export function changed(numbers: ArrayLike<number>, at: Readonly<Record<number, number>>): number[] {
  return Array.from(numbers, (number, i) => at[i] ?? number);
}
