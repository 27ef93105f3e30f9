import { Fault } from "../core/fault.ts";
import type { Bag } from "../io/bag.ts";
import type { BagTopic } from "../io/bag-file.ts";

/** Topics of a recorded run, found by type and name; what is undefined was not recorded. */
export interface RecordedTopics {
  readonly map: string;
  readonly image: string | undefined;
  readonly info: string | undefined;
  /** Clouds of single frames: they name the camera's frame where neither image nor calibration does. */
  readonly points: string | undefined;
  readonly detections: string | undefined;
  readonly detections3d: string | undefined;
  readonly mask: string | undefined;
  readonly diagnostics: string | undefined;
  readonly tf: string | undefined;
}

/** Images that a robot publishes besides what its left camera sees. */
const otherImages = /mask|depth|disparity|debug|defended|right/;

/** Throws `Fault` TOPIC_MISSING where there is no map. */
export function recordedTopics(bag: Bag): RecordedTopics {
  const recorded = bag.topics.filter(({ count }) => count > 0);
  /** The first of the type in the order of `better`: smaller is better, undefined unfit. */
  const find = (type: string, better: (name: string) => number | undefined = () => 0): string | undefined => {
    const fit = recorded.flatMap((topic) => {
      const rank = topic.type === type ? better(topic.name) : undefined;
      return rank === undefined ? [] : [{ name: topic.name, rank }];
    });
    return fit.sort((a, b) => a.rank - b.rank)[0]?.name;
  };
  const eye = (name: string): number | undefined =>
    otherImages.test(name) ? undefined : (name.includes("left") ? 0 : 2) + (name.includes("rect") ? 0 : 1);
  const map = find("octomap_msgs/msg/Octomap", (name) => (name.endsWith("octomap_full") ? undefined : 0));
  if (map === undefined) throw noMap(bag.path, recorded);
  return {
    map,
    image: find("sensor_msgs/msg/CompressedImage", eye) ?? find("sensor_msgs/msg/Image", eye),
    info: find("sensor_msgs/msg/CameraInfo", eye),
    points: find("sensor_msgs/msg/PointCloud2", (name) => (name.endsWith("points") ? 0 : 1)),
    detections: find("vision_msgs/msg/Detection2DArray"),
    detections3d: find("vision_msgs/msg/Detection3DArray"),
    mask: find("sensor_msgs/msg/Image", (name) => (name.endsWith("patch_mask") ? 0 : undefined)),
    diagnostics: find("diagnostic_msgs/msg/DiagnosticArray"),
    tf: find("tf2_msgs/msg/TFMessage", (name) => (name.endsWith("tf") ? 0 : undefined)),
  };
}

function noMap(path: string, recorded: readonly BagTopic[]): Fault {
  const seen = recorded.map(({ name, type }) => `${name} (${type})`).join(", ");
  return new Fault(`${path} holds no map: wanted a topic of octomap_msgs/msg/Octomap with states, there are ${seen}.`, {
    code: "TOPIC_MISSING",
    remedy: "Make the map of a stereo recording with `voxelguard replay BAG --view` or `--out map.mcap`.",
  });
}
