/** The search at full resolution around the winner, and the left-right check. */
import { CHANNELS, STEPS } from "./layout";
import { byte, vertex } from "./numbers";

/** Bits that differ between two places of the rings, over 8x6 full-resolution pixels: 16 columns, each at most 48. */
@inline function ringBits(l: usize, r: usize, stride: usize): v128 {
  let sum = i8x16.popcnt(v128.xor(v128.load(l), v128.load(r)));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + stride), v128.load(r + stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 2 * stride), v128.load(r + 2 * stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 3 * stride), v128.load(r + 3 * stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 4 * stride), v128.load(r + 4 * stride))));
  return i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 5 * stride), v128.load(r + 5 * stride))));
}

/** Sums of two vectors' bytes (at most 63 each), by eight columns: the first's in bytes 0..7, the second's in 8..15. */
@inline function fold(a: v128, b: v128): v128 {
  return i8x16.add(
    i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
    i8x16.shuffle(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31),
  );
}

@inline function wide(v: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.extadd_pairwise_i8x16_u(v), i16x8.splat(1));
}

/** Bytes 112..119 of a row of cells: the search at full resolution and the left-right check. */
export function searchRow(ringsL: usize, ringsR: usize, o: usize, winners: usize, pairs: usize, five: usize, w: i32): void {
  const w4 = w >> 2;
  const stride = w << 1;
  for (let x = 0; x < w4; x += 1) {
    const winner = <i32>load<u8>(winners + x);
    const fraction = <i32>load<u8>(o + 124) - 128;
    const centre = max(0, min(2 * STEPS - 1, (winner * 128 + fraction * 2 + 32) >> 6));
    const x0 = max(0, min(w - 8, x * 4 - 2));
    let four = i32x4.splat(480); // at D-2 .. D+1: chance, where the right image ends
    let c4 = 480; // at D+2
    if (x0 - centre - 2 >= 0 && x0 - centre + 2 <= w - 8) {
      const l = ringsL + (x0 << 1);
      const r = ringsR + ((x0 - centre) << 1);
      const ab = fold(ringBits(l, r + 4, stride), ringBits(l, r + 2, stride));
      const cd = fold(ringBits(l, r, stride), ringBits(l, r - 2, stride));
      four = wide(
        i8x16.add(
          i8x16.shuffle(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
          i8x16.shuffle(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31),
        ),
      );
      const e = ringBits(l, r - 4, stride);
      const last = wide(fold(e, e));
      c4 = i32x4.extract_lane(last, 0) + i32x4.extract_lane(last, 1);
    }
    // The best of the five; among equals D, then D-1, D+1, D-2, D+2. No branches: they would be hard to foretell.
    const keys = i32x4.add(i32x4.shl(four, 3), i32x4(3, 1, 0, 2));
    const two = i32x4.min_u(keys, i8x16.shuffle(keys, keys, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    const key = min(min(i32x4.extract_lane(two, 0), i32x4.extract_lane(two, 1)), (c4 << 3) + 4);
    const best = (0x40312 >> ((key & 7) << 2)) & 7;
    v128.store(five, four);
    store<i32>(five + 16, c4);
    const at = five + (best << 2);
    const offset = vertex(load<i32>(at - 4), key >> 3, load<i32>(at + 4));
    const fine = (best << 6) - 128 + select(offset, 0, best != 0 && best != 4);
    // a third: x * 21846 >> 16 is x / 3 up to 768
    const thirds = i32x4.shr_u(i32x4.mul(four, i32x4.splat(21846)), 16);
    const words = i16x8.narrow_i32x4_u(thirds, thirds);
    v128.store32_lane(o + 114, i8x16.narrow_i16x8_u(words, words), 0);

    const xr = x - (winner >> 1);
    const back = xr >= 0 ? abs(<i32>load<u8>(pairs + (w4 - 1 - xr)) - (winner >> 1)) : 15;
    store<u8>(o + 112, <u8>centre);
    store<u8>(o + 113, <u8>(128 + fine / 2));
    byte(o + 118, c4 / 3);
    byte(o + 119, back << 4);
    o += CHANNELS;
  }
}
