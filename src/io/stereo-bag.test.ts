import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodeCdr } from "../../test/support/encode-cdr.ts";
import { tempFolder } from "../../test/support/temp.ts";
import type { StereoInput } from "../core/ports.ts";
import { openBag } from "./bag.ts";
import { McapSink } from "./mcap-writer.ts";
import { type StereoSourceOptions, stereoSource } from "./stereo-bag.ts";
import { findStereoTopics } from "./stereo-topics.ts";

const folder = tempFolder();
const [width, height] = [32, 24];
type Sides = "left" | "right";

function header(ms: number): { stamp: { sec: number; nanosec: number }; frame_id: string } {
  return { stamp: { sec: 0, nanosec: ms * 1_000_000 }, frame_id: "eye" };
}

function image(ms: number, change: Record<string, unknown> = {}): Uint8Array {
  const data = new Uint8Array(width * height).fill(ms);
  const message = {
    header: header(ms),
    height,
    width,
    encoding: "mono8",
    is_bigendian: 0,
    step: width,
    data,
    ...change,
  };
  return encodeCdr("sensor_msgs/Image", message);
}

function info(ms: number): Uint8Array {
  const numbers = (length: number): number[] => Array.from({ length }, (_, at) => at);
  const roi = { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false };
  return encodeCdr("sensor_msgs/CameraInfo", {
    header: header(ms),
    height,
    width,
    distortion_model: "plumb_bob",
    d: [],
    k: numbers(9),
    r: numbers(9),
    p: numbers(12),
    binning_x: 0,
    binning_y: 0,
    roi,
  });
}

function transform(ms: number, w = 1): Uint8Array {
  const child = {
    header: { ...header(ms), frame_id: "odom" },
    child_frame_id: "base_link",
    transform: { translation: { x: ms, y: 0, z: 0 }, rotation: { x: 0, y: 0, z: 0, w } },
  };
  return encodeCdr("tf2_msgs/TFMessage", { transforms: [child] });
}

type Row = readonly [ms: number, topic: string, data: Uint8Array];

async function inputsOf(
  name: string,
  rows: readonly Row[],
  options: Partial<StereoSourceOptions> = {},
): Promise<StereoInput[]> {
  const path = join(folder, `${name}.mcap`);
  const sink = await McapSink.open(path);
  for (const side of ["left", "right"]) {
    sink.addTopic(`/${side}/image_raw`, "sensor_msgs/msg/Image");
    sink.addTopic(`/${side}/image_rect/compressed`, "sensor_msgs/msg/CompressedImage");
    sink.addTopic(`/${side}/camera_info`, "sensor_msgs/msg/CameraInfo");
  }
  for (const topic of ["/tf", "/tf_static"]) sink.addTopic(topic, "tf2_msgs/msg/TFMessage");
  for (const [ms, topic, data] of rows) await sink.write(topic, BigInt(ms) * 1_000_000n, data);
  await sink.close();
  const bag = await openBag(path);
  const inputs: StereoInput[] = [];
  for await (const input of stereoSource(bag, findStereoTopics(bag.topics), { want: "grey", ...options }))
    inputs.push(input);
  await bag.close();
  return inputs;
}

/** `image left 3` and the like: kind, side and stamp in milliseconds. */
function brief(input: StereoInput): string {
  const ms = (ns: bigint): number => Number(ns / 1_000_000n);
  switch (input.kind) {
    case "image":
      return `image ${input.side} ${ms(input.image.stampNs)}`;
    case "info":
      return `info ${input.side} ${ms(input.info.stampNs)}`;
    case "transform":
      return `${input.transform.isStatic ? "static" : "moving"} ${ms(input.transform.stampNs)}`;
    case "rejected":
      return `rejected ${input.where} ${input.side} ${input.reason.code}`;
  }
}

const both = (ms: number): Row[] =>
  (["left", "right"] as const).map((side: Sides) => [ms, `/${side}/image_raw`, image(ms)]);

describe("what comes late", () => {
  it("calibration and static transforms recorded after the first images come first", async () => {
    const rows: Row[] = [
      ...both(1),
      [2, "/tf", transform(2)],
      ...both(3),
      [4, "/left/camera_info", info(4)],
      [5, "/right/camera_info", info(5)],
      [6, "/tf_static", transform(6)],
    ];
    expect((await inputsOf("late", rows)).map(brief)).toEqual([
      "static 6",
      "info left 4",
      "info right 5",
      "image left 1",
      "image right 1",
      "moving 2",
      "image left 3",
      "image right 3",
      "info left 4",
      "info right 5",
    ]);
  });

  it("also where only a stretch is asked for", async () => {
    const rows: Row[] = [
      [0, "/tf_static", transform(0)],
      [0, "/left/camera_info", info(0)],
      [0, "/right/camera_info", info(0)],
      ...both(1),
      ...both(2),
      ...both(3),
    ];
    const inputs = await inputsOf("stretch", rows, { fromNs: 2_000_000n, toNs: 2_000_000n });
    expect(inputs.map(brief)).toEqual(["static 0", "info left 0", "info right 0", "image left 2", "image right 2"]);
  });
});

const calibration: Row[] = [
  [0, "/left/camera_info", info(0)],
  [0, "/right/camera_info", info(0)],
];

it("images are the consumer's: they stay as they are while the source goes on", async () => {
  const inputs = await inputsOf("owned", [
    ...calibration,
    ...Array.from({ length: 20 }, (_, at) => both(at + 1)).flat(),
  ]);
  const images = inputs.flatMap((input) => (input.kind === "image" ? [input.image] : []));
  expect(images.length).toBe(40);
  for (const {
    stampNs,
    image: { data },
  } of images)
    expect(data.every((value) => value === Number(stampNs / 1_000_000n))).toBe(true);
});

describe("what cannot be used is reported in its place", () => {
  it("raw images, infos and transforms", async () => {
    const rows: Row[] = [
      ...calibration,
      ...both(1),
      [2, "/left/image_raw", image(2, { encoding: "32FC1" })],
      [3, "/right/image_raw", image(3, { data: new Uint8Array(5) })],
      [4, "/left/image_raw", image(4).subarray(0, 40)],
      [5, "/tf", transform(5, Number.NaN)],
      [6, "/tf_static", transform(6).subarray(0, 20)],
      [7, "/left/camera_info", info(7).subarray(0, 99)],
      ...both(8),
    ];
    expect((await inputsOf("bad", rows)).map(brief)).toEqual([
      "rejected /tf_static undefined MESSAGE_CORRUPT",
      "info left 0",
      "info right 0",
      "info left 0",
      "info right 0",
      "image left 1",
      "image right 1",
      "rejected /left/image_raw left IMAGE_ENCODING",
      "rejected /right/image_raw right IMAGE_SHAPE",
      "rejected /left/image_raw left MESSAGE_CORRUPT",
      "rejected /tf undefined TF_INVALID",
      "rejected /left/camera_info left MESSAGE_CORRUPT",
      "image left 8",
      "image right 8",
    ]);
  });

  it("a corrupt JPEG in the middle, cut or with a hole; the order stays", async () => {
    const picture = Uint8Array.from({ length: width * height }, (_, at) => (at * 37) % 256);
    const jpeg = await sharp(picture, { raw: { width, height, channels: 1 } })
      .toColourspace("b-w")
      .jpeg({ quality: 90 })
      .toBuffer();
    // A marker amid the picture's data, as lost packets leave it. (Other flips may pass: a JPEG has no checksum.)
    const flipped = Buffer.from(jpeg);
    flipped.set([0xff, 0xd3], jpeg.length - 200);
    const compressed = (ms: number, data: Uint8Array): Uint8Array =>
      encodeCdr("sensor_msgs/CompressedImage", { header: header(ms), format: "jpeg", data });
    const rows: Row[] = [...calibration];
    for (let ms = 1; ms <= 12; ms += 1) {
      const left =
        ms === 5 ? jpeg.subarray(0, jpeg.length - 60) : ms === 7 ? flipped : ms === 9 ? Buffer.from("no jpeg") : jpeg;
      rows.push(
        [ms, "/left/image_rect/compressed", compressed(ms, left)],
        [ms, "/right/image_rect/compressed", compressed(ms, jpeg)],
      );
    }
    const inputs = (await inputsOf("jpeg", rows)).slice(4);
    const wanted = Array.from({ length: 12 }, (_, at) => at + 1).flatMap((ms) => [
      [5, 7, 9].includes(ms) ? "rejected /left/image_rect/compressed left IMAGE_CORRUPT" : `image left ${ms}`,
      `image right ${ms}`,
    ]);
    expect(inputs.map(brief)).toEqual(wanted);
  });
});

it("a consumer who stops early leaves nothing running", async () => {
  const path = join(folder, "owned.mcap");
  const bag = await openBag(path);
  for await (const input of stereoSource(bag, findStereoTopics(bag.topics), { want: "native" }))
    if (input.kind === "image") break;
  await bag.close();
});

it("memory stays flat over a long bag", async () => {
  const path = join(folder, "long.mcap");
  const sink = await McapSink.open(path, { compression: "none" });
  const size = 640 * 480;
  sink.addTopic("/left/image_raw", "sensor_msgs/msg/Image");
  for (let at = 0; at < 600; at += 1) {
    const data = new Uint8Array(size).fill(at);
    await sink.write("/left/image_raw", BigInt(at), image(1, { width: 640, height: 480, step: 640, data }));
  }
  await sink.close();
  // Without index and end: the hardest way to read it.
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length - 100_000));
  const bag = await openBag(path);
  let peak = 0;
  let count = 0;
  for await (const { data } of bag.messages()) {
    count += data[100]! >= 0 ? 1 : 0;
    if (count % 50 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  await bag.close();
  expect(count).toBeGreaterThan(590);
  // The file is 184 MB and `bytes` above holds it once; reading must not hold it again.
  expect(peak).toBeLessThan(1.8 * bytes.length);
});
