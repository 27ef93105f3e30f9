import { Fault, type FaultCode } from "../core/fault.ts";
import type { BagTopic } from "./bag-file.ts";
import { derivedImage, imageTypes } from "./bag-image.ts";
import { infoTopicsFor, leftOf, rightOf } from "./topic-names.ts";

/** The topics of one eye. */
export interface EyeTopics {
  readonly image: string;
  readonly info: string;
  /** sensor_msgs/CompressedImage instead of Image. */
  readonly compressed: boolean;
  /** What the name says: `image_rect` true, `image_raw` false; undefined when it says nothing. */
  readonly rectified: boolean | undefined;
}

/** Where a recording holds its stereo pair and its transforms. */
export interface StereoTopics {
  readonly left: EyeTopics;
  readonly right: EyeTopics;
  readonly tf: readonly string[];
  readonly tfStatic: readonly string[];
}

/** Topics that the user names; the rest is found. */
export interface GivenTopics {
  readonly left?: string;
  readonly right?: string;
  readonly leftInfo?: string;
  readonly rightInfo?: string;
}

/** What is asked of a topic. */
export type NamedTopic = Pick<BagTopic, "name" | "type" | "count">;

const infoTypes = ["sensor_msgs/msg/CameraInfo"];
const remedy = "Name the topics: --left TOPIC --right TOPIC, and --left-info TOPIC --right-info TOPIC where needed.";

/**
 * Finds the two eyes by type and by the names in use (left/right, cam0/cam1, infra1/infra2, ...): rectified before raw,
 * uncompressed before compressed, grey before colour. Topics without messages do not count. Throws `Fault` TOPIC_MISSING,
 * TOPIC_TYPE or (no CameraInfo) CALIBRATION_MISSING, with the topics that there are.
 */
export function findStereoTopics(topics: readonly NamedTopic[], given: GivenTopics = {}): StereoTopics {
  const images = topics.filter((topic) => imageTypes.includes(topic.type) && topic.count > 0);
  const infos = topics.filter((topic) => infoTypes.includes(topic.type) && topic.count > 0).map(({ name }) => name);
  const [left, right] = findImages(topics, images, given);
  const found = infoTopicsFor(left.name, right.name, infos);
  const tf = topics.filter((topic) => topic.type === "tf2_msgs/msg/TFMessage").map(({ name }) => name);
  return {
    left: eye(topics, left, given.leftInfo, found?.left, "left"),
    right: eye(topics, right, given.rightInfo, found?.right, "right"),
    tf: tf.filter((name) => !isStaticTf(name)),
    tfStatic: tf.filter(isStaticTf),
  };
}

function isStaticTf(name: string): boolean {
  return name.endsWith("tf_static");
}

function findImages(
  topics: readonly NamedTopic[],
  images: readonly NamedTopic[],
  given: GivenTopics,
): [NamedTopic, NamedTopic] {
  const left = given.left === undefined ? undefined : named(topics, given.left, imageTypes, "--left");
  const right = given.right === undefined ? undefined : named(topics, given.right, imageTypes, "--right");
  if (left !== undefined && right !== undefined) return [left, right];
  const named1 = left ?? right;
  if (named1 !== undefined) {
    const names = left === undefined ? leftOf(named1.name) : rightOf(named1.name);
    const other = names.map((name) => images.find((image) => image.name === name)).find((image) => image !== undefined);
    if (other !== undefined) return left === undefined ? [other, named1] : [named1, other];
    throw missing(`${named1.name} has no partner among the image topics`, topics);
  }
  const pairs = images.filter(({ name }) => !derivedImage.test(name)).flatMap((image) => pairsOf(image, images));
  pairs.sort((a, b) => compareRanks(a.rank, b.rank) || (a.left.name < b.left.name ? -1 : 1));
  const [best] = pairs;
  if (best === undefined)
    throw missing(loneEyeOf(images) ?? "There are no two image topics that look like a stereo pair", topics);
  return [best.left, best.right];
}

function pairsOf(
  left: NamedTopic,
  images: readonly NamedTopic[],
): { left: NamedTopic; right: NamedTopic; rank: readonly number[] }[] {
  return rightOf(left.name).flatMap((name, nameRank) => {
    const right = images.find((image) => image.name === name && image.type === left.type);
    if (right === undefined) return [];
    const isRectified = guessRectified(left.name) ?? false;
    const isColour = /colou?r/i.test(left.name);
    return {
      left,
      right,
      rank: [isRectified ? 0 : 1, isCompressed(left) ? 1 : 0, nameRank, isColour ? 1 : 0, -left.count],
    };
  });
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((rank, i) => rank !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** Says so when one eye is there and the other is not. */
function loneEyeOf(images: readonly NamedTopic[]): string | undefined {
  const lone = images.find(
    ({ name }) => !derivedImage.test(name) && (rightOf(name).length > 0 || leftOf(name).length > 0),
  );
  if (lone === undefined) return undefined;
  const [other] = [...rightOf(lone.name), ...leftOf(lone.name)];
  return `There is ${lone.name} but no ${other} with messages`;
}

function eye(
  topics: readonly NamedTopic[],
  image: NamedTopic,
  given: string | undefined,
  found: string | undefined,
  side: "left" | "right",
): EyeTopics {
  const info = given === undefined ? found : named(topics, given, infoTypes, `--${side}-info`).name;
  if (info === undefined) {
    throw fault("CALIBRATION_MISSING", `No camera_info topic belongs to ${image.name}`, topics);
  }
  return { image: image.name, info, compressed: isCompressed(image), rectified: guessRectified(image.name) };
}

function isCompressed(topic: NamedTopic): boolean {
  return topic.type === "sensor_msgs/msg/CompressedImage";
}

function guessRectified(name: string): boolean | undefined {
  if (/rect/i.test(name)) return true;
  return /raw/i.test(name) ? false : undefined;
}

function named(topics: readonly NamedTopic[], name: string, types: readonly string[], flag: string): NamedTopic {
  const topic = topics.find((candidate) => candidate.name === name) ?? topics.find(({ name: n }) => n === `/${name}`);
  if (topic === undefined) throw missing(`There is no topic ${name} (${flag})`, topics);
  if (!types.includes(topic.type)) {
    throw fault("TOPIC_TYPE", `${topic.name} (${flag}) is ${topic.type}, wanted ${types.join(" or ")}`, topics);
  }
  if (topic.count === 0) throw missing(`${topic.name} (${flag}) has no messages`, topics);
  return topic;
}

function missing(what: string, topics: readonly NamedTopic[]): Fault {
  return fault("TOPIC_MISSING", what, topics);
}

function fault(code: FaultCode, what: string, topics: readonly NamedTopic[]): Fault {
  const list = topics.map(({ name, type, count }) => `${name} (${type}, ${count} messages)`).join("; ");
  return new Fault(`${what}. Topics: ${list || "none"}`, { code, remedy });
}
