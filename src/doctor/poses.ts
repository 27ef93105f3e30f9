import type { CameraPose } from "../pipeline/frames-pose.ts";
import { bad, type Finding, ok } from "./finding.ts";

/** Whether /tf says where the camera stood: `poses` at the stamps of left images. Without poses replay maps each frame alone. */
export function checkPoses(poses: readonly CameraPose[], opticalFrame: string, baseFrame: string): Finding {
  const name = "/tf";
  if (opticalFrame === "") {
    return bad(
      "warn",
      name,
      "the left images name no frame",
      "Set frame_id in the driver: without it no transform can be found.",
    );
  }
  const known = poses.filter(({ T_fixed_camera }) => T_fixed_camera !== undefined);
  const based = known.filter(({ T_fixed_base }) => T_fixed_base !== undefined);
  const figures = { asked: poses.length, known: known.length, known_base: based.length };
  if (known.length < poses.length) {
    const why = poses.find(({ problem }) => problem !== undefined)?.problem;
    const seen = `${known.length} of ${poses.length} left images have a pose: ${why}`;
    const remedy = "Record /tf and /tf_static, from odom to the optical frame; without a pose a frame is mapped alone.";
    return bad("warn", name, seen, remedy, figures);
  }
  const seen = `${opticalFrame} is known in ${known[0]?.fixedFrame} for ${known.length} of ${poses.length} left images`;
  if (based.length === known.length) return ok(name, `${seen}, ${baseFrame} too`, figures);
  const remedy = `Publish the transform of ${baseFrame}, or name the robot's base with map.base_frame (--map-base-frame).`;
  return bad("warn", name, `${seen}, ${baseFrame} for ${based.length}: no occupancy_grid without it`, remedy, figures);
}
