import { cameraInfosOf } from "../core/calibration.ts";
import type { RectifiedPair } from "../core/ports.ts";
import { encodeJpeg } from "../io/encode-jpeg.ts";
import { writeCameraInfo, writeCompressedImage } from "../msg/write-camera.ts";

const QUALITY = 75;

/** What a pair's left image became: a replay that is written and looked at wants it twice. */
const made = new WeakMap<RectifiedPair, Promise<Uint8Array>>();

/** sensor_msgs/CompressedImage (JPEG) of what the left camera saw, rectified; in colour where the pair has it. */
export async function leftImageMessage(pair: RectifiedPair): Promise<Uint8Array> {
  let message = made.get(pair);
  if (message === undefined) {
    message = encoded(pair);
    made.set(pair, message);
  }
  return await message;
}

async function encoded({ stampNs, frameId, left, leftNative }: RectifiedPair): Promise<Uint8Array> {
  return writeCompressedImage({ stampNs, frameId }, "jpeg", await encodeJpeg(leftNative ?? left, QUALITY));
}

/** sensor_msgs/CameraInfo of the same. */
export function leftInfoMessage({ stampNs, frameId, calibration }: RectifiedPair): Uint8Array {
  return writeCameraInfo({ ...cameraInfosOf(calibration).left, stampNs, frameId });
}
