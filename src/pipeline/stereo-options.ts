import type { StereoNodeConfig } from "../config/stereo-node-schema.ts";
import type { StereoConfig } from "../config/stereo-schema.ts";
import type { DecodeLimits } from "../stereo/decode-octree.ts";
import type { FrameOptions } from "./frames-assemble.ts";
import type { OutputOptions } from "./map-outputs.ts";
import type { MapOptions } from "./map-steps.ts";

/** The part of the parameters that concerns what an answer means. */
export function decodeLimits(
  config: Pick<StereoConfig, "occupancy_threshold" | "free_threshold" | "max_range">,
): DecodeLimits {
  return {
    occupancyThreshold: config.occupancy_threshold,
    freeThreshold: config.free_threshold,
    maxRangeM: config.max_range,
  };
}

/** The part of the parameters that concerns the map. */
export function mapOptions(config: StereoConfig): MapOptions {
  return {
    voxelSizeM: config.voxel_size,
    ...decodeLimits(config),
    windowM: config["map.window"],
    decayHalfLifeS: config["map.decay_half_life"],
  };
}

/** The part of the parameters that concerns what is published; `node` is its name in the diagnostics. */
export function outputOptions(config: StereoConfig, node: string): OutputOptions {
  return {
    maxRangeM: config.max_range,
    minHeightM: config.min_height,
    maxHeightM: config.max_height,
    ground: config["ground.follow"]
      ? { maxStepM: config["ground.max_step"], maxSlopeDeg: config["ground.max_slope"] }
      : undefined,
    maxMarkers: config.max_markers,
    node,
  };
}

/** The part that concerns pairs, for live use: a lone image is given up as soon as the other eye has gone past it. */
export function liveFrameOptions(config: StereoNodeConfig): FrameOptions {
  const slopNs = BigInt(Math.round(config.sync_slop * 1e9));
  return {
    sync: {
      mode: config.approximate_sync ? "approximate" : "exact",
      slopNs,
      queueSize: config.sync_queue_size,
      reorder: 1,
    },
    rectify: config.rectify,
    rectifiedByName: config.image_topic === "image_rect",
    fixedFrame: config["map.frame"],
    baseFrame: config["map.base_frame"],
  };
}
