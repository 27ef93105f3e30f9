import { bayerToGrey, bayerToRgb } from "./image-bayer.ts";
import { colourToGrey, colourToRgb, pickInto, pickRgbInto, rowsInto, type Unpack } from "./image-layout.ts";
import { nv12ToRgb, yuv422ToRgb } from "./image-yuv.ts";

/** What one `sensor_msgs/image_encodings` name means here. */
export interface ImageEncoding {
  /** Channels that are really in it: 1 grey, 3 colour. */
  readonly channels: 1 | 3;
  /** Bytes of a pixel in a row of the message. */
  readonly pixelBytes: number;
  /** Rows in the message for each row of the image (NV12: 1.5). */
  readonly rowsPerRow: number;
  /** Width (and with `rowsPerRow` > 1 or a mosaic also height) must be a multiple of it. */
  readonly cell: readonly [width: number, height: number];
  /** True where unpadded rows are the packed image itself, which is then lent instead of copied. */
  readonly packed: boolean;
  readonly toGrey: Unpack;
  readonly toRgb: Unpack;
}

const mono8: ImageEncoding = {
  channels: 1,
  pixelBytes: 1,
  rowsPerRow: 1,
  cell: [1, 1],
  packed: true,
  toGrey: (out, raw) => rowsInto(out, raw, raw.width),
  toRgb: (out, raw) => pickRgbInto(out, raw, 1, 0),
};

/** 16 bits go to 8 by dropping the low byte (>> 8): a fixed scale, so that both eyes and all frames stay comparable. */
const mono16: ImageEncoding = {
  ...mono8,
  pixelBytes: 2,
  packed: false,
  toGrey: (out, raw) => pickInto(out, raw, 2, raw.bigEndian ? 0 : 1),
  toRgb: (out, raw) => pickRgbInto(out, raw, 2, raw.bigEndian ? 0 : 1),
};

function colour(pixelBytes: number, r: number, b: number): ImageEncoding {
  const packed = pixelBytes === 3 && r === 0;
  return {
    channels: 3,
    pixelBytes,
    rowsPerRow: 1,
    cell: [1, 1],
    packed,
    toGrey: colourToGrey(pixelBytes, r, b),
    toRgb: packed ? (out, raw) => rowsInto(out, raw, 3 * raw.width) : colourToRgb(pixelBytes, r, b),
  };
}

function bayer(redX: number, redY: number): ImageEncoding {
  return {
    channels: 3,
    pixelBytes: 1,
    rowsPerRow: 1,
    cell: [2, 2],
    packed: false,
    toGrey: bayerToGrey(redX, redY),
    toRgb: bayerToRgb(redX, redY),
  };
}

function yuv422(y: number, u: number, v: number): ImageEncoding {
  return {
    channels: 3,
    pixelBytes: 2,
    rowsPerRow: 1,
    cell: [2, 1],
    packed: false,
    toGrey: (out, raw) => pickInto(out, raw, 2, y),
    toRgb: yuv422ToRgb(y, u, v),
  };
}

const uyvy = yuv422(1, 0, 2);
const yuyv = yuv422(0, 1, 3);

/** Names as in sensor_msgs/image_encodings.hpp; `8UC1` and the like are what OpenCV users publish. */
export const imageEncodings: Readonly<Record<string, ImageEncoding>> = {
  mono8,
  "8UC1": mono8,
  mono16,
  "16UC1": mono16,
  rgb8: colour(3, 0, 2),
  "8UC3": colour(3, 2, 0),
  bgr8: colour(3, 2, 0),
  rgba8: colour(4, 0, 2),
  bgra8: colour(4, 2, 0),
  bayer_rggb8: bayer(0, 0),
  bayer_bggr8: bayer(1, 1),
  bayer_gbrg8: bayer(0, 1),
  bayer_grbg8: bayer(1, 0),
  yuv422: uyvy,
  uyvy,
  yuv422_yuy2: yuyv,
  yuyv,
  nv12: { ...mono8, channels: 3, rowsPerRow: 1.5, cell: [2, 2], packed: false, toRgb: nv12ToRgb },
};
