/**
 * The 128 bytes of each cell:
 *   0..47   aggregated cost above the winner's, halved; smaller of two steps each
 *   48..95  matching cost, smaller of two steps each
 *   96..111 the cell's 4x4 grey pixels, row by row, scaled to mean 128 and deviation 48 over the image
 *   112     winner by the aggregated costs, whole full-resolution pixels (D)
 *   113     128 + its offset by the full-resolution search, in 1/32 px
 *   114..118 ring cost / 3 at D-2 .. D+2
 *   119     left-right difference in pairs of steps, times 16
 *   120     uniqueness: cost of the best pair of steps that is no neighbour of the winner, above the winner's
 *   121     aggregated cost of the winner / 4
 *   122     matching cost of the winner
 *   123     contrast: largest minus smallest of the 4x4 pixels
 *   124     128 + offset of the winner within its step by the aggregated costs, in 1/64 step
 *   125     sum of horizontal slopes over the 4x4 pixels
 *   126     by how many pixels the place of 127 in the right image is covered by sure surfaces to the right or beyond the rim
 *   127     what lies behind: the smaller of the disparities (112) of the nearest sure cells on the row (behind.ts)
 */
import { behindRow } from "./behind";
import { CHANNELS, STEPS } from "./layout";
import { byte, least16, least8, vertex } from "./numbers";
import { searchRow } from "./search";
import { AROUND, CONTRAST } from "./tables";

/** Sums of the even steps of 16: 8 C + what both sweeps added. */
@inline function evenSums(c: v128, down: v128, up: v128): v128 {
  const m = i16x8.splat(255);
  return i16x8.add(i16x8.shl(v128.and(c, m), 3), i16x8.add(v128.and(down, m), v128.and(up, m)));
}

@inline function oddSums(c: v128, down: v128, up: v128): v128 {
  return i16x8.add(i16x8.shl(i16x8.shr_u(c, 8), 3), i16x8.add(i16x8.shr_u(down, 8), i16x8.shr_u(up, 8)));
}

/** The smaller of each pair of bytes, 8 words. */
@inline function smaller(c: v128): v128 {
  return v128.and(i8x16.min_u(c, i16x8.shr_u(c, 8)), i16x8.splat(255));
}

/** 16 pairs of steps of a cell compete for the cells of the right view that they name. */
@inline function compete(costs: usize, pairs: usize, low: v128, high: v128, names: v128): void {
  const knownLow = v128.load(costs);
  const knownHigh = v128.load(costs + 16);
  const newLow = i16x8.min_u(knownLow, low);
  const newHigh = i16x8.min_u(knownHigh, high);
  v128.store(costs, newLow);
  v128.store(costs + 16, newHigh);
  const keep = i8x16.narrow_i16x8_s(i16x8.eq(newLow, knownLow), i16x8.eq(newHigh, knownHigh));
  v128.store(pairs, v128.bitselect(v128.load(pairs), names, keep));
}

@inline function halves(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.shr_u(a, 1), i16x8.shr_u(b, 1));
}

/** Sum of step s, as `winnersRow` keeps the sums of a cell: 48 of even steps, 48 of odd ones. */
@inline function sumOf(sums: usize, s: i32): i32 {
  return <i32>load<u16>(sums + (s & 1) * 96 + (s & ~1));
}

/**
 * Bytes 0..95, 120..122 and 124 of a row of cells, their winning steps, and for the cells of the right view the winning
 * pair of steps (2j, 2j + 1: right cell x - j). The right view's row runs right to left, as the right census does, so
 * that j ascends with the address. Scratch: costs 2 (w4 + 48) bytes, pairs w4 + 48, sums 192.
 */
function winnersRow(
  cost: usize, down: usize, up: usize, o: usize, winners: usize, costs: usize, pairs: usize, sums: usize, tables: usize, w4: i32,
): void {
  memory.fill(costs, 255, (w4 + 48) * 2);
  for (let x = 0; x < w4; x += 1) {
    let low0 = i16x8.splat(0); let low1 = low0; let low2 = low0; let low3 = low0; let low4 = low0; let low5 = low0;
    for (let step = 0; step < STEPS; step += 16) {
      const c = v128.load(cost + step);
      const d = v128.load(down + step);
      const u = v128.load(up + step);
      const even = evenSums(c, d, u);
      const odd = oddSums(c, d, u);
      v128.store(sums + step, even);
      v128.store(sums + 96 + step, odd);
      const low = i16x8.min_u(even, odd);
      if (step == 0) low0 = low;
      else if (step == 16) low1 = low;
      else if (step == 32) low2 = low;
      else if (step == 48) low3 = low;
      else if (step == 64) low4 = low;
      else low5 = low;
    }
    const best = least16(i16x8.min_u(i16x8.min_u(i16x8.min_u(low0, low1), i16x8.min_u(low2, low3)), i16x8.min_u(low4, low5)));

    const j = w4 - 1 - x;
    compete(costs + 2 * j, pairs + j, low0, low1, i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    compete(costs + 2 * j + 32, pairs + j + 16, low2, low3, i8x16(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
    compete(costs + 2 * j + 64, pairs + j + 32, low4, low5, i8x16(32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47));

    const floor = i16x8.splat(<i16>best);
    low0 = i16x8.sub(low0, floor);
    low1 = i16x8.sub(low1, floor);
    low2 = i16x8.sub(low2, floor);
    low3 = i16x8.sub(low3, floor);
    low4 = i16x8.sub(low4, floor);
    low5 = i16x8.sub(low5, floor);
    v128.store(o, halves(low0, low1));
    v128.store(o + 16, halves(low2, low3));
    v128.store(o + 32, halves(low4, low5));
    v128.store(o + 48, i8x16.narrow_i16x8_u(smaller(v128.load(cost)), smaller(v128.load(cost + 16))));
    v128.store(o + 64, i8x16.narrow_i16x8_u(smaller(v128.load(cost + 32)), smaller(v128.load(cost + 48))));
    v128.store(o + 80, i8x16.narrow_i16x8_u(smaller(v128.load(cost + 64)), smaller(v128.load(cost + 80))));

    // costs above the winner's, at most 255
    const above0 = i8x16.narrow_i16x8_u(low0, low1);
    const above1 = i8x16.narrow_i16x8_u(low2, low3);
    const above2 = i8x16.narrow_i16x8_u(low4, low5);
    const none = i8x16.splat(0);
    const zeros = i8x16.bitmask(i8x16.eq(above0, none)) | (i8x16.bitmask(i8x16.eq(above1, none)) << 16);
    const pair = zeros != 0 ? <i32>ctz(zeros) : 32 + <i32>ctz(i8x16.bitmask(i8x16.eq(above2, none)));
    const winner = (pair << 1) + i32(<i32>load<u16>(sums + (pair << 1)) != best);
    const hide = tables + AROUND + 48 - pair;
    const rival = least8(
      i8x16.min_u(
        i8x16.min_u(v128.or(above0, v128.load(hide)), v128.or(above1, v128.load(hide + 16))),
        v128.or(above2, v128.load(hide + 32)),
      ),
    );
    let fraction = 0;
    if (winner > 0 && winner < STEPS - 1) fraction = vertex(sumOf(sums, winner - 1) - best, 0, sumOf(sums, winner + 1) - best);
    store<u8>(winners + x, <u8>winner);
    store<u8>(o + 120, <u8>rival);
    byte(o + 121, best >> 2);
    store<u8>(o + 122, load<u8>(cost + winner));
    store<u8>(o + 124, <u8>(128 + fraction));

    cost += STEPS;
    down += STEPS;
    up += STEPS;
    o += CHANNELS;
  }
}

@inline function scaled(pixels: usize, table: usize): u32 {
  const v = load<u32>(pixels);
  return (
    <u32>load<u8>(table + (v & 255)) |
    (<u32>load<u8>(table + ((v >> 8) & 255)) << 8) |
    (<u32>load<u8>(table + ((v >> 16) & 255)) << 16) |
    (<u32>load<u8>(table + (v >> 24)) << 24)
  );
}

/** |difference| of each pixel to the next of its four; the fourth byte of each four is none. */
@inline function slopes(v: v128): v128 {
  const next = i32x4.shr_u(v, 8);
  return v128.or(i8x16.sub_sat_u(v, next), i8x16.sub_sat_u(next, v));
}

/** Bytes 96..111, 123 and 125 of a row of cells: what they look like. */
function greyRow(image: usize, o: usize, tables: usize, w: i32): void {
  for (let x = 0; x < w; x += 16) {
    const p = image + x;
    for (let i = 0; i < 16; i += 4) {
      const at = o + (i << 5) + 96;
      store<u32>(at, scaled(p + i, tables));
      store<u32>(at + 4, scaled(p + w + i, tables));
      store<u32>(at + 8, scaled(p + 2 * w + i, tables));
      store<u32>(at + 12, scaled(p + 3 * w + i, tables));
    }
    const a = v128.load(p);
    const b = v128.load(p + w);
    const c = v128.load(p + 2 * w);
    const d = v128.load(p + 3 * w);
    let bright = i8x16.max_u(i8x16.max_u(a, b), i8x16.max_u(c, d));
    let dark = i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d));
    bright = i8x16.max_u(bright, i32x4.shr_u(bright, 16));
    dark = i8x16.min_u(dark, i32x4.shr_u(dark, 16));
    const range = i8x16.sub(i8x16.max_u(bright, i32x4.shr_u(bright, 8)), i8x16.min_u(dark, i32x4.shr_u(dark, 8)));
    const slope = i8x16.add_sat_u(i8x16.add_sat_u(slopes(a), slopes(b)), i8x16.add_sat_u(slopes(c), slopes(d)));
    const sum = i8x16.add_sat_u(i8x16.add_sat_u(slope, i32x4.shr_u(slope, 8)), i32x4.shr_u(slope, 16));
    v128.store8_lane(o + 123, range, 0);
    v128.store8_lane(o + CHANNELS + 123, range, 4);
    v128.store8_lane(o + 2 * CHANNELS + 123, range, 8);
    v128.store8_lane(o + 3 * CHANNELS + 123, range, 12);
    v128.store8_lane(o + 125, sum, 0);
    v128.store8_lane(o + CHANNELS + 125, sum, 4);
    v128.store8_lane(o + 2 * CHANNELS + 125, sum, 8);
    v128.store8_lane(o + 3 * CHANNELS + 125, sum, 12);
    o += 4 * CHANNELS;
  }
}

/** All 128 bytes of the cells of row y. part: scratch, see `partAt`. */
export function cellsRow(
  image: usize, ringsL: usize, ringsR: usize, cost: usize, down: usize, up: usize, out: usize, tables: usize, part: usize,
  w: i32, h: i32, y: i32,
): void {
  const w4 = w >> 2;
  const first = y * w4;
  const o = out + first * CHANNELS;
  const costs = part;
  const pairs = costs + 2 * (w4 + 48);
  const sums = pairs + (w4 + 48);
  const winners = sums + 192;
  winnersRow(
    cost + first * STEPS, down + first * STEPS, up + first * STEPS, o, winners, costs, pairs, sums, tables, w4,
  );
  greyRow(image + 4 * y * w, o, tables + CONTRAST, w);
  const top = max(0, min(h - 6, 4 * y - 1)) * (w << 1);
  searchRow(ringsL + top, ringsR + top, o, winners, pairs, sums + 16, w);
  behindRow(o, w4);
}
