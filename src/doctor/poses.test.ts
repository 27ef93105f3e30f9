import { expect, it } from "vitest";
import { identity } from "../core/transform.ts";
import type { CameraPose } from "../pipeline/frames-pose.ts";
import { checkPoses } from "./poses.ts";

const known: CameraPose = {
  T_fixed_camera: identity(),
  T_fixed_base: identity(),
  fixedFrame: "odom",
  problem: undefined,
  mayImprove: false,
};
const unknown: CameraPose = {
  ...known,
  T_fixed_camera: undefined,
  T_fixed_base: undefined,
  problem: "no transform connects",
};

it("tells a whole chain from one with holes, and misses the base", () => {
  expect(checkPoses([known, known], "cam", "base_link")).toMatchObject({
    verdict: "ok",
    seen: "cam is known in odom for 2 of 2 left images, base_link too",
  });
  expect(checkPoses([known, unknown], "cam", "base_link")).toMatchObject({
    verdict: "warn",
    seen: "1 of 2 left images have a pose: no transform connects",
    figures: { asked: 2, known: 1, known_base: 1 },
  });
  expect(checkPoses([{ ...known, T_fixed_base: undefined }], "cam", "base")).toMatchObject({
    verdict: "warn",
    seen: expect.stringContaining("no occupancy_grid"),
  });
  expect(checkPoses([known], "", "base_link")).toMatchObject({
    verdict: "warn",
    remedy: expect.stringContaining("frame_id"),
  });
});
