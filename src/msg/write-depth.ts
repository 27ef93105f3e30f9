import type { Header } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";

/** One float32 a pixel, row-major; more than width * height is ignored. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface DisparityArrays extends FloatImage {
  /** Focal length, pixels. */
  readonly focalPx: number;
  readonly baselineM: number;
  /** Greatest disparity searched; the least is 0. */
  readonly maxPx: number;
  /** Smallest step between two disparities. */
  readonly stepPx: number;
}

/** sensor_msgs/Image with encoding 32FC1, little-endian as every host that Node runs on. */
export function writeFloatImage(header: Header, image: FloatImage): Uint8Array<ArrayBuffer> {
  return floatImage(new CdrBytes(sizeOf(header, image)), header, image).take();
}

/**
 * stereo_msgs/DisparityImage. Counted from infinity, as the message wants it (x left minus x right minus the difference of
 * the principal points), so that depth is `f * t / disparity`. Every pixel may be valid.
 */
export function writeDisparityImage(header: Header, image: DisparityArrays): Uint8Array<ArrayBuffer> {
  const out = new CdrBytes(sizeOf(header, image) + 64 + header.frameId.length).header(header);
  floatImage(out, header, image).float32(image.focalPx).float32(image.baselineM);
  out.uint32(0).uint32(0).uint32(image.height).uint32(image.width).bool(false);
  return out.float32(0).float32(image.maxPx).float32(image.stepPx).take();
}

function sizeOf({ frameId }: Header, { width, height }: FloatImage): number {
  return 96 + frameId.length + width * height * 4;
}

function floatImage(out: CdrBytes, header: Header, { width, height, data }: FloatImage): CdrBytes {
  const values = data.subarray(0, width * height);
  return out
    .header(header)
    .uint32(height)
    .uint32(width)
    .string("32FC1")
    .uint8(0)
    .uint32(width * 4)
    .byteSequence(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
