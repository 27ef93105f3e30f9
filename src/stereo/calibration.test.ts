import { describe, expect, test } from "vitest";
import { changed, makeInfo } from "../../test/frames/infos.ts";
import type { CameraInfo } from "../core/calibration.ts";
import { isRectified, missingCalibration, stereoCalibration, wantsRectification } from "./calibration.ts";

const left = makeInfo();
const right = makeInfo({}, 0.12);

function calibrate(l: CameraInfo, r: CameraInfo, size?: { width: number; height: number }) {
  const result = stereoCalibration(l, r, size === undefined ? undefined : { left: size, right: size });
  if (result.kind === "rejected") throw new Error(result.reason.message);
  return result.calibration;
}

function problem(l: CameraInfo, r: CameraInfo, size?: { width: number; height: number }): string {
  const result = stereoCalibration(l, r, size === undefined ? undefined : { left: size, right: size });
  if (result.kind === "ok") return "";
  expect(result.reason.code).toBe("CALIBRATION_INVALID");
  return result.reason.message;
}

describe("P of both eyes", () => {
  test("becomes a calibration", () => {
    expect(calibrate(left, right, { width: 64, height: 48 })).toEqual({
      width: 64,
      height: 48,
      fx: 50,
      fy: 50,
      cx: 31.5,
      cy: 23.5,
      baselineM: 0.12,
      doffsPx: 0,
    });
  });

  test("principal points that differ give doffs", () => {
    const shifted = makeInfo({ p: changed(right.p, { 2: 35 }) });
    expect(calibrate(left, shifted).doffsPx).toBe(3.5);
  });

  test("both eyes measured from a third camera (KITTI): the difference counts", () => {
    const [l, r] = [makeInfo({}, -0.06), makeInfo({}, 0.48)];
    expect(calibrate(l, r).baselineM).toBeCloseTo(0.54, 12);
  });

  test("binning and region refer to the full-resolution image", () => {
    const window = { binningX: 2, binningY: 4, roi: { xOffset: 8, yOffset: 4, width: 40, height: 40 } };
    const calibration = calibrate({ ...left, ...window }, { ...right, ...window }, { width: 20, height: 10 });
    expect(calibration).toMatchObject({ width: 20, height: 10, fx: 25, fy: 12.5, cx: 11.75, cy: 4.875 });
    expect(calibration.baselineM).toBeCloseTo(0.12, 12);
  });

  test("a point falls on the same full-resolution pixel with and without a window", () => {
    const window = { binningX: 2, binningY: 2, roi: { xOffset: 10, yOffset: 6, width: 40, height: 40 } };
    const full = calibrate(left, right);
    const cut = calibrate({ ...left, ...window }, { ...right, ...window });
    const [x, y, z] = [0.3, -0.2, 1.7];
    expect(((cut.fx * x) / z + cut.cx) * 2 + 10).toBeCloseTo((full.fx * x) / z + full.cx, 9);
    expect(((cut.fy * y) / z + cut.cy) * 2 + 6).toBeCloseTo((full.fy * y) / z + full.cy, 9);
  });

  test("regions that start at different columns show in doffs", () => {
    const roi = (xOffset: number) => ({ roi: { xOffset, yOffset: 0, width: 40, height: 48 } });
    expect(calibrate({ ...left, ...roi(0) }, { ...right, ...roi(6) }).doffsPx).toBe(-6);
  });
});

describe("what cannot be is refused in words", () => {
  test.each<[string, CameraInfo, CameraInfo, string]>([
    ["zero baseline", left, left, "right P[3] is 0; wanted -fx * baseline"],
    ["swapped eyes", right, left, "left and right seem swapped"],
    ["zero focal length", makeInfo({ p: changed(left.p, { 0: 0 }) }), right, "focal lengths 0 and 50"],
    ["NaN", left, makeInfo({ p: changed(right.p, { 5: Number.NaN }) }), "The right CameraInfo has P = [50"],
    ["no calibration", makeInfo({ p: new Float64Array(12) }), right, "uncalibrated camera: P is all zeros"],
    ["short P", left, makeInfo({ p: [1, 2] }), "has 2 numbers in P; wanted 12"],
    ["other focal length", left, makeInfo({ p: changed(right.p, { 0: 51 }) }), "fx 50 left, 51 right"],
    [
      "other rows",
      left,
      makeInfo({ p: changed(right.p, { 6: 25 }) }),
      "differ in rows: fy 50, cy 23.5 left; fy 50, cy 25 right",
    ],
    ["other row scale", left, makeInfo({ p: changed(right.p, { 5: 52 }) }), "differ in rows"],
    ["eyes one above the other", left, makeInfo({ p: changed(left.p, { 7: -6 }) }), "One eye lies above the other"],
    ["eyes of two sizes", left, makeInfo({ ...right, width: 32, height: 24 }), "64x48, the right for 32x24"],
    ["no size", makeInfo({ width: 0, height: 0 }), right, "says 0x0 pixels"],
  ])("%s", (_, l, r, text) => {
    expect(problem(l, r)).toContain(text);
  });

  test("an image of another size than its CameraInfo: says both", () => {
    expect(problem(left, right, { width: 32, height: 24 })).toContain("image is 32x24 but its CameraInfo is for 64x48");
    const binned = { binningX: 2, binningY: 2 };
    expect(problem({ ...left, ...binned }, { ...right, ...binned }, { width: 64, height: 48 })).toContain(
      "is for 32x24 (sensor 64x48, binning 2x2)",
    );
  });

  test("no CameraInfo", () => {
    expect(missingCalibration(["right"])).toMatchObject({ code: "CALIBRATION_MISSING" });
    expect(missingCalibration(["left", "right"]).message).toContain("no CameraInfo of the left and the right eye");
  });
});

describe("whether to rectify", () => {
  const distorted = makeInfo({ d: [-0.3, 0.1, 0, 0, 0] });
  const turned = makeInfo({ r: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1] });
  const otherK = makeInfo({ k: changed(left.k, { 0: 55 }) });

  test("by D and R", () => {
    expect(isRectified(left)).toBe(true);
    expect(isRectified(makeInfo({ d: [] }))).toBe(true);
    expect(isRectified(distorted)).toBe(false);
    expect(isRectified(turned)).toBe(false);
  });

  test.each([
    ["auto, rectified by its numbers", left, undefined, false],
    ["auto, one eye distorted", distorted, undefined, true],
    ["auto, the name says rectified, D is the raw camera's", distorted, true, false],
    ["auto, the name says raw, nothing to do", left, false, false],
    ["auto, the name says raw, K is not P", otherK, false, true],
  ] as const)("%s", (_, l, byName, wanted) => {
    expect(wantsRectification(l, right, "auto", byName)).toBe(wanted);
  });

  test("as told", () => {
    expect(wantsRectification(distorted, right, "off", false)).toBe(false);
    expect(wantsRectification(left, right, "on", true)).toBe(true);
  });
});
