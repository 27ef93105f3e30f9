import sharp from "sharp";
import { Fault } from "../core/fault.ts";

/** Depth along z of each pixel, metres, row-major; NaN = unknown. */
export interface DepthMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A 16-bit grey PNG of millimetres, 0 = unknown (REP-118 `16UC1`), as in `sensor_msgs/CompressedImage` "16UC1; png compressed". */
export async function decodeDepth(png: Uint8Array): Promise<DepthMap> {
  const { data, info } = await sharp(png)
    .toColourspace("grey16")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new Fault(`A depth image of ${png.length} bytes is no PNG.`, {
        code: "IMAGE_CORRUPT",
        remedy: "Record it as 16-bit PNG (16UC1, millimetres).",
        cause,
      });
    });
  const raw = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
  const out = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) out[i] = raw[i] === 0 ? Number.NaN : raw[i]! / 1000;
  return { width: info.width, height: info.height, data: out };
}

/** The inverse: metres to PNG. Depths beyond 65.5 m are written as 65.5 m, so that they stay "far". */
export async function encodeDepth({ width, height, data }: DepthMap): Promise<Uint8Array> {
  const raw = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const mm = Math.round(data[i]! * 1000);
    raw[i] = Number.isNaN(mm) ? 0 : Math.min(65500, mm);
  }
  const options = { raw: { width, height, channels: 1 as const } };
  return await sharp(raw, options).toColourspace("grey16").png({ compressionLevel: 9, effort: 10 }).toBuffer();
}
