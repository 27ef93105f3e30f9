import { diagnosticsTopic, input, latched, output, results, sensor, type Topic, transported } from "./topic.ts";

export const stereoNodeName = "stereo_voxel_node";

/** What the node subscribes to; the image topics follow the `image_topic` and `image_transport` parameters. */
export const stereoInputs = {
  leftImage: input("left/image_rect", "sensor_msgs/msg/Image", "Left image."),
  rightImage: input("right/image_rect", "sensor_msgs/msg/Image", "Right image."),
  leftInfo: input("left/camera_info", "sensor_msgs/msg/CameraInfo", "Calibration of the left camera (REP-104)."),
  rightInfo: input(
    "right/camera_info",
    "sensor_msgs/msg/CameraInfo",
    "Calibration of the right camera; P[3] is -fx times the baseline.",
  ),
  tf: {
    name: "/tf",
    type: "tf2_msgs/msg/TFMessage",
    qos: { reliability: "reliable", durability: "volatile", depth: 100 },
    overridable: false,
    doc: "Moving transforms: odom to the robot's base.",
  },
  tfStatic: {
    name: "/tf_static",
    type: "tf2_msgs/msg/TFMessage",
    // Each publisher's last message: one that latches is enough, but there may be several of them.
    qos: { reliability: "reliable", durability: "transient_local", depth: 100 },
    overridable: false,
    doc: "Fixed transforms: the robot's base to the left optical frame.",
  },
} as const satisfies Record<string, Topic>;

/** What the node publishes. The keys are those of `mapTopics`. */
export const stereoOutputs = {
  points: output(
    "~/points",
    "sensor_msgs/msg/PointCloud2",
    results,
    "Centres of the occupied voxels of one pair; stamp and frame of the left image.",
  ),
  pointsClearing: output(
    "~/points_clearing",
    "sensor_msgs/msg/PointCloud2",
    results,
    "Ends of the free rays of one pair, for costmap layers that clear along rays; stamp and frame of the left image.",
  ),
  octomapBinary: output("~/octomap_binary", "octomap_msgs/msg/Octomap", latched, "The map, in the fixed frame."),
  octomapFull: output(
    "~/octomap_full",
    "octomap_msgs/msg/Octomap",
    latched,
    "The same with its log-odds; some ten times larger.",
  ),
  occupancyGrid: output(
    "~/occupancy_grid",
    "nav_msgs/msg/OccupancyGrid",
    latched,
    "The map from above, in the fixed frame: the robot's height band of it, or with ground.follow the ground that it can reach.",
  ),
  voxelMarkers: output(
    "~/voxel_markers",
    "visualization_msgs/msg/MarkerArray",
    latched,
    "The map's occupied voxels as cubes, at most max_markers.",
  ),
  depth: output(
    "~/depth",
    "sensor_msgs/msg/Image",
    sensor,
    "Metres along the optical axis for each pixel of the left image, 32FC1: +Inf beyond max_range, NaN where the network is not sure (REP-117, REP-118).",
  ),
  disparity: output(
    "~/disparity",
    "stereo_msgs/msg/DisparityImage",
    sensor,
    "Disparity of each pixel of the left image; negative where the network is not sure.",
  ),
  diagnostics: diagnosticsTopic,
} as const satisfies Record<string, Topic>;

/** Services of the node. */
export const stereoServices = {
  reset: { name: "~/reset", type: "std_srvs/srv/Empty", doc: "Empties the map." },
  enable: { name: "~/enable", type: "std_srvs/srv/SetBool", doc: "Pauses or resumes the work while active." },
  saveMap: {
    name: "~/save_map",
    type: "std_srvs/srv/Trigger",
    doc: "Writes the map to the file named by the parameter save_map_path: .bt (states) or .ot (log-odds).",
  },
  loadMap: {
    name: "~/load_map",
    type: "std_srvs/srv/Trigger",
    doc: "Replaces the map by the file named by the parameter load_map_path, as far as it lies in the map's window, and publishes it. Before the first pair whose pose is known it waits for that pair. A file that does not fit is refused: the answer says why, and the map stays as it was.",
  },
  clearBbox: {
    name: "~/clear_bbox",
    type: "octomap_msgs/srv/BoundingBoxQuery",
    doc: "Makes the cells whose centres lie in the box (metres, frame of the map) unknown, and publishes the map. octomap_server's makes them free, which nobody has seen.",
  },
  getOctomap: {
    name: "~/octomap_binary",
    type: "octomap_msgs/srv/GetOctomap",
    doc: "The map as it is now, whether or not anybody subscribes to the topic of this name.",
  },
} as const;

/** Name and type of an eye's image topic for the base name (`image_rect`, `image_raw`) and transport. */
export function imageTopic(side: "left" | "right", base: string, transport: string): { name: string; type: string } {
  return transported(`${side}/${base}`, transport);
}
