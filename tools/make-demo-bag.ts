/**
 * Packs the rendered demo drive (`python -m voxeltrain.drive --out DIR`) into the bag that `voxelguard demo` replays:
 *
 *     npx tsx tools/make-demo-bag.ts DIR demo/drive.mcap
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { cameraInfosOf } from "../src/core/calibration.ts";
import type { Header } from "../src/core/image.ts";
import { compose, invert, type Transform } from "../src/core/transform.ts";
import { encodeDepth } from "../src/io/decode-depth.ts";
import { McapSink } from "../src/io/mcap-writer.ts";
import { writeCameraInfo, writeCompressedImage } from "../src/msg/write-camera.ts";
import { writeTfMessage } from "../src/msg/write-tf.ts";

interface Drive {
  readonly calibration: Calibration;
  readonly frames: readonly {
    readonly stampNs: string;
    readonly T_odom_optical: readonly (number | readonly number[])[];
  }[];
}

interface Calibration {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly baseline_m: number;
}

const frame = {
  odom: "odom",
  base: "base_link",
  left: "stereo_left_optical_frame",
  right: "stereo_right_optical_frame",
};
const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error("usage: make-demo-bag.ts DRIVE_FOLDER OUT.mcap");

const drive = await readDrive(join(from, "drive.json"));
const infos = cameraInfosOf({ ...drive.calibration, baselineM: drive.calibration.baseline_m, doffsPx: 0 });
const poses = drive.frames.map(({ T_odom_optical }) =>
  Float64Array.from((T_odom_optical.flat() as number[]).slice(0, 12)),
);
// The base stands on the ground below the camera, x forward, z up.
const T_base_left: Transform = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, poses[0]![11]!);
const T_left_right: Transform = Float64Array.of(1, 0, 0, drive.calibration.baseline_m, 0, 1, 0, 0, 0, 0, 1, 0);

const sink = await McapSink.open(to, { compression: "none" });
for (const eye of ["left", "right"] as const) {
  sink.addTopic(`/stereo/${eye}/image_rect/compressed`, "sensor_msgs/msg/CompressedImage");
  sink.addTopic(`/stereo/${eye}/camera_info`, "sensor_msgs/msg/CameraInfo");
}
sink.addTopic("/ground_truth/depth", "sensor_msgs/msg/CompressedImage");
sink.addTopic("/tf", "tf2_msgs/msg/TFMessage");
sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");

const firstNs = BigInt(drive.frames[0]!.stampNs);
const mount = (parent: string, child: string, T_parent_child: Transform) => ({
  stampNs: firstNs,
  parent,
  child,
  T_parent_child,
  isStatic: true,
});
await sink.write(
  "/tf_static",
  firstNs,
  writeTfMessage([mount(frame.base, frame.left, T_base_left), mount(frame.left, frame.right, T_left_right)]),
);
for (const [i, { stampNs: text }] of drive.frames.entries()) {
  const stampNs = BigInt(text);
  const name = String(i).padStart(4, "0");
  const T_parent_child = compose(poses[i]!, invert(T_base_left));
  await sink.write(
    "/tf",
    stampNs,
    writeTfMessage([{ stampNs, parent: frame.odom, child: frame.base, T_parent_child, isStatic: false }]),
  );
  for (const eye of ["left", "right"] as const) {
    const header: Header = { stampNs, frameId: frame[eye] };
    await sink.write(`/stereo/${eye}/camera_info`, stampNs, writeCameraInfo({ ...infos[eye], ...header }));
    const jpeg = await readFile(join(from, eye, `${name}.jpg`));
    await sink.write(
      `/stereo/${eye}/image_rect/compressed`,
      stampNs,
      writeCompressedImage(header, "rgb8; jpeg compressed bgr8", jpeg),
    );
  }
  const depth = await truth(join(from, "depth", `${name}.png`));
  await sink.write(
    "/ground_truth/depth",
    stampNs,
    writeCompressedImage({ stampNs, frameId: frame.left }, "16UC1; png compressed", depth),
  );
}
await sink.close();

async function readDrive(path: string): Promise<Drive> {
  return JSON.parse(await readFile(path, "utf8")) as Drive;
}

/** Centimetres (0 = none) as the renderer writes them -> millimetres. */
async function truth(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(path)
    .toColourspace("grey16")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const cm = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
  return await encodeDepth({
    width: info.width,
    height: info.height,
    data: Float32Array.from(cm, (v) => (v === 0 ? Number.NaN : v / 100)),
  });
}
