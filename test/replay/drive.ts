import sharp from "sharp";
import { type CameraInfo, cameraInfosOf } from "../../src/core/calibration.ts";
import type { StampedTransform } from "../../src/core/ports.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { writeCameraInfo } from "../../src/msg/write-camera.ts";
import { writeTfMessage } from "../../src/msg/write-tf.ts";
import { encodeCdr } from "../support/encode-cdr.ts";

/** A message of a made-up recording; cases of bad input are made by changing the list. */
export interface DriveMessage {
  readonly topic: string;
  readonly type: string;
  readonly timeNs: bigint;
  readonly data: Uint8Array;
}

export interface DriveOptions {
  readonly pairs?: number;
  /** Of the images; multiples of 32 are not needed. */
  readonly width?: number;
  readonly height?: number;
  readonly baselineM?: number;
  /** Width that CameraInfo claims, where it lies. */
  readonly infoWidth?: number;
  readonly compressed?: boolean;
}

export const topics = {
  left: "/stereo/left/image_rect",
  right: "/stereo/right/image_rect",
  leftInfo: "/stereo/left/camera_info",
  rightInfo: "/stereo/right/camera_info",
} as const;
export const optical = { left: "left_optical", right: "right_optical" } as const;

export const firstNs = 1_700_000_000_000_000_000n;
export const periodNs = 100_000_000n;
const focalPx = 120;
const disparityPx = 8;

/** A wall of noise some metres ahead, seen at 10 Hz by a robot that drives along odom's x at 1 m/s. */
export async function drive(options: DriveOptions = {}): Promise<DriveMessage[]> {
  const { pairs = 6, width = 200, height = 96, baselineM = 0.3, compressed = false } = options;
  const out: DriveMessage[] = [];
  const mount: StampedTransform = {
    stampNs: firstNs,
    parent: "base_link",
    child: optical.left,
    T_parent_child: Float64Array.of(0, 0, 1, 0.2, -1, 0, 0, 0, 0, -1, 0, 1.5),
    isStatic: true,
  };
  out.push({
    topic: "/tf_static",
    type: "tf2_msgs/msg/TFMessage",
    timeNs: firstNs,
    data: writeTfMessage([mount]),
  });
  for (let i = 0; i < pairs; i += 1) {
    const stampNs = firstNs + BigInt(i) * periodNs;
    out.push(poseMessage(stampNs, i * 0.1));
    for (const side of ["left", "right"] as const) {
      const info = infoOf(stampNs, side, options.infoWidth ?? width, height, baselineM);
      const infoTopic = side === "left" ? topics.leftInfo : topics.rightInfo;
      out.push({
        topic: infoTopic,
        type: "sensor_msgs/msg/CameraInfo",
        timeNs: stampNs,
        data: writeCameraInfo(info),
      });
      const pixels = wall(width, height, i, side === "left" ? 0 : disparityPx);
      out.push(
        compressed
          ? await jpegMessage(stampNs, side, width, height, pixels)
          : imageMessage(stampNs, side, width, pixels),
      );
    }
  }
  return out;
}

/** odom -> base_link. */
export function poseMessage(stampNs: bigint, x: number): DriveMessage {
  const translation = { x, y: 0, z: 0 };
  const rotation = { x: 0, y: 0, z: 0, w: 1 };
  const transform = {
    header: headerOf(stampNs, "odom"),
    child_frame_id: "base_link",
    transform: { translation, rotation },
  };
  return {
    topic: "/tf",
    type: "tf2_msgs/msg/TFMessage",
    timeNs: stampNs,
    data: encodeCdr("tf2_msgs/msg/TFMessage", { transforms: [transform] }),
  };
}

/** A mono8 image, or what `change` makes of the message. */
export function imageMessage(
  stampNs: bigint,
  side: "left" | "right",
  width: number,
  pixels: Uint8Array,
  change: Record<string, unknown> = {},
): DriveMessage {
  const message = {
    header: headerOf(stampNs, optical[side]),
    height: pixels.length / width,
    width,
    encoding: "mono8",
    is_bigendian: 0,
    step: width,
    data: pixels,
    ...change,
  };
  return {
    topic: topics[side],
    type: "sensor_msgs/msg/Image",
    timeNs: stampNs,
    data: encodeCdr("sensor_msgs/msg/Image", message),
  };
}

export function compressedMessage(stampNs: bigint, side: "left" | "right", data: Uint8Array): DriveMessage {
  const type = "sensor_msgs/msg/CompressedImage";
  const message = { header: headerOf(stampNs, optical[side]), format: "jpeg", data };
  return { topic: `${topics[side]}/compressed`, type, timeNs: stampNs, data: encodeCdr(type, message) };
}

async function jpegMessage(
  stampNs: bigint,
  side: "left" | "right",
  width: number,
  height: number,
  pixels: Uint8Array,
): Promise<DriveMessage> {
  const jpeg = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .jpeg({ quality: 90 })
    .toBuffer();
  return compressedMessage(stampNs, side, jpeg);
}

/** Writes the messages, in their order, as a bag of our own. */
export async function writeBag(path: string, messages: readonly DriveMessage[]): Promise<string> {
  const sink = await McapSink.open(path);
  for (const { topic, type } of messages) sink.addTopic(topic, type);
  for (const { topic, timeNs, data } of messages) await sink.write(topic, timeNs, data);
  await sink.close();
  return path;
}

function headerOf(stampNs: bigint, frameId: string) {
  const stamp = { sec: Number(stampNs / 1_000_000_000n), nanosec: Number(stampNs % 1_000_000_000n) };
  return { stamp, frame_id: frameId };
}

function infoOf(stampNs: bigint, side: "left" | "right", width: number, height: number, baselineM: number): CameraInfo {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const infos = cameraInfosOf({ width, height, fx: focalPx, fy: focalPx, cx, cy, baselineM, doffsPx: 0 });
  return { ...infos[side], stampNs, frameId: optical[side] };
}

/** Noise, moved left by `shiftPx`; another wall for each `seed`. */
function wall(width: number, height: number, seed: number, shiftPx: number): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      // A hash of the place on the wall (Wang's integer hash), so that both eyes see the same.
      let h = ((x + shiftPx) * 73_856_093) ^ (y * 19_349_663) ^ (seed * 83_492_791);
      h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
      h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
      out[y * width + x] = (h ^ (h >>> 15)) & 255;
    }
  }
  return out;
}
