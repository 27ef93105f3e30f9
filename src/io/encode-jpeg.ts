import sharp from "sharp";
import type { Image } from "../core/image.ts";

/** The image as JPEG; `quality` 1..100. */
export async function encodeJpeg({ data, width, height, channels }: Image, quality: number): Promise<Uint8Array> {
  return await sharp(data, { raw: { width, height, channels } }).jpeg({ quality }).toBuffer();
}
