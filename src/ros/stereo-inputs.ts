import type { StereoNodeConfig } from "../config/stereo-node-schema.ts";
import { imageTopic, stereoInputs } from "../config/stereo-topics.ts";
import type { Topic } from "../config/topic.ts";
import { Fault, messageOf } from "../core/fault.ts";
import type { StampedImage } from "../core/image.ts";
import type { Rejection, Side, StereoInput } from "../core/ports.ts";
import { readCameraInfo } from "../msg/read-camera-info.ts";
import { readImage } from "../msg/read-image.ts";
import { readTf } from "../msg/read-tf.ts";
import { type Listening, listenTo } from "./listening.ts";
import type { NodeTopics, RawSubscription } from "./topics.ts";

/** Grey pixels of a `sensor_msgs/CompressedImage` in CDR. */
export type CompressedReader = (data: Uint8Array) => Promise<StampedImage>;

export const sides = ["left", "right"] as const satisfies readonly Side[];

/** Subscribes to images and CameraInfo of both eyes; what comes goes to `push`, unreadable messages as rejections. */
export function listenToEyes(
  topics: NodeTopics,
  config: StereoNodeConfig,
  readCompressed: CompressedReader,
  push: (input: StereoInput) => void,
): Record<`${Side} image` | `${Side} CameraInfo`, Listening> {
  const listen = (
    what: string,
    topic: Topic,
    side: Side,
    read: (data: Uint8Array) => StereoInput | Promise<StereoInput>,
  ) => {
    const listening = listenTo(topics, what, topic, (data) =>
      attempt(() => read(data), listening.subscription.topic, side, push),
    );
    return listening;
  };
  const image = (side: Side) => {
    const spec = { ...stereoInputs[`${side}Image`], ...imageTopic(side, config.image_topic, config.image_transport) };
    return listen(`${side} image`, spec, side, (data) => {
      if (config.image_transport === "raw") return { kind: "image", side, image: readImage(data, "grey") };
      return readCompressed(data).then((found) => ({ kind: "image", side, image: found }));
    });
  };
  const info = (side: Side) =>
    listen(`${side} CameraInfo`, stereoInputs[`${side}Info`], side, (data) => ({
      kind: "info",
      side,
      info: readCameraInfo(data),
    }));
  return {
    "left image": image("left"),
    "right image": image("right"),
    "left CameraInfo": info("left"),
    "right CameraInfo": info("right"),
  };
}

/** Subscribes to /tf and /tf_static. */
export function listenToTf(topics: NodeTopics, push: (input: StereoInput) => void): RawSubscription[] {
  return [false, true].map((isStatic) => {
    const topic = isStatic ? stereoInputs.tfStatic : stereoInputs.tf;
    return topics.subscribe(topic, (data) => {
      const { transforms, rejected } = readTf(data, isStatic);
      for (const transform of transforms) push({ kind: "transform", transform });
      for (const reason of rejected) push({ kind: "rejected", where: topic.name, side: undefined, reason });
    });
  });
}

function attempt(
  read: () => StereoInput | Promise<StereoInput>,
  where: string,
  side: Side,
  push: (input: StereoInput) => void,
): void | Promise<void> {
  const reject = (thrown: unknown) => {
    // Anything else is a defect, for the guard around the callback to tell.
    if (!(thrown instanceof Fault)) throw thrown;
    const reason: Rejection = { code: thrown.code, message: messageOf(thrown) };
    push({ kind: "rejected", where, side, reason });
  };
  try {
    const input = read();
    if (input instanceof Promise) return input.then(push).catch(reject);
    push(input);
  } catch (thrown) {
    reject(thrown);
  }
}
