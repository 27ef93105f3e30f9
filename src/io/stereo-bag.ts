import { Fault, messageOf } from "../core/fault.ts";
import type { Rejection, Side, StereoInput } from "../core/ports.ts";
import { readCameraInfo } from "../msg/read-camera-info.ts";
import type { ImageWant } from "../msg/read-image.ts";
import { readTf } from "../msg/read-tf.ts";
import type { Bag } from "./bag.ts";
import type { BagMessage } from "./bag-file.ts";
import { ownCompressedImage, ownImage } from "./bag-image.ts";
import type { EyeTopics, StereoTopics } from "./stereo-topics.ts";

/** Which part of the bag, and how images come. */
export interface StereoSourceOptions {
  readonly want: ImageWant;
  /** Log times, nanoseconds; the last included. Static transforms and first calibrations come from the whole bag. */
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

/** Compressed images that are decoded ahead, in libvips' threads, while the consumer works. */
const lookahead = 4;

/**
 * A recorded stereo drive in order of log time; images are the consumer's. Recorders note latched transforms and
 * calibrations when they hear of them, which may be after the first images; so all of /tf_static and the first
 * CameraInfo of each eye are fetched and delivered before everything else (that info appears again at its own place).
 * Messages that cannot be used come as `rejected`, in their place; damage of the bag itself is in `bag.faults`.
 */
export async function* stereoSource(
  bag: Bag,
  topics: StereoTopics,
  options: StereoSourceOptions,
): AsyncGenerator<StereoInput> {
  const tfStatic = new Set(topics.tfStatic);
  for await (const message of bag.messages({ topics: tfStatic })) yield* transforms(message, true);
  for (const side of ["left", "right"] as const) yield* firstInfo(bag, topics[side], side);

  const convert = converters(topics, options.want);
  const { fromNs, toNs } = options;
  const span = { ...(fromNs === undefined ? {} : { fromNs }), ...(toNs === undefined ? {} : { toNs }) };
  const pending: Promise<StereoInput[]>[] = [];
  for await (const message of bag.messages({ ...span, topics: new Set(convert.keys()) })) {
    pending.push(converted(message, convert.get(message.topic) as Converter));
    if (pending.length > lookahead) yield* await (pending.shift() as Promise<StereoInput[]>);
  }
  for (const inputs of pending) yield* await inputs;
}

/** Turns a message to inputs; must be done with the borrowed bytes when it returns, even if the promise is not. */
interface Converter {
  readonly side: Side | undefined;
  run(message: BagMessage): StereoInput[] | Promise<StereoInput[]>;
}

function converters(topics: StereoTopics, want: ImageWant): Map<string, Converter> {
  const table = new Map<string, Converter>();
  for (const side of ["left", "right"] as const) {
    const { image, info, compressed } = topics[side];
    const run = compressed ? compressedImages(side, want) : images(side, want);
    table.set(image, { side, run });
    table.set(info, { side, run: (message) => [{ kind: "info", side, info: readCameraInfo(message.data) }] });
  }
  for (const topic of topics.tf) table.set(topic, { side: undefined, run: (message) => transforms(message, false) });
  return table;
}

function images(side: Side, want: ImageWant): Converter["run"] {
  return (message) => [{ kind: "image", side, image: ownImage(message, want) }];
}

function compressedImages(side: Side, want: ImageWant): Converter["run"] {
  return async (message) => [{ kind: "image", side, image: await ownCompressedImage(message, want) }];
}

function transforms(message: BagMessage, isStatic: boolean): StereoInput[] {
  try {
    const { transforms, rejected } = readTf(message.data, isStatic);
    return [
      ...transforms.map((transform) => ({ kind: "transform", transform }) as const),
      ...rejected.map((reason) => ({ kind: "rejected", where: message.topic, side: undefined, reason }) as const),
    ];
  } catch (thrown) {
    return [{ kind: "rejected", where: message.topic, side: undefined, reason: rejectionOf(thrown) }];
  }
}

async function* firstInfo(bag: Bag, eye: EyeTopics, side: Side): AsyncGenerator<StereoInput> {
  for await (const message of bag.messages({ topics: new Set([eye.info]) })) {
    try {
      yield { kind: "info", side, info: readCameraInfo(message.data) };
      return;
    } catch (thrown) {
      // Reported at its own place; the next one may do.
      if (!(thrown instanceof Fault)) throw thrown;
    }
  }
}

/** Never rejects: a promise in the queue is awaited late. */
async function converted(message: BagMessage, { side, run }: Converter): Promise<StereoInput[]> {
  const where = message.topic;
  try {
    return await run(message);
  } catch (thrown) {
    return [{ kind: "rejected", where, side, reason: rejectionOf(thrown) }];
  }
}

function rejectionOf(thrown: unknown): Rejection {
  return { code: thrown instanceof Fault ? thrown.code : "MESSAGE_CORRUPT", message: messageOf(thrown) };
}
