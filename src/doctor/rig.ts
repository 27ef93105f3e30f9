import type { CameraInfo, StereoCalibration } from "../core/calibration.ts";
import type { Side } from "../core/ports.ts";
import { type Size, stereoCalibration, wantsRectification } from "../stereo/calibration.ts";
import { bad, type Finding, ok } from "./finding.ts";

export interface RigFacts {
  /** The first CameraInfo of each eye. */
  readonly infos: Readonly<Record<Side, CameraInfo>>;
  /** Of the images; undefined where none could be read. */
  readonly sizes: Readonly<Record<Side, Size>> | undefined;
  /** How often the numbers changed over the recording, both eyes together. */
  readonly changes: number;
  readonly rectify: "auto" | "on" | "off";
  readonly rectifiedByName: boolean | undefined;
  readonly voxelSizeM: number;
  /** Leaves ahead of the camera that the model's grid has. */
  readonly gridDepth: number;
  /** Largest disparity that the model searches, pixels. */
  readonly maxDisparityPx: number;
}

/** Baselines of robots, metres; and views of lenses that P can describe, degrees. Outside of them a number is likely wrong. */
const usualBaselineM = [0.01, 3] as const;
const usualViewDeg = [15, 150] as const;

/** CameraInfo: whether it can be used at all, whether its numbers can be true, and what the rig can see. */
export function checkRig(facts: RigFacts): Finding[] {
  const { infos, sizes } = facts;
  const checked = stereoCalibration(infos.left, infos.right, sizes);
  if (checked.kind === "rejected") return [bad("fail", "CameraInfo", checked.reason.message)];
  return [infoFinding(checked.calibration, facts), reachFinding(checked.calibration, facts)];
}

function infoFinding(calibration: StereoCalibration, facts: RigFacts): Finding {
  const { width, height, fx, baselineM } = calibration;
  const viewDeg = (2 * Math.atan(width / (2 * fx)) * 180) / Math.PI;
  const isRectifiedHere = wantsRectification(facts.infos.left, facts.infos.right, facts.rectify, facts.rectifiedByName);
  const how = isRectifiedHere ? "raw, rectified on the way" : "rectified";
  const seen = `baseline ${Number(baselineM.toPrecision(4))} m, fx ${fx.toFixed(1)} px (${viewDeg.toFixed(0)} degrees wide), ${width}x${height}, ${how}`;
  const figures = { baseline_m: baselineM, fx_px: fx, view_deg: viewDeg };
  const doubts = doubtsOf(calibration, viewDeg);
  if (facts.changes > 0) {
    doubts.push([
      `the numbers change ${facts.changes} times`,
      "Check that one node alone publishes each camera_info topic.",
    ]);
  }
  if (doubts.length === 0) return ok("CameraInfo", seen, figures);
  const [words, remedies] = [doubts.map(([what]) => what), doubts.map(([, remedy]) => remedy)];
  return bad("warn", "CameraInfo", `${seen}: ${words.join("; ")}`, remedies.join(" "), figures);
}

function doubtsOf(
  { width, height, cx, cy, baselineM, doffsPx }: StereoCalibration,
  viewDeg: number,
): [string, string][] {
  const doubts: [string, string][] = [];
  const [leastM, mostM] = usualBaselineM;
  if (baselineM < leastM || baselineM > mostM) {
    doubts.push([
      `robots' eyes stand ${leastM} to ${mostM} m apart`,
      "Measure the distance of the lenses and calibrate with the board's squares in metres: P[3] of the right eye is -fx times metres.",
    ]);
  }
  const [leastDeg, mostDeg] = usualViewDeg;
  if (viewDeg < leastDeg || viewDeg > mostDeg) {
    doubts.push([
      `lenses see ${leastDeg} to ${mostDeg} degrees`,
      "Check that P is of this resolution: focal lengths scale with the image.",
    ]);
  }
  const isCentred = (c: number, length: number) => c > length / 4 && c < (3 * length) / 4;
  if (!isCentred(cx, width) || !isCentred(cx + doffsPx, width) || !isCentred(cy, height)) {
    doubts.push([
      `the principal point (${cx.toFixed(0)}, ${cy.toFixed(0)}) is far from the middle`,
      "Check that P is of this resolution; a cropped image needs roi in its CameraInfo.",
    ]);
  }
  return doubts;
}

/** Nearest depth by the largest disparity, farthest by the grid; depth error of one pixel of disparity, Z^2 / (fx B). */
function reachFinding({ fx, baselineM }: StereoCalibration, facts: RigFacts): Finding {
  const { voxelSizeM, gridDepth, maxDisparityPx } = facts;
  const nearM = (fx * baselineM) / maxDisparityPx;
  const farM = voxelSizeM * gridDepth;
  const sharpM = Math.sqrt(voxelSizeM * fx * baselineM);
  const figures = { near_m: nearM, far_m: farM, sharp_m: sharpM };
  const seen = `${nearM.toFixed(2)} to ${farM.toFixed(1)} m at voxel_size ${voxelSizeM} m; a pixel of disparity is a voxel at ${sharpM.toFixed(1)} m`;
  // Nearer things have no match, and the robot would not see them.
  if (nearM <= farM / 4) return ok("sees", seen, figures);
  const remedy = "Use smaller images (binning), or a larger voxel_size.";
  return bad("warn", "sees", `${seen}: nothing in the first quarter of its reach`, remedy, figures);
}
