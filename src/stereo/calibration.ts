import type { CameraInfo, StereoCalibration } from "../core/calibration.ts";
import type { Rejection, Side } from "../core/ports.ts";
import { imageWindow } from "./calibration-window.ts";

export type CalibrationResult =
  | { readonly kind: "ok"; readonly calibration: StereoCalibration }
  | { readonly kind: "rejected"; readonly reason: Rejection };

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Rows that disagree by more than this spoil the matching. */
const rowTolerancePx = 0.5;
const focalTolerance = 1e-3;
const smallestBaselineM = 1e-5;
const mend = "Calibrate the pair (camera_calibration with --stereo) and publish its result.";

/**
 * What holds for a rectified pair of images, from the P of both eyes (REP-104: right P[3] = -fx * baseline), with
 * binning and region of interest taken off: pixels of the image as it is. `sizes`: the images' own, checked if given.
 */
export function stereoCalibration(
  left: CameraInfo,
  right: CameraInfo,
  sizes?: Readonly<Record<Side, Size>>,
): CalibrationResult {
  const problem =
    eyeProblem("left", left, sizes?.left) ?? eyeProblem("right", right, sizes?.right) ?? pairProblem(left, right);
  if (problem !== undefined) return { kind: "rejected", reason: { code: "CALIBRATION_INVALID", message: problem } };
  const l = projection(left);
  const r = projection(right);
  const { width, height } = imageWindow(left);
  const baselineM = baseline(left, right);
  return {
    kind: "ok",
    calibration: { width, height, fx: l.fx, fy: l.fy, cx: l.cx, cy: l.cy, baselineM, doffsPx: r.cx - l.cx },
  };
}

/** What to say where eyes have sent no CameraInfo. */
export function missingCalibration(sides: readonly Side[]): Rejection {
  return {
    code: "CALIBRATION_MISSING",
    message: `There is no CameraInfo of the ${sides.join(" and the ")} eye; wanted one of each eye, for without it pixels are no metres. Record or publish both camera_info topics, or name them.`,
  };
}

/**
 * Whether the CameraInfo says that its image needs no rectification: no distortion, no rotation. A guess: image_pipeline
 * sends the raw camera's D and R along with rectified images, so the topic's name goes first.
 */
export function isRectified(info: CameraInfo): boolean {
  return allZero(info.d) && (allZero(info.r) || isIdentity(info.r));
}

/** Whether a pair is to be rectified; `byName` is what the topics' names say (`image_rect`: true, `image_raw`: false). */
export function wantsRectification(
  left: CameraInfo,
  right: CameraInfo,
  mode: "auto" | "on" | "off",
  byName: boolean | undefined,
): boolean {
  if (mode !== "auto") return mode === "on";
  if (byName === true) return false;
  // A raw image of a camera without distortion may still have another focal length or rows than P says.
  const settled = (info: CameraInfo) => isRectified(info) && (byName === undefined || agreesWithP(info));
  return !(settled(left) && settled(right));
}

/** Focal lengths and principal point of the rectified image, in pixels of the image as it is. */
export function projection(info: CameraInfo): { fx: number; fy: number; cx: number; cy: number } {
  const { p } = info;
  const { binX, binY, offsetX, offsetY } = imageWindow(info);
  return {
    fx: p[0]! / binX,
    fy: p[5]! / binY,
    cx: (p[2]! - offsetX) / binX,
    cy: (p[6]! - offsetY) / binY,
  };
}

/** Metres; the sign tells which eye is which. Binning cancels out. */
function baseline(left: CameraInfo, right: CameraInfo): number {
  return (left.p[3]! - right.p[3]!) / left.p[0]!;
}

function eyeProblem(side: Side, info: CameraInfo, size: Size | undefined): string | undefined {
  const it = `The ${side} CameraInfo`;
  if (info.p.length !== 12) return `${it} has ${info.p.length} numbers in P; wanted 12. ${mend}`;
  if (allZero(info.p)) return `${it} is of an uncalibrated camera: P is all zeros. ${mend}`;
  const numbers = Array.from(info.p);
  if (!numbers.every(Number.isFinite)) return `${it} has P = [${numbers.join(", ")}]; wanted finite numbers. ${mend}`;
  if (!(info.p[0]! > 0 && info.p[5]! > 0)) {
    return `${it} has the focal lengths ${info.p[0]} and ${info.p[5]} px in P; wanted both above 0. ${mend}`;
  }
  const want = imageWindow(info);
  if (want.width <= 0 || want.height <= 0)
    return `${it} says ${want.width}x${want.height} pixels; wanted more. ${mend}`;
  if (size !== undefined && (size.width !== want.width || size.height !== want.height)) {
    return `The ${side} image is ${size.width}x${size.height} but its CameraInfo is for ${want.width}x${want.height}${windowText(info)}. Publish the CameraInfo of this resolution; if the image was resized on the way, its CameraInfo must be scaled with it.`;
  }
  return undefined;
}

function pairProblem(left: CameraInfo, right: CameraInfo): string | undefined {
  const l = projection(left);
  const r = projection(right);
  const sizes = [imageWindow(left), imageWindow(right)] as const;
  if (sizes[0].width !== sizes[1].width || sizes[0].height !== sizes[1].height) {
    return `The left CameraInfo is for ${sizes[0].width}x${sizes[0].height}, the right for ${sizes[1].width}x${sizes[1].height}; wanted the same size. Run both eyes at one resolution.`;
  }
  if (Math.abs(l.fx - r.fx) > focalTolerance * l.fx) {
    return `The eyes' P differ in focal length: fx ${l.fx} left, ${r.fx} right; a rectified pair shares it. ${mend}`;
  }
  if (Math.abs(l.fy - r.fy) > focalTolerance * l.fy || Math.abs(l.cy - r.cy) > rowTolerancePx) {
    return `The eyes' P differ in rows: fy ${l.fy}, cy ${l.cy} left; fy ${r.fy}, cy ${r.cy} right; in a rectified pair a point lies on one row. ${mend}`;
  }
  const baselineM = baseline(left, right);
  const acrossM = Math.abs((left.p[7]! - right.p[7]!) / left.p[5]!);
  if (acrossM > Math.abs(baselineM)) {
    return `One eye lies above the other (P[7] says ${acrossM} m); wanted eyes side by side, with P[3] = -fx * baseline on the right. Turn the pair by 90 degrees and calibrate it so.`;
  }
  if (baselineM < -smallestBaselineM) {
    return `The baseline is ${baselineM} m: left and right seem swapped. Swap the topics of the two eyes.`;
  }
  if (!(baselineM > smallestBaselineM)) {
    return `The baseline is ${baselineM} m: right P[3] is ${right.p[3]}; wanted -fx * baseline (REP-104). CameraInfo carries the distance of the eyes nowhere else. ${mend}`;
  }
  return undefined;
}

function windowText(info: CameraInfo): string {
  const { binX, binY } = imageWindow(info);
  const roi = info.roi.width > 0 || info.roi.height > 0 ? `, region ${info.roi.width}x${info.roi.height}` : "";
  const bin = binX > 1 || binY > 1 ? `, binning ${binX}x${binY}` : "";
  return roi + bin === "" ? "" : ` (sensor ${info.width}x${info.height}${roi}${bin})`;
}

function allZero(numbers: ArrayLike<number>): boolean {
  for (let i = 0; i < numbers.length; i += 1) if (numbers[i] !== 0) return false;
  return true;
}

function isIdentity(r: ArrayLike<number>): boolean {
  for (let i = 0; i < 9; i += 1) if (!(Math.abs(r[i]! - (i % 4 === 0 ? 1 : 0)) < 1e-9)) return false;
  return true;
}

function agreesWithP({ k, p }: CameraInfo): boolean {
  if (allZero(k)) return true;
  const pairs = [
    [k[0]!, p[0]!],
    [k[4]!, p[5]!],
    [k[2]!, p[2]!],
    [k[5]!, p[6]!],
  ] as const;
  return pairs.every(([a, b]) => Math.abs(a - b) < 0.01);
}
