import { diagnosticsTopic, input, output, results, sensor, type Topic } from "./topic.ts";

export const detectorNodeName = "defended_detector_node";

/** What the node subscribes to; the image topic follows the `image_topic` and `image_transport` parameters. */
export const detectorInputs = {
  image: input("image_rect", "sensor_msgs/msg/Image", "The image, grey or colour; with stereo evidence the left one."),
  info: input(
    "camera_info",
    "sensor_msgs/msg/CameraInfo",
    "Its calibration (REP-104), for stereo evidence and detections_3d.",
  ),
  points: {
    ...input(
      "points",
      "sensor_msgs/msg/PointCloud2",
      "Centres of occupied voxels with the stamp and the frame of the image: ~/points of stereo_voxel_node.",
    ),
    qos: results,
  },
} as const satisfies Record<string, Topic>;

/** What the node publishes, with the stamp and the frame of the image. */
export const detectorOutputs = {
  detections: output(
    "~/detections",
    "vision_msgs/msg/Detection2DArray",
    results,
    "Objects in pixels of the image, with the ids of their tracks; demoted ones with a quarter of their score.",
  ),
  detections3d: output(
    "~/detections_3d",
    "vision_msgs/msg/Detection3DArray",
    results,
    "Those that solid voxels support, and those that the detector lost while the voxels still hold them; metres, left optical frame.",
  ),
  patchMask: output("~/patch_mask", "sensor_msgs/msg/Image", sensor, "mono8, 255 where the image was masked."),
  defendedImage: output("~/defended_image", "sensor_msgs/msg/Image", sensor, "The image with masked windows filled."),
  debugImage: output("~/debug_image", "sensor_msgs/msg/Image", sensor, "The image with boxes, ids and masked windows."),
  diagnostics: diagnosticsTopic,
} as const satisfies Record<string, Topic>;

export const detectorServices = {
  reset: { name: "~/reset", type: "std_srvs/srv/Empty", doc: "Forgets tracks and masks." },
  enable: { name: "~/enable", type: "std_srvs/srv/SetBool", doc: "Pauses or resumes the work while active." },
} as const;
