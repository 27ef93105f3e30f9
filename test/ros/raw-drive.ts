import { join } from "node:path";
import { openBag } from "../../src/io/bag.ts";
import { decodeCompressed } from "../../src/io/decode-compressed.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { readCompressedImage } from "../../src/msg/read-compressed-image.ts";
import { writeImage } from "../../src/msg/write-camera.ts";

const demo = join(import.meta.dirname, "../../demo/drive.mcap");

/** The first `frames` frames of the demo drive with raw grey images, on the topics that the node listens to. */
export async function writeRawDrive(path: string, frames: number): Promise<void> {
  const bag = await openBag(demo);
  const sink = await McapSink.open(path);
  const types = {
    "/left/image_rect": "sensor_msgs/msg/Image",
    "/right/image_rect": "sensor_msgs/msg/Image",
    "/left/camera_info": "sensor_msgs/msg/CameraInfo",
    "/right/camera_info": "sensor_msgs/msg/CameraInfo",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/tf_static": "tf2_msgs/msg/TFMessage",
  };
  for (const [topic, type] of Object.entries(types)) sink.addTopic(topic, type);
  let lefts = 0;
  for await (const { topic, logTimeNs, data } of bag.messages({})) {
    const to = topic.replace("/stereo", "").replace("/compressed", "");
    if (!(to in types)) continue;
    if (to === "/left/image_rect") lefts += 1;
    if (lefts > frames) break;
    if (!topic.endsWith("/compressed")) {
      await sink.write(to, logTimeNs, data.slice());
      continue;
    }
    const image = await decodeCompressed(readCompressedImage(data.slice()), "grey");
    await sink.write(to, logTimeNs, writeImage(image, image.image));
  }
  await sink.close();
  await bag.close();
}
