/** Half resolution, census, rings and matching costs, for a band of rows. */
import { STEPS } from "./layout";

const NO_MATCH: u8 = 52; // cost where the right image has no such pixel: a little worse than chance (48 of 96)

/** Mean of 2x2 pixels, for the rows y0 <= y < y1 of the result; w: width of the source, a multiple of 16. */
export function halve(src: usize, dst: usize, w: i32, y0: i32, y1: i32): void {
  const two = i16x8.splat(2);
  for (let y = y0; y < y1; y += 1) {
    const a = src + 2 * y * w;
    const b = a + w;
    const out = dst + y * (w >> 1);
    for (let x = 0; x < w; x += 16) {
      const sum = i16x8.add(i16x8.extadd_pairwise_i8x16_u(v128.load(a + x)), i16x8.extadd_pairwise_i8x16_u(v128.load(b + x)));
      const mean = i16x8.shr_u(i16x8.add(sum, two), 2);
      v128.store64_lane(out + (x >> 1), i8x16.narrow_i16x8_u(mean, mean), 0);
    }
  }
}

@inline function clampRow(y: i32, h: i32): i32 {
  return max(0, min(h - 1, y));
}

/** Shifts one more bit into each byte: 1 where the pixel is not darker than the centre. */
@inline function more(bits: v128, at: usize, centre: v128): v128 {
  return i8x16.sub(i8x16.add(bits, bits), i8x16.ge_u(v128.load(at), centre));
}

@inline function storeRow(dst: usize, w: i32, x: i32, reversed: bool, bits: v128): void {
  if (reversed) {
    const turned = i8x16.shuffle(bits, bits, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    v128.store(dst + (w - 16 - x), turned);
  } else v128.store(dst + x, bits);
}

/**
 * Census over the 24 neighbours of a 7x7 window that lie on the centre's colour of a checkerboard, in three byte planes, rows
 * y0 <= y < y1 of an image of w x h; reversed: rows right to left. As many bits as a full 5x5 window, fewer mismatches.
 */
export function census(src: usize, dst: usize, w: i32, h: i32, reversed: bool, y0: i32, y1: i32): void {
  const size = w * h;
  for (let y = y0; y < y1; y += 1) {
    const r0 = src + clampRow(y - 3, h) * w;
    const r1 = src + clampRow(y - 2, h) * w;
    const r2 = src + clampRow(y - 1, h) * w;
    const r3 = src + y * w;
    const r4 = src + clampRow(y + 1, h) * w;
    const r5 = src + clampRow(y + 2, h) * w;
    const r6 = src + clampRow(y + 3, h) * w;
    const row = dst + y * w;
    for (let x = 0; x < w; x += 16) {
      const c = v128.load(r3 + x);
      let a = i8x16.ge_u(v128.load(r0 + x - 3), c);
      a = more(a, r0 + x - 1, c);
      a = more(a, r0 + x + 1, c);
      a = more(a, r0 + x + 3, c);
      a = more(a, r1 + x - 2, c);
      a = more(a, r1 + x, c);
      a = more(a, r1 + x + 2, c);
      a = more(a, r2 + x - 3, c);
      storeRow(row, w, x, reversed, a);
      let b = i8x16.ge_u(v128.load(r2 + x - 1), c);
      b = more(b, r2 + x + 1, c);
      b = more(b, r2 + x + 3, c);
      b = more(b, r3 + x - 2, c);
      b = more(b, r3 + x + 2, c);
      b = more(b, r4 + x - 3, c);
      b = more(b, r4 + x - 1, c);
      b = more(b, r4 + x + 1, c);
      storeRow(row + size, w, x, reversed, b);
      let d = i8x16.ge_u(v128.load(r4 + x + 3), c);
      d = more(d, r5 + x - 2, c);
      d = more(d, r5 + x, c);
      d = more(d, r5 + x + 2, c);
      d = more(d, r6 + x - 3, c);
      d = more(d, r6 + x - 1, c);
      d = more(d, r6 + x + 1, c);
      d = more(d, r6 + x + 3, c);
      storeRow(row + 2 * size, w, x, reversed, d);
    }
  }
}

/** Rings of 8 neighbours at distance 1 and 2, the two bytes of a pixel side by side, rows y0 <= y < y1. */
export function rings(src: usize, dst: usize, w: i32, h: i32, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y += 1) {
    const r0 = src + clampRow(y - 2, h) * w;
    const r1 = src + clampRow(y - 1, h) * w;
    const r2 = src + y * w;
    const r3 = src + clampRow(y + 1, h) * w;
    const r4 = src + clampRow(y + 2, h) * w;
    const row = dst + y * w * 2;
    for (let x = 0; x < w; x += 16) {
      const c = v128.load(r2 + x);
      let a = i8x16.ge_u(v128.load(r1 + x - 1), c);
      a = more(a, r1 + x, c);
      a = more(a, r1 + x + 1, c);
      a = more(a, r2 + x - 1, c);
      a = more(a, r2 + x + 1, c);
      a = more(a, r3 + x - 1, c);
      a = more(a, r3 + x, c);
      a = more(a, r3 + x + 1, c);
      let b = i8x16.ge_u(v128.load(r0 + x - 2), c);
      b = more(b, r0 + x, c);
      b = more(b, r0 + x + 2, c);
      b = more(b, r2 + x - 2, c);
      b = more(b, r2 + x + 2, c);
      b = more(b, r4 + x - 2, c);
      b = more(b, r4 + x, c);
      b = more(b, r4 + x + 2, c);
      v128.store(row + 2 * x, i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(row + 2 * x + 16, i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    }
  }
}

@inline function differ(right: usize, left: v128): v128 {
  return v128.xor(v128.load(right), left);
}

/** Sum bit of a full adder in each of 128 columns. */
@inline function sum3(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** Its carry. */
@inline function carry3(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(v128.xor(a, b), c));
}

@inline function double(v: v128): v128 {
  return i8x16.add(v, v);
}

/**
 * cost[cell][step] = Hamming distance over the 2x2 half-resolution pixels of the cell, 0..96, rows y0 <= y < y1 of
 * cells. The twelve bytes of each step are added bit by bit (carry save) before their bits are counted.
 */
export function volume(l: usize, r: usize, cost: usize, w2: i32, h2: i32, y0: i32, y1: i32): void {
  const size = w2 * h2;
  const w4 = w2 >> 1;
  for (let y = y0; y < y1; y += 1) {
    for (let x = 0; x < w4; x += 1) {
      const out = cost + (y * w4 + x) * STEPS;
      const a = l + (y << 1) * w2 + (x << 1);
      const a00 = v128.load8_splat(a);
      const a01 = v128.load8_splat(a + size);
      const a02 = v128.load8_splat(a + 2 * size);
      const a10 = v128.load8_splat(a + 1);
      const a11 = v128.load8_splat(a + size + 1);
      const a12 = v128.load8_splat(a + 2 * size + 1);
      const a20 = v128.load8_splat(a + w2);
      const a21 = v128.load8_splat(a + w2 + size);
      const a22 = v128.load8_splat(a + w2 + 2 * size);
      const a30 = v128.load8_splat(a + w2 + 1);
      const a31 = v128.load8_splat(a + w2 + size + 1);
      const a32 = v128.load8_splat(a + w2 + 2 * size + 1);
      const b = r + (y << 1) * w2 + (w2 - 1 - (x << 1));
      for (let step = 0; step < STEPS; step += 16) {
        const p = b + step;
        const d00 = differ(p, a00);
        const d01 = differ(p + size, a01);
        const d02 = differ(p + 2 * size, a02);
        const s0 = sum3(d00, d01, d02);
        const c0 = carry3(d00, d01, d02);
        const d10 = differ(p - 1, a10);
        const d11 = differ(p + size - 1, a11);
        const d12 = differ(p + 2 * size - 1, a12);
        const s1 = sum3(d10, d11, d12);
        const c1 = carry3(d10, d11, d12);
        const d20 = differ(p + w2, a20);
        const d21 = differ(p + w2 + size, a21);
        const d22 = differ(p + w2 + 2 * size, a22);
        const s2 = sum3(d20, d21, d22);
        const c2 = carry3(d20, d21, d22);
        const s012 = sum3(s0, s1, s2);
        const c012 = carry3(s0, s1, s2);
        const t0 = sum3(c0, c1, c2);
        const f0 = carry3(c0, c1, c2);
        const d30 = differ(p + w2 - 1, a30);
        const d31 = differ(p + w2 + size - 1, a31);
        const d32 = differ(p + w2 + 2 * size - 1, a32);
        const s3 = sum3(d30, d31, d32);
        const c3 = carry3(d30, d31, d32);
        const ones = v128.xor(s012, s3);
        const c0123 = v128.and(s012, s3);
        const t1 = sum3(c012, c3, c0123);
        const f1 = carry3(c012, c3, c0123);
        const twos = v128.xor(t0, t1);
        const f2 = v128.and(t0, t1);
        const fours = sum3(f0, f1, f2);
        const eights = carry3(f0, f1, f2);
        let sum = i8x16.add(double(i8x16.popcnt(eights)), i8x16.popcnt(fours));
        sum = i8x16.add(double(sum), i8x16.popcnt(twos));
        sum = i8x16.add(double(sum), i8x16.popcnt(ones));
        v128.store(out + step, sum);
      }
      // the right eye ends here: no evidence beyond
      for (let step = (x << 1) + 1; step < STEPS; step += 1) store<u8>(out + step, NO_MATCH);
    }
  }
}
