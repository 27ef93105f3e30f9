import sharp from "sharp";
import { asFault, Fault } from "../core/fault.ts";
import type { Image, StampedImage } from "../core/image.ts";
import { timeOf } from "../msg/header.ts";
import { greyOfRgbInto, pickInto, pickRgbInto } from "../msg/image-layout.ts";
import type { CompressedImage } from "../msg/read-compressed-image.ts";
import { decodeImage, type ImageWant } from "../msg/read-image.ts";

// Every frame is a new picture: libvips' cache of past operations would only hold memory.
sharp.cache(false);

/**
 * JPEG or PNG (also of 16 bits, which become 8 by >> 8; alpha is dropped) to packed 8-bit pixels, which are the
 * caller's. `message.data` must stay as it is until the promise settles. A picture that is cut off or broken is refused
 * whole: half of one would be a false wall. Throws `Fault` IMAGE_CORRUPT or IMAGE_ENCODING (compressedDepth).
 */
export async function decodeCompressed(message: CompressedImage, want: ImageWant): Promise<StampedImage> {
  const { stampNs, frameId, format } = message;
  if (format.includes("compressedDepth")) {
    throw new Fault(`Compressed image has format "${format}", wanted jpeg or png of a camera picture`, {
      code: "IMAGE_ENCODING",
      remedy: "Name the topics of the two cameras, not of a depth image.",
    });
  }
  const picture = await decode(message);
  const mosaic = /^bayer_\w+8(?=;|$)/.exec(format)?.[0];
  if (mosaic !== undefined && picture.channels === 1) {
    // image_transport stores the raw mosaic of a colour camera when it writes PNG.
    const { width, height, data } = picture;
    const header = { stamp: timeOf(stampNs), frame_id: frameId };
    return decodeImage({ header, width, height, encoding: mosaic, is_bigendian: 0, step: width, data }, want);
  }
  return { stampNs, frameId, image: wanted(picture, want) };
}

async function decode(message: CompressedImage): Promise<Image> {
  try {
    const input = sharp(message.data, { failOn: "warning" });
    const { space, depth } = await input.metadata();
    const isGrey = space === "b-w" || space === "grey16";
    const isDeep = depth === "ushort";
    const { data, info } = await input
      .removeAlpha()
      .toColourspace(isGrey ? (isDeep ? "grey16" : "b-w") : isDeep ? "rgb16" : "srgb")
      .raw({ depth: isDeep ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 1 && channels !== 3) throw new Error(`it has ${channels} channels`);
    return { width, height, channels, data: isDeep ? highBytes(data, width * channels, height) : data };
  } catch (thrown) {
    const { data, format } = message;
    throw asFault(thrown, `Compressed image ("${format}", ${data.length} bytes) cannot be decoded`, {
      code: "IMAGE_CORRUPT",
      remedy: "Check the link to the camera; the picture was left out.",
    });
  }
}

/** sharp hands out 16-bit samples in the order of this machine. */
function highBytes(data: Uint8Array, width: number, height: number): Uint8Array {
  const bigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
  const out = new Uint8Array(width * height);
  pickInto(out, { width, height, step: 2 * width, bigEndian, data }, 2, bigEndian ? 0 : 1);
  return out;
}

function wanted(picture: Image, want: ImageWant): Image {
  const { width, height, channels, data } = picture;
  if (want === "grey" && channels === 3) {
    const grey = new Uint8Array(width * height);
    greyOfRgbInto(grey, data);
    return { width, height, channels: 1, data: grey };
  }
  if (want === "rgb" && channels === 1) {
    const rgb = new Uint8Array(3 * width * height);
    pickRgbInto(rgb, { width, height, step: width, bigEndian: false, data }, 1, 0);
    return { width, height, channels: 3, data: rgb };
  }
  return picture;
}

/** Size and format of a JPEG or PNG from its header. Throws `Fault` IMAGE_CORRUPT; `where` names it. */
export async function compressedSize(
  data: Uint8Array,
  where: string,
): Promise<{ readonly width: number; readonly height: number; readonly format: "jpeg" | "png" }> {
  try {
    const { width, height, format } = await sharp(data).metadata();
    if (format !== "jpeg" && format !== "png") throw new Error(`it is ${format}`);
    return { width, height, format };
  } catch (thrown) {
    const remedy = "Replace the file or take it out.";
    throw asFault(thrown, `${where} is no whole JPEG or PNG`, { code: "IMAGE_CORRUPT", remedy });
  }
}
