import { describe, expect, it } from "vitest";
import { Health } from "../core/health.ts";
import type { Bag } from "../io/bag.ts";
import { diagnosticsMessage } from "../msg/map-messages.ts";
import { lastAtOrBefore } from "./recorded-reels.ts";
import { statusOfDiagnostics } from "./recorded-status.ts";
import { recordedTopics } from "./recorded-topics.ts";

function bagOf(topics: readonly (readonly [name: string, type: string, count?: number])[]): Bag {
  const full = topics.map(([name, type, count = 1]) => ({ name, type, count, schema: undefined, isLatched: false }));
  return { path: "run", topics: full } as unknown as Bag;
}

describe("recordedTopics", () => {
  it("finds what a live node and a camera publish, whatever their namespace", () => {
    const bag = bagOf([
      ["/rig/right/image_rect", "sensor_msgs/msg/Image"],
      ["/rig/left/image_raw", "sensor_msgs/msg/Image"],
      ["/rig/left/image_rect", "sensor_msgs/msg/Image"],
      ["/rig/right/camera_info", "sensor_msgs/msg/CameraInfo"],
      ["/rig/left/camera_info", "sensor_msgs/msg/CameraInfo"],
      ["/defended_detector_node/debug_image", "sensor_msgs/msg/Image"],
      ["/defended_detector_node/patch_mask", "sensor_msgs/msg/Image"],
      ["/defended_detector_node/detections", "vision_msgs/msg/Detection2DArray"],
      ["/stereo_voxel_node/octomap_full", "octomap_msgs/msg/Octomap"],
      ["/stereo_voxel_node/octomap_binary", "octomap_msgs/msg/Octomap"],
      ["/stereo_voxel_node/points_clearing", "sensor_msgs/msg/PointCloud2"],
      ["/stereo_voxel_node/points", "sensor_msgs/msg/PointCloud2"],
      ["/stereo_voxel_node/depth", "sensor_msgs/msg/Image"],
      ["/tf_static", "tf2_msgs/msg/TFMessage"],
      ["/tf", "tf2_msgs/msg/TFMessage"],
      ["/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", 0],
    ]);
    expect(recordedTopics(bag)).toEqual({
      map: "/stereo_voxel_node/octomap_binary",
      image: "/rig/left/image_rect",
      info: "/rig/left/camera_info",
      points: "/stereo_voxel_node/points",
      detections: "/defended_detector_node/detections",
      detections3d: undefined,
      mask: "/defended_detector_node/patch_mask",
      diagnostics: undefined,
      tf: "/tf",
    });
  });

  it("refuses a bag without a map of states, and says what is there", () => {
    const fullOnly = bagOf([["/n/octomap_full", "octomap_msgs/msg/Octomap"]]);
    expect(() => recordedTopics(fullOnly)).toThrow("run holds no map: wanted a topic of octomap_msgs/msg/Octomap");
    expect(() => recordedTopics(fullOnly)).toThrow("/n/octomap_full");
  });
});

it("statusOfDiagnostics reads back what a node has written, and only that", () => {
  const health = new Health();
  health.raise("/tf", "TF_MISSING", "no pose", "error");
  health.raise("sync", "PAIR_LONE", "no partner");
  health.raise("sync", "PAIR_LONE", "no partner");
  const values = { pairs_processed: 12, network_p50_ms: "31.50", model: "x" };
  expect(statusOfDiagnostics(diagnosticsMessage(5n, "node", health, values))).toEqual({
    pairs: 12,
    stagesMs: { network: 31.5 },
    health: [
      { where: "/tf", level: "error", message: "no pose", count: 1 },
      { where: "sync", level: "warn", message: "no partner", count: 2 },
    ],
  });
});

it("lastAtOrBefore finds the map that a moment shows", () => {
  const times = [10n, 20n, 20n, 30n];
  expect([5n, 10n, 15n, 20n, 29n, 99n].map((time) => lastAtOrBefore(times, time))).toEqual([-1, 0, 0, 2, 2, 3]);
  expect(lastAtOrBefore([], 1n)).toBe(-1);
});
