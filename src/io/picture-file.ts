import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { Fault, messageOf } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import type { ImageWant } from "../msg/read-image.ts";
import { decodeCompressed } from "./decode-compressed.ts";

/**
 * One picture file (JPEG, PNG, WebP, TIFF; grey or colour; 8 or 16 bits, of which the upper 8 are kept) as packed 8-bit
 * pixels. Orientation tags are left alone: a calibration speaks of the pixels as they lie in the file. Throws `Fault`
 * IMAGE_MISSING, IMAGE_CORRUPT (also when it is cut off) or IMAGE_ENCODING (float samples).
 */
export async function readPicture(path: string, want: ImageWant = "native"): Promise<Image> {
  const data = await readFile(path).catch((cause: unknown) => {
    throw new Fault(`Cannot read the picture ${path} (${messageOf(cause)})`, {
      code: "IMAGE_MISSING",
      remedy: "Check the path.",
      cause,
    });
  });
  const remedy = "Give a whole JPEG, PNG, WebP or TIFF picture, grey or colour, of 8 or 16 bits.";
  const { depth } = await sharp(data)
    .metadata()
    .catch((cause: unknown) => {
      throw new Fault(`${path} is no picture (${data.length} bytes; ${messageOf(cause)})`, {
        code: "IMAGE_CORRUPT",
        remedy,
        cause,
      });
    });
  if (depth !== "uchar" && depth !== "ushort") {
    throw new Fault(`${path} has samples of type ${depth}, wanted 8 or 16 bits`, { code: "IMAGE_ENCODING", remedy });
  }
  try {
    return (await decodeCompressed({ stampNs: 0n, frameId: "", format: "", data }, want)).image;
  } catch (cause) {
    const inner = cause instanceof Fault && cause.cause !== undefined ? cause.cause : cause;
    const why = messageOf(inner).trim().replaceAll("\n", "; ");
    throw new Fault(`${path} cannot be decoded (${data.length} bytes; ${why})`, {
      code: cause instanceof Fault ? cause.code : "IMAGE_CORRUPT",
      remedy,
      cause,
    });
  }
}
