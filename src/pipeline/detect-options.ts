import type { DetectorConfig } from "../config/detector-schema.ts";
import type { DetectOptions } from "./live-detect.ts";

/** The part of the parameters that concerns tracks and evidence. */
export function detectOptions(
  config: DetectorConfig,
  { voxel_size: voxelSizeM, max_range: rangeM }: { readonly voxel_size: number; readonly max_range: number },
): DetectOptions {
  return {
    beginScore: config["detection.score_threshold"],
    patienceS: config["track.patience"],
    holdS: config["evidence.hold"],
    demotes: config["evidence.demote"],
    evidence: config["evidence.enabled"],
    voxelSizeM,
    rangeM,
  };
}
