import { Fault } from "../core/fault.ts";
import type { Image, StampedImage } from "../core/image.ts";
import { decodeCdr } from "./codec.ts";
import { headerOf, type RosHeader } from "./header.ts";
import { type ImageEncoding, imageEncodings } from "./image-encodings.ts";
import type { RawImage } from "./image-layout.ts";

/** `sensor_msgs/Image` as ROS shapes it, from CDR (then `data` is a view) or a live subscription. */
export interface ImageMessage {
  readonly header: RosHeader;
  readonly height: number;
  readonly width: number;
  readonly encoding: string;
  /** 0 or 1; a boolean where a ROS client library makes it so. */
  readonly is_bigendian: number | boolean;
  readonly step: number;
  readonly data: Uint8Array;
}

/** `native`: grey stays grey, everything else becomes RGB. */
export type ImageWant = "grey" | "rgb" | "native";

/** A buffer that grows to the largest image seen and is lent again for each. */
export interface ImageScratch {
  /** Valid until the next call. */
  borrow(bytes: number): Uint8Array;
}

export function makeImageScratch(): ImageScratch {
  let buffer = new Uint8Array(0);
  return {
    borrow(bytes) {
      if (buffer.length < bytes) buffer = new Uint8Array(bytes);
      return buffer.subarray(0, bytes);
    },
  };
}

/**
 * `sensor_msgs/Image` from CDR to packed 8-bit pixels. Whose the pixels are: see `decodeImage`. Throws `Fault`
 * MESSAGE_CORRUPT, IMAGE_ENCODING or IMAGE_SHAPE.
 */
export function readImage(data: Uint8Array, want: ImageWant = "native", scratch?: ImageScratch): StampedImage {
  return decodeImage(parseImage(data), want, scratch);
}

/** The message alone; `data` is a view into the CDR bytes. Throws `Fault` MESSAGE_CORRUPT. */
export function parseImage(data: Uint8Array): ImageMessage {
  return decodeCdr<ImageMessage>("sensor_msgs/Image", data);
}

/**
 * Packed 8-bit grey or RGB of a message; copies the pixels once at most. mono8 (asked for grey) and rgb8 (asked for
 * RGB) without padding come back as a view of `message.data`; otherwise the pixels lie in `scratch` (until its next
 * use) or, without one, in a new array that is the caller's. Grey of colour is (77 R + 150 G + 29 B + 128) >> 8, of YUV
 * the luma byte; 16 bits become 8 by >> 8. Throws `Fault` IMAGE_ENCODING or IMAGE_SHAPE.
 */
export function decodeImage(message: ImageMessage, want: ImageWant, scratch?: ImageScratch): StampedImage {
  const encoding = encodingOf(message.encoding);
  checkShape(message, encoding);
  const { width, height, step, data } = message;
  const channels = want === "native" ? encoding.channels : want === "grey" ? 1 : 3;
  const bytes = width * height * channels;
  let pixels: Uint8Array;
  if (encoding.packed && channels === encoding.channels && step === width * channels) {
    pixels = data.subarray(0, bytes);
  } else {
    pixels = scratch === undefined ? new Uint8Array(bytes) : scratch.borrow(bytes);
    const raw: RawImage = { width, height, step, bigEndian: Boolean(message.is_bigendian), data };
    if (channels === 1) encoding.toGrey(pixels, raw);
    else encoding.toRgb(pixels, raw);
  }
  const image: Image = { width, height, channels, data: pixels };
  return { ...headerOf(message.header), image };
}

function encodingOf(name: string): ImageEncoding {
  const encoding = Object.hasOwn(imageEncodings, name) ? imageEncodings[name] : undefined;
  if (encoding !== undefined) return encoding;
  throw new Fault(`Image encoding is "${name}", wanted one of ${Object.keys(imageEncodings).join(", ")}`, {
    code: "IMAGE_ENCODING",
    remedy: "Let the camera driver publish one of these, or convert with image_proc.",
  });
}

function checkShape(message: ImageMessage, encoding: ImageEncoding): void {
  const { width, height, step, data } = message;
  const [cellWidth, cellHeight] = encoding.cell;
  const rowBytes = width * encoding.pixelBytes;
  const bytes = step * height * encoding.rowsPerRow;
  let why: string | undefined;
  if (width === 0 || height === 0) why = "wanted at least one pixel";
  else if (width % cellWidth !== 0 || height % cellHeight !== 0) {
    why = `wanted a multiple of ${cellWidth} x ${cellHeight} pixels`;
  } else if (step < rowBytes) why = `wanted a step of at least ${rowBytes}`;
  else if (data.length < bytes) why = `wanted at least ${bytes} bytes of data`;
  if (why === undefined) return;
  throw new Fault(
    `${message.encoding} image of ${width} x ${height} pixels has step ${step} and ${data.length} bytes of data, ${why}`,
    { code: "IMAGE_SHAPE", remedy: "Check the driver or converter that wrote the message; it was left out." },
  );
}
