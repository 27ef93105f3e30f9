import { join } from "node:path";
import type { CameraInfo } from "../../src/core/calibration.ts";
import type { StampedImage } from "../../src/core/image.ts";
import type { Side } from "../../src/core/ports.ts";
import { openBag } from "../../src/io/bag.ts";
import { decodeCompressed } from "../../src/io/decode-compressed.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { readCameraInfo } from "../../src/msg/read-camera-info.ts";
import { readCompressedImage } from "../../src/msg/read-compressed-image.ts";
import { writeCameraInfo, writeImage } from "../../src/msg/write-camera.ts";

export const demo = join(import.meta.dirname, "../../demo/drive.mcap");

export interface RawDriveOptions {
  /** A bag with compressed images on `/stereo/{left,right}/image_rect`. Default: the demo drive. */
  readonly from?: string;
  readonly imageTopic?: "image_rect" | "image_raw";
  /** What to write in place of an image or a CameraInfo. */
  readonly image?: (image: StampedImage, side: Side) => StampedImage | Promise<StampedImage>;
  readonly info?: (info: CameraInfo, side: Side) => CameraInfo;
}

/** The first `frames` frames of a drive with raw grey images, on the topics that the node listens to. Returns how many. */
export async function writeRawDrive(path: string, frames: number, options: RawDriveOptions = {}): Promise<number> {
  const { from = demo, imageTopic = "image_rect", image = (same) => same, info = (same) => same } = options;
  const bag = await openBag(from);
  const sink = await McapSink.open(path);
  for (const side of ["left", "right"] as const) {
    sink.addTopic(`/${side}/${imageTopic}`, "sensor_msgs/msg/Image");
    sink.addTopic(`/${side}/camera_info`, "sensor_msgs/msg/CameraInfo");
  }
  for (const topic of ["/tf", "/tf_static"]) sink.addTopic(topic, "tf2_msgs/msg/TFMessage");
  let lefts = 0;
  for await (const { topic, logTimeNs, data } of bag.messages({})) {
    const side = topic.startsWith("/stereo/left") ? "left" : "right";
    if (topic.endsWith("left/image_rect/compressed")) lefts += 1;
    if (lefts > frames) break;
    if (topic.startsWith("/tf")) await sink.write(topic, logTimeNs, data.slice());
    else if (topic.endsWith("/camera_info")) {
      await sink.write(`/${side}/camera_info`, logTimeNs, writeCameraInfo(info(readCameraInfo(data), side)));
    } else if (topic.endsWith("/image_rect/compressed")) {
      const grey = await decodeCompressed(readCompressedImage(data.slice()), "grey");
      const written = await image(grey, side);
      await sink.write(`/${side}/${imageTopic}`, logTimeNs, writeImage(written, written.image));
    }
  }
  await sink.close();
  await bag.close();
  return Math.min(lefts, frames);
}
