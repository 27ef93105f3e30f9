import { expect, it } from "vitest";
import { cameraInfosOf } from "../core/calibration.ts";
import { checkRig, type RigFacts } from "./rig.ts";

const camera = { width: 640, height: 360, fx: 450, fy: 450, cx: 319.5, cy: 179.5, baselineM: 0.3, doffsPx: 0 };
const size = { width: 640, height: 360 };
const facts = (change: Partial<typeof camera> = {}): RigFacts => ({
  infos: cameraInfosOf({ ...camera, ...change }),
  sizes: { left: size, right: size },
  changes: 0,
  rectify: "auto",
  rectifiedByName: true,
  voxelSizeM: 0.5,
  gridDepth: 64,
  maxDisparityPx: 192,
});

it("says what a sound rig is and what it sees", () => {
  const [info, sees] = checkRig(facts());
  expect(info).toMatchObject({
    verdict: "ok",
    seen: "baseline 0.3 m, fx 450.0 px (71 degrees wide), 640x360, rectified",
  });
  expect(sees).toMatchObject({ verdict: "ok", seen: expect.stringContaining("0.70 to 32.0 m at voxel_size 0.5 m") });
  // One pixel of disparity at this depth is one voxel: Z^2 / (fx B) = 0.5 m.
  expect(sees!.figures!["sharp_m"]! ** 2 / (450 * 0.3)).toBeCloseTo(0.5);
});

it("refuses what replay refuses", () => {
  const wrong = (sides: Partial<RigFacts>) => checkRig({ ...facts(), ...sides });
  expect(wrong({ sizes: { left: { width: 1280, height: 720 }, right: size } })).toMatchObject([
    { verdict: "fail", seen: expect.stringContaining("The left image is 1280x720 but its CameraInfo is for 640x360") },
  ]);
  const { left, right } = facts().infos;
  expect(wrong({ infos: { left: right, right: left } })[0]!.seen).toContain("left and right seem swapped");
  expect(wrong({ infos: { left, right: left } })[0]!.seen).toContain("The baseline is 0 m");
});

it("doubts numbers that can hardly be true", () => {
  const doubt = (change: Partial<typeof camera>) => checkRig(facts(change))[0]!;
  expect(doubt({ baselineM: 300 })).toMatchObject({ verdict: "warn", remedy: expect.stringContaining("metres") });
  expect(doubt({ fx: 4500, fy: 4500 }).seen).toContain("lenses see 15 to 150 degrees");
  expect(doubt({ cx: 20 }).seen).toContain("far from the middle");
  expect(checkRig({ ...facts(), changes: 3 })[0]).toMatchObject({
    verdict: "warn",
    seen: expect.stringContaining("change 3 times"),
  });
});

it("warns of a rig that is blind for what is near", () => {
  expect(checkRig({ ...facts({ baselineM: 2 }), voxelSizeM: 0.1 })[1]).toMatchObject({ verdict: "warn" });
});

it("says when images are rectified on the way", () => {
  const { left, right } = facts().infos;
  const infos = { left: { ...left, d: [0.1, 0, 0, 0, 0] }, right };
  expect(checkRig({ ...facts(), infos, rectifiedByName: false })[0]!.seen).toContain("raw, rectified on the way");
});
