/**
 * Writes a raw stereo bag for the replay bench: `write-drive.ts BAG OUT.mcap FRAMES IMAGES`. The first IMAGES pairs of BAG
 * come again and again, while stamps and pose go on. A process of its own, so that its memory is not counted.
 */
import { cameraInfosOf } from "../../src/core/calibration.ts";
import { compose, identity, invert, type Transform } from "../../src/core/transform.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { writeCameraInfo, writeImage } from "../../src/msg/write-camera.ts";
import { writeTfMessage } from "../../src/msg/write-tf.ts";
import { HEIGHT, loadDrive, WIDTH } from "./drive.ts";

const FIRST_NS = 1_750_000_000_000_000_000n;
const PERIOD_NS = 100_000_000n;
const CAMERA_HEIGHT_M = 1.2;
const eyes = ["left", "right"] as const;

const [bag, path, frames, images] = process.argv.slice(2);
if (bag === undefined || path === undefined) throw new Error("usage: write-drive.ts BAG OUT.mcap FRAMES IMAGES");
const pairs = await loadDrive(bag, Number(images), 1);
/** Optical axes in body axes (REP-103), above the base. */
const T_base_camera: Transform = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, CAMERA_HEIGHT_M);

const sink = await McapSink.open(path, { compression: "none" });
for (const eye of eyes) {
  sink.addTopic(`/stereo/${eye}/image_rect`, "sensor_msgs/msg/Image");
  sink.addTopic(`/stereo/${eye}/camera_info`, "sensor_msgs/msg/CameraInfo");
}
sink.addTopic("/tf", "tf2_msgs/msg/TFMessage");
sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");
const mount = { stampNs: FIRST_NS, parent: "base_link", child: frameOf("left"), T_parent_child: T_base_camera };
await sink.write("/tf_static", FIRST_NS, writeTfMessage([{ ...mount, isStatic: true }]));

// One more time round starts a step after the end of the one before.
const poses = pairs.map(({ T_fixed_camera }) => {
  if (T_fixed_camera === undefined) throw new Error(`${bag} has no poses`);
  return T_fixed_camera;
});
const last = poses.at(-1)!;
const step = compose(last, invert(poses.at(-2) ?? last));
const round = compose(compose(step, last), invert(poses[0]!));
let T_odom_start = identity();
for (let n = 0; n < Number(frames); n += 1) {
  const at = n % pairs.length;
  if (n > 0 && at === 0) T_odom_start = compose(round, T_odom_start);
  const pair = pairs[at]!;
  const stampNs = FIRST_NS + BigInt(n) * PERIOD_NS;
  const T_parent_child = compose(compose(T_odom_start, poses[at]!), invert(T_base_camera));
  const edge = { stampNs, parent: "odom", child: "base_link", T_parent_child, isStatic: false };
  await sink.write("/tf", stampNs, writeTfMessage([edge]));
  for (const eye of eyes) {
    const header = { stampNs, frameId: frameOf(eye) };
    const image = { width: WIDTH, height: HEIGHT, channels: 1 as const, data: pair[eye] };
    await sink.write(`/stereo/${eye}/image_rect`, stampNs, writeImage(header, image));
    await sink.write(
      `/stereo/${eye}/camera_info`,
      stampNs,
      writeCameraInfo({ ...cameraInfosOf(pair.calibration)[eye], ...header }),
    );
  }
}
await sink.close();

function frameOf(eye: (typeof eyes)[number]): string {
  return `stereo_${eye}_optical_frame`;
}
