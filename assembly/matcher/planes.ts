/** Copies of parts of the evidence in the planar layouts of `matchAt` and `priorAt`. */
import { CHANNELS } from "./layout";

/** Four vectors of 16 channels -> four bytes in each of 16 planes. */
@inline function scatter(a: v128, b: v128, c: v128, d: v128, out: usize, plane: usize): void {
  const ab0 = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const ab1 = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const cd0 = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const cd1 = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  scatterFour(i8x16.shuffle(ab0, cd0, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), out, plane);
  scatterFour(i8x16.shuffle(ab0, cd0, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), out + 4 * plane, plane);
  scatterFour(i8x16.shuffle(ab1, cd1, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), out + 8 * plane, plane);
  scatterFour(i8x16.shuffle(ab1, cd1, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), out + 12 * plane, plane);
}

@inline function scatterFour(v: v128, out: usize, plane: usize): void {
  v128.store32_lane(out, v, 0);
  v128.store32_lane(out + plane, v, 1);
  v128.store32_lane(out + 2 * plane, v, 2);
  v128.store32_lane(out + 3 * plane, v, 3);
}

/** Bytes 112..127 of `count` cells (a multiple of 4) from cell `first` on. */
export function matchPlanes(evidence: usize, match: usize, cells: i32, first: i32, count: i32): void {
  let from = evidence + first * CHANNELS + 112;
  for (let cell = first; cell < first + count; cell += 4) {
    const b = v128.load(from + CHANNELS);
    const c = v128.load(from + 2 * CHANNELS);
    scatter(v128.load(from), b, c, v128.load(from + 3 * CHANNELS), match + cell, cells);
    from += 4 * CHANNELS;
  }
}

/** Mean of 2x2 cells, 16 channels; row: bytes of a row of cells. */
@inline function mean4(at: usize, row: usize): v128 {
  const a = v128.load(at);
  const b = v128.load(at + CHANNELS);
  const c = v128.load(at + row);
  const d = v128.load(at + row + CHANNELS);
  const two = i16x8.splat(2);
  const low = i16x8.add(
    i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)),
    i16x8.add(i16x8.extend_low_i8x16_u(c), i16x8.extend_low_i8x16_u(d)),
  );
  const high = i16x8.add(
    i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)),
    i16x8.add(i16x8.extend_high_i8x16_u(c), i16x8.extend_high_i8x16_u(d)),
  );
  return i8x16.narrow_i16x8_u(i16x8.shr_u(i16x8.add(low, two), 2), i16x8.shr_u(i16x8.add(high, two), 2));
}

/** Row y8 of the 48 planes of means of 2x2 cells. */
export function priorRow(evidence: usize, prior: usize, w4: i32, h4: i32, y8: i32): void {
  const w8 = w4 >> 1;
  const cells8 = w8 * (h4 >> 1);
  const row = w4 * CHANNELS;
  for (let x = 0; x < w8; x += 4) {
    const at = evidence + 2 * y8 * row + 2 * x * CHANNELS;
    for (let k = 0; k < 48; k += 16) {
      const b = mean4(at + k + 2 * CHANNELS, row);
      const c = mean4(at + k + 4 * CHANNELS, row);
      scatter(mean4(at + k, row), b, c, mean4(at + k + 6 * CHANNELS, row), prior + k * cells8 + y8 * w8 + x, cells8);
    }
  }
}
