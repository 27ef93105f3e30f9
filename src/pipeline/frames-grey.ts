import type { StampedImage } from "../core/image.ts";

/** The image in grey: luma of BT.601 as whole 256ths, 77 R + 150 G + 29 B. Passes grey images on as they are. */
export function toGrey(stamped: StampedImage): StampedImage {
  const { width, height, channels, data } = stamped.image;
  if (channels === 1) return stamped;
  const grey = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i += 1, at += 3) {
    grey[i] = (77 * data[at]! + 150 * data[at + 1]! + 29 * data[at + 2]! + 128) >> 8;
  }
  return { ...stamped, image: { width, height, channels: 1, data: grey }, native: stamped.image };
}
