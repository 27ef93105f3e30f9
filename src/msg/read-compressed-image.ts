import type { Header } from "../core/image.ts";
import { decodeCdr } from "./codec.ts";
import { headerOf, type RosHeader } from "./header.ts";

/** `sensor_msgs/CompressedImage`: still compressed; `data` is a view into the message. */
export interface CompressedImage extends Header {
  /** Such as `jpeg`, `png` or `bgr8; jpeg compressed bgr8`. */
  readonly format: string;
  readonly data: Uint8Array;
}

/** From CDR; `data` stays a view into it. Throws `Fault` MESSAGE_CORRUPT. */
export function readCompressedImage(data: Uint8Array): CompressedImage {
  const message = decodeCdr<{ header: RosHeader; format: string; data: Uint8Array }>(
    "sensor_msgs/CompressedImage",
    data,
  );
  return { ...headerOf(message.header), format: message.format, data: message.data };
}
