import { lumaOf, type RawImage, type Unpack } from "./image-layout.ts";

/**
 * Bilinear demosaicing: each missing colour is the rounded mean of its two or four nearest samples, the rounding that
 * OpenCV's cvtColor uses. At the border the pattern is mirrored about the edge pixel, which keeps the colours right.
 * `redX`, `redY`: where the red sample lies in the 2x2 cell.
 */
export function bayerToRgb(redX: number, redY: number): Unpack {
  return (out, raw) =>
    demosaic(raw, redX, redY, (i, r, g, b) => {
      out[3 * i] = r;
      out[3 * i + 1] = g;
      out[3 * i + 2] = b;
    });
}

/** The same, then luma. */
export function bayerToGrey(redX: number, redY: number): Unpack {
  return (out, raw) =>
    demosaic(raw, redX, redY, (i, r, g, b) => {
      out[i] = lumaOf(r, g, b);
    });
}

type Emit = (i: number, r: number, g: number, b: number) => void;

function demosaic(raw: RawImage, redX: number, redY: number, emit: Emit): void {
  const { width, height, step, data } = raw;
  for (let y = 0; y < height; y += 1) {
    const row = y * step;
    const up = (y === 0 ? 1 : y - 1) * step;
    const down = (y === height - 1 ? height - 2 : y + 1) * step;
    const redRow = ((y ^ redY) & 1) === 0;
    for (let x = 0; x < width; x += 1) {
      const l = x === 0 ? 1 : x - 1;
      const r = x === width - 1 ? width - 2 : x + 1;
      const own = data[row + x]!;
      const redColumn = ((x ^ redX) & 1) === 0;
      if (redRow === redColumn) {
        const cross = (data[row + l]! + data[row + r]! + data[up + x]! + data[down + x]! + 2) >> 2;
        const diagonal = (data[up + l]! + data[up + r]! + data[down + l]! + data[down + r]! + 2) >> 2;
        if (redRow) emit(y * width + x, own, cross, diagonal);
        else emit(y * width + x, diagonal, cross, own);
      } else {
        const beside = (data[row + l]! + data[row + r]! + 1) >> 1;
        const above = (data[up + x]! + data[down + x]! + 1) >> 1;
        if (redRow) emit(y * width + x, beside, own, above);
        else emit(y * width + x, above, own, beside);
      }
    }
  }
}
