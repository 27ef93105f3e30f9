import { Fault } from "../core/fault.ts";
import type { StampedImage } from "../core/image.ts";
import { readCompressedImage } from "../msg/read-compressed-image.ts";
import { type ImageWant, readImage } from "../msg/read-image.ts";
import type { Bag } from "./bag.ts";
import type { BagMessage, BagTopic } from "./bag-file.ts";
import { decodeCompressed } from "./decode-compressed.ts";
import { rightOf } from "./topic-names.ts";

export const imageTypes: readonly string[] = ["sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"];
/** Images that are no camera's view. */
export const derivedImage = /depth|disparity|mask|confidence|normal|segment|label|debug|preview|overlay/i;

/** A sensor_msgs/Image of a bag, the pixels the consumer's own. Throws `Fault` MESSAGE_CORRUPT, IMAGE_*. */
export function ownImage({ data }: BagMessage, want: ImageWant): StampedImage {
  const { image, ...header } = readImage(data, want);
  // Without padding the pixels are still the bag's.
  const isBorrowed = image.data.buffer === data.buffer;
  return { ...header, image: isBorrowed ? { ...image, data: image.data.slice() } : image };
}

/** A sensor_msgs/CompressedImage of a bag; done with the message's bytes when it returns, even if the promise is not. */
export async function ownCompressedImage({ data }: BagMessage, want: ImageWant): Promise<StampedImage> {
  const compressed = readCompressedImage(data);
  return await decodeCompressed({ ...compressed, data: compressed.data.slice() }, want);
}

/**
 * The camera to look at: the one named, else the only one, else the left one of a pair. Throws `Fault` TOPIC_MISSING,
 * TOPIC_TYPE.
 */
export function findImageTopic(topics: readonly BagTopic[], given?: string): BagTopic {
  const images = topics.filter(({ type, count }) => imageTypes.includes(type) && count > 0);
  const names = images.map(({ name }) => name);
  const there = names.length === 0 ? "it has no images" : `it has images on ${names.join(", ")}`;
  const remedy = "Name one of its image topics with --topic; `voxelguard bag info` lists all topics.";
  if (given !== undefined) {
    const named = images.find(({ name }) => name === given);
    if (named !== undefined) return named;
    const other = topics.find(({ name }) => name === given);
    const why = other === undefined ? `no messages on ${given}` : `${other.type} on ${given}`;
    throw new Fault(`The recording has ${why}; ${there}.`, {
      code: other === undefined ? "TOPIC_MISSING" : "TOPIC_TYPE",
      remedy,
    });
  }
  const cameras = images.filter(({ name }) => !derivedImage.test(name));
  const left = cameras.find(({ name }) => rightOf(name).some((right) => names.includes(right)));
  const found = cameras.length === 1 ? cameras[0] : left;
  if (found !== undefined) return found;
  throw new Fault(`Which camera of the recording is meant is not clear: ${there}.`, { code: "TOPIC_MISSING", remedy });
}

/** The images of one topic in order of log time; what cannot be decoded comes as a `Fault` in its place. */
export async function* imageSource(bag: Bag, topic: BagTopic, want: ImageWant): AsyncGenerator<StampedImage | Fault> {
  const read = topic.type === "sensor_msgs/msg/Image" ? ownImage : ownCompressedImage;
  for await (const message of bag.messages({ topics: new Set([topic.name]) })) {
    try {
      yield await read(message, want);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      yield thrown;
    }
  }
}
