import type { RawImage, Unpack } from "./image-layout.ts";

/**
 * YUV as cameras send it: ITU-R BT.601, limited range (luma 16..235). RGB is expanded to 0..255 with the standard's
 * coefficients in 1/65536; grey is the luma byte as it stands, as cv_bridge's mono8 is.
 */
function rgbAt(out: Uint8Array, to: number, luma: number, u: number, v: number): void {
  const y = 76309 * Math.max(0, luma - 16) + 32768;
  out[to] = clamp((y + 104597 * (v - 128)) >> 16);
  out[to + 1] = clamp((y - 25675 * (u - 128) - 53279 * (v - 128)) >> 16);
  out[to + 2] = clamp((y + 132201 * (u - 128)) >> 16);
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

/** 4:2:2, two pixels in four bytes: luma at `y` and `y + 2`, colour shared at `u` and `v`. Width is even. */
export function yuv422ToRgb(y: number, u: number, v: number): Unpack {
  return (out, raw: RawImage) => {
    const { width, height, step, data } = raw;
    let to = 0;
    for (let row = 0; row < height; row += 1) {
      let from = row * step;
      for (let x = 0; x < width; x += 2, from += 4, to += 6) {
        rgbAt(out, to, data[from + y]!, data[from + u]!, data[from + v]!);
        rgbAt(out, to + 3, data[from + y + 2]!, data[from + u]!, data[from + v]!);
      }
    }
  };
}

/** 4:2:0: `height` rows of luma, then `height / 2` rows of U, V pairs, all `step` bytes apart. */
export function nv12ToRgb(out: Uint8Array, raw: RawImage): void {
  const { width, height, step, data } = raw;
  let to = 0;
  for (let y = 0; y < height; y += 1) {
    const colour = (height + (y >> 1)) * step;
    for (let x = 0; x < width; x += 1, to += 3) {
      const at = colour + (x & ~1);
      rgbAt(out, to, data[y * step + x]!, data[at]!, data[at + 1]!);
    }
  }
}
