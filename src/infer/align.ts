import type { Image } from "../core/image.ts";
import type { RectifiedPair } from "../core/ports.ts";

/** A cell of the network's answer, pixels. */
const CELL_PX = 4;

/**
 * Columns by which both pictures are widened, so that disparity 0 means infinity in both eyes: what the matcher and the
 * network expect. Where the right principal point lies further right, the right picture is moved left against the left
 * one by `doffsPx`; instead of cutting its left border off, the left picture gets a margin. Whole cells.
 */
export function marginOf({ calibration: { doffsPx } }: RectifiedPair): number {
  return doffsPx > 0 ? Math.ceil(doffsPx / CELL_PX) * CELL_PX : 0;
}

/**
 * Writes the grey pair with its principal points aligned: rows of width + margin pixels, edges repeated, the right picture
 * linear between its pixels.
 */
export function alignInto(outLeft: Uint8Array, outRight: Uint8Array, pair: RectifiedPair): void {
  const { left, right, calibration } = pair;
  const { width, height, doffsPx } = calibration;
  if (doffsPx === 0) {
    outLeft.set(left.data);
    outRight.set(right.data);
    return;
  }
  const margin = marginOf(pair);
  const wide = width + margin;
  const whole = Math.floor(doffsPx - margin);
  const part = Math.round((doffsPx - margin - whole) * 256);
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    outLeft.fill(left.data[row]!, y * wide, y * wide + margin);
    outLeft.set(left.data.subarray(row, row + width), y * wide + margin);
    for (let x = 0; x < wide; x += 1) {
      const a = right.data[row + Math.min(width - 1, Math.max(0, x + whole))]!;
      const b = right.data[row + Math.min(width - 1, Math.max(0, x + whole + 1))]!;
      outRight[y * wide + x] = (a * (256 - part) + b * part + 128) >> 8;
    }
  }
}

/** The same as two pictures of their own. */
export function alignedPair(pair: RectifiedPair): { readonly left: Image; readonly right: Image } {
  const { width, height } = pair.calibration;
  const wide = width + marginOf(pair);
  const image = (): Image => ({ width: wide, height, channels: 1, data: new Uint8Array(wide * height) });
  const [left, right] = [image(), image()];
  alignInto(left.data, right.data, pair);
  return { left, right };
}
