import type { Header } from "../core/image.ts";
import { encodeJpeg } from "../io/encode-jpeg.ts";
import { decodeCdr } from "../msg/codec.ts";
import { headerOf, type RosHeader } from "../msg/header.ts";
import { readImage } from "../msg/read-image.ts";
import { writeCompressedImage } from "../msg/write-camera.ts";

const QUALITY = 75;

/** A recorded image as sensor_msgs/CompressedImage: itself if it is one, else as JPEG. Throws `Fault` for a bad one. */
export async function compressed(
  cdr: Uint8Array,
  type: string | undefined,
): Promise<{ header: Header; jpeg: Uint8Array }> {
  if (type !== "sensor_msgs/msg/Image") return { header: headerOfCdr("sensor_msgs/CompressedImage", cdr), jpeg: cdr };
  const { image, ...header } = readImage(cdr);
  return { header, jpeg: writeCompressedImage(header, "jpeg", await encodeJpeg(image, QUALITY)) };
}

/** Stamp and frame of a message that begins with a std_msgs/Header, by its whole definition. */
export function headerOfCdr(type: string, cdr: Uint8Array): Header {
  return headerOf(decodeCdr<{ header: RosHeader }>(type, cdr).header);
}
