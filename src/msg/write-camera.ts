import type { CameraInfo } from "../core/calibration.ts";
import type { Header, Image } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";

/** sensor_msgs/CameraInfo (REP-104). */
export function writeCameraInfo(info: CameraInfo): Uint8Array<ArrayBuffer> {
  const out = new CdrBytes(512 + info.d.length * 8).header(info).uint32(info.height).uint32(info.width);
  out.string(info.distortionModel).uint32(info.d.length).float64s(info.d);
  out.float64s(info.k, 9).float64s(info.r, 9).float64s(info.p, 12);
  const { roi } = info;
  out.uint32(info.binningX).uint32(info.binningY);
  out.uint32(roi.xOffset).uint32(roi.yOffset).uint32(roi.height).uint32(roi.width).bool(false);
  return out.take();
}

/** sensor_msgs/Image, rows packed: mono8 for 1 channel, rgb8 for 3. */
export function writeImage(header: Header, image: Image): Uint8Array<ArrayBuffer> {
  const step = image.width * image.channels;
  return new CdrBytes(96 + header.frameId.length + step * image.height)
    .header(header)
    .uint32(image.height)
    .uint32(image.width)
    .string(image.channels === 1 ? "mono8" : "rgb8")
    .uint8(0)
    .uint32(step)
    .byteSequence(image.data.subarray(0, step * image.height))
    .take();
}

/** sensor_msgs/CompressedImage; `format` as image_transport writes it, e.g. "jpeg" or "rgb8; jpeg compressed bgr8". */
export function writeCompressedImage(header: Header, format: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return new CdrBytes(64 + header.frameId.length + format.length + data.length)
    .header(header)
    .string(format)
    .byteSequence(data)
    .take();
}
