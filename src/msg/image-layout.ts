/** An image as it lies in a message; rows are `step` bytes apart, of which the last may be padding. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly step: number;
  readonly bigEndian: boolean;
  readonly data: Uint8Array;
}

/** Writes packed pixels (grey: 1 byte, RGB: 3 bytes) into `out`. Shapes are checked by the caller. */
export type Unpack = (out: Uint8Array, raw: RawImage) => void;

/** Luma of ITU-R BT.601 in whole numbers: (77 R + 150 G + 29 B + 128) >> 8. White stays 255. */
export function lumaOf(r: number, g: number, b: number): number {
  return (77 * r + 150 * g + 29 * b + 128) >> 8;
}

/** RGB (packed) -> grey, by `lumaOf`. */
export function greyOfRgbInto(out: Uint8Array, rgb: Uint8Array): void {
  for (let i = 0, at = 0; i < out.length; i += 1, at += 3) out[i] = lumaOf(rgb[at]!, rgb[at + 1]!, rgb[at + 2]!);
}

/** Rows of bytes that are already what is wanted, less the padding. */
export function rowsInto(out: Uint8Array, raw: RawImage, rowBytes: number): void {
  for (let y = 0; y < raw.height; y += 1) {
    const from = y * raw.step;
    out.set(raw.data.subarray(from, from + rowBytes), y * rowBytes);
  }
}

/** Grey from one byte of every pixel of `stride` bytes. */
export function pickInto(out: Uint8Array, raw: RawImage, stride: number, offset: number): void {
  const { width, height, step, data } = raw;
  let to = 0;
  for (let y = 0; y < height; y += 1) {
    let from = y * step + offset;
    for (let x = 0; x < width; x += 1, from += stride) out[to++] = data[from]!;
  }
}

/** The same byte three times: grey shown as RGB. */
export function pickRgbInto(out: Uint8Array, raw: RawImage, stride: number, offset: number): void {
  const { width, height, step, data } = raw;
  let to = 0;
  for (let y = 0; y < height; y += 1) {
    let from = y * step + offset;
    for (let x = 0; x < width; x += 1, from += stride) {
      const value = data[from]!;
      out[to++] = value;
      out[to++] = value;
      out[to++] = value;
    }
  }
}

/** Pixels of `stride` bytes with red at byte `r` and blue at byte `b`; green is always in the middle. */
export function colourToGrey(stride: number, r: number, b: number): Unpack {
  return (out, raw) => {
    const { width, height, step, data } = raw;
    let to = 0;
    for (let y = 0; y < height; y += 1) {
      let from = y * step;
      for (let x = 0; x < width; x += 1, from += stride)
        out[to++] = lumaOf(data[from + r]!, data[from + 1]!, data[from + b]!);
    }
  };
}

/** The same to RGB. */
export function colourToRgb(stride: number, r: number, b: number): Unpack {
  return (out, raw) => {
    const { width, height, step, data } = raw;
    let to = 0;
    for (let y = 0; y < height; y += 1) {
      let from = y * step;
      for (let x = 0; x < width; x += 1, from += stride) {
        out[to++] = data[from + r]!;
        out[to++] = data[from + 1]!;
        out[to++] = data[from + b]!;
      }
    }
  };
}
