/**
 * Stereo matching evidence in WebAssembly SIMD: census at half resolution, Hamming cost volume, semi-global aggregation
 * (Hirschmueller 2008) at quarter resolution, winner with uniqueness and left-right check, then a full-resolution search
 * around the winner. One image pair -> 128 bytes for each cell of 4x4 pixels, cell after cell (layout: `evidence`).
 *
 * Images are grey, rows packed, width and height multiples of 32. Disparities: 96 steps of 2 full-resolution pixels.
 * All integer arithmetic: the same bytes on every machine. Python trains on this very binary.
 */

const STEPS: i32 = 96; // disparity steps of the volume
const ENTRY: i32 = 128; // bytes of one cell in a path's row buffer: 16 sentinels, 96 steps, 16 sentinels
const CHANNELS: i32 = 128; // bytes of one cell in the evidence
const NO_MATCH: u8 = 52; // cost where the right image has no such pixel: a little worse than chance (48 of 96)
const P1: u8 = 6; // penalty of a change by one step
const P2_SMOOTH: i32 = 56; // penalty of a jump where the image is flat ...
const P2_EDGE: i32 = 20; // ... and across a strong edge
const MARGIN: usize = 4096; // never written, so that reads over the edge of a plane always see zeros

// ---------------------------------------------------------------- memory

/** Where each buffer starts, for images of w x h; the last entry is the end. Order: see `run`. */
// @ts-ignore: decorator
@inline function plane(at: usize, bytes: usize): usize {
  return (at + bytes + MARGIN + 63) & ~63;
}

/** Bytes that `run` needs from `base` on: images, scratch and evidence. */
export function bytesNeeded(w: i32, h: i32): usize {
  return end(0, w, h);
}

/** Offset of the left image from `base`. */
export function leftAt(base: usize): usize {
  return plane(base, 0);
}

export function rightAt(base: usize, w: i32, h: i32): usize {
  return plane(leftAt(base), w * h);
}

export function evidenceAt(base: usize, w: i32, h: i32): usize {
  return plane(rightAt(base, w, h), w * h);
}

/** Bytes 112..127 of the evidence again, as 16 planes. */
export function matchAt(base: usize, w: i32, h: i32): usize {
  return plane(evidenceAt(base, w, h), (w >> 2) * (h >> 2) * CHANNELS);
}

/** Bytes 0..47 of the evidence, means of 2x2 cells, as 48 planes of a quarter of the cells. */
export function priorAt(base: usize, w: i32, h: i32): usize {
  return plane(matchAt(base, w, h), (w >> 2) * (h >> 2) * 16);
}

// @ts-ignore: decorator
@inline function scratchAt(base: usize, w: i32, h: i32): usize {
  return plane(priorAt(base, w, h), (w >> 3) * (h >> 3) * 48);
}

function end(base: usize, w: i32, h: i32): usize {
  const full = w * h;
  const cells = (w >> 2) * (h >> 2);
  let at = scratchAt(base, w, h);
  at = plane(plane(at, full >> 2), full >> 2); // half-resolution images
  at = plane(plane(at, (full >> 2) * 3), (full >> 2) * 3); // their census, three byte planes
  at = plane(plane(at, full * 2), full * 2); // full-resolution rings, two byte planes
  at = plane(at, cells * STEPS); // costs
  at = plane(at, cells * STEPS * 2); // aggregated costs
  at = plane(plane(at, (w >> 2) * ENTRY + 2 * ENTRY), (w >> 2) * ENTRY + 2 * ENTRY); // rows of a path
  at = plane(at, cells); // mean grey of a cell
  at = plane(at, cells * 2); // aggregated cost of the winners
  at = plane(at, ((w >> 2) + 48) * (h >> 2) * 2); // winning pairs of the right view
  at = plane(at, cells); // winning steps
  return plane(at, 256); // contrast table
}

// ---------------------------------------------------------------- images

/** Mean of 2x2 pixels. */
function halve(src: usize, dst: usize, w: i32, h: i32): void {
  const two = i16x8.splat(2);
  for (let y = 0; y < h; y += 2) {
    const a = src + y * w;
    const b = a + w;
    const out = dst + (y >> 1) * (w >> 1);
    for (let x = 0; x < w; x += 32) {
      const p = i16x8.add(i16x8.extadd_pairwise_i8x16_u(v128.load(a + x)), i16x8.extadd_pairwise_i8x16_u(v128.load(b + x)));
      const q = i16x8.add(
        i16x8.extadd_pairwise_i8x16_u(v128.load(a + x + 16)),
        i16x8.extadd_pairwise_i8x16_u(v128.load(b + x + 16)),
      );
      const lo = i16x8.shr_u(i16x8.add(p, two), 2);
      const hi = i16x8.shr_u(i16x8.add(q, two), 2);
      v128.store(out + (x >> 1), i8x16.narrow_i16x8_u(lo, hi));
    }
  }
}

// @ts-ignore: decorator
@inline function darker(at: usize, centre: v128, bit: u8): v128 {
  return v128.and(i8x16.lt_u(v128.load(at), centre), i8x16.splat(bit));
}

// @ts-ignore: decorator
@inline function clampRow(y: i32, h: i32): i32 {
  return max(0, min(h - 1, y));
}

// @ts-ignore: decorator
@inline function storeRow(dst: usize, w: i32, x: i32, reversed: bool, bits: v128): void {
  if (reversed) {
    const turned = i8x16.swizzle(bits, i8x16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    v128.store(dst + (w - 16 - x), turned);
  } else v128.store(dst + x, bits);
}

/** 5x5 census, 24 bits in three byte planes; the right eye's rows are stored right to left. */
function census5(src: usize, dst: usize, w: i32, h: i32, reversed: bool): void {
  const size = w * h;
  for (let y = 0; y < h; y += 1) {
    const r0 = src + clampRow(y - 2, h) * w;
    const r1 = src + clampRow(y - 1, h) * w;
    const r2 = src + y * w;
    const r3 = src + clampRow(y + 1, h) * w;
    const r4 = src + clampRow(y + 2, h) * w;
    const row = dst + y * w;
    for (let x = 0; x < w; x += 16) {
      const c = v128.load(r2 + x);
      let a = darker(r0 + x - 2, c, 1);
      a = v128.or(a, darker(r0 + x - 1, c, 2));
      a = v128.or(a, darker(r0 + x, c, 4));
      a = v128.or(a, darker(r0 + x + 1, c, 8));
      a = v128.or(a, darker(r0 + x + 2, c, 16));
      a = v128.or(a, darker(r1 + x - 2, c, 32));
      a = v128.or(a, darker(r1 + x - 1, c, 64));
      a = v128.or(a, darker(r1 + x, c, 128));
      let b = darker(r1 + x + 1, c, 1);
      b = v128.or(b, darker(r1 + x + 2, c, 2));
      b = v128.or(b, darker(r2 + x - 2, c, 4));
      b = v128.or(b, darker(r2 + x - 1, c, 8));
      b = v128.or(b, darker(r2 + x + 1, c, 16));
      b = v128.or(b, darker(r2 + x + 2, c, 32));
      b = v128.or(b, darker(r3 + x - 2, c, 64));
      b = v128.or(b, darker(r3 + x - 1, c, 128));
      let d = darker(r3 + x, c, 1);
      d = v128.or(d, darker(r3 + x + 1, c, 2));
      d = v128.or(d, darker(r3 + x + 2, c, 4));
      d = v128.or(d, darker(r4 + x - 2, c, 8));
      d = v128.or(d, darker(r4 + x - 1, c, 16));
      d = v128.or(d, darker(r4 + x, c, 32));
      d = v128.or(d, darker(r4 + x + 1, c, 64));
      d = v128.or(d, darker(r4 + x + 2, c, 128));
      storeRow(row, w, x, reversed, a);
      storeRow(row + size, w, x, reversed, b);
      storeRow(row + 2 * size, w, x, reversed, d);
    }
  }
}

/** Rings of 8 neighbours at distance 1 and 2, full resolution, the two bytes of a pixel side by side. */
function rings(src: usize, dst: usize, w: i32, h: i32): void {
  for (let y = 0; y < h; y += 1) {
    const r0 = src + clampRow(y - 2, h) * w;
    const r1 = src + clampRow(y - 1, h) * w;
    const r2 = src + y * w;
    const r3 = src + clampRow(y + 1, h) * w;
    const r4 = src + clampRow(y + 2, h) * w;
    const row = dst + y * w * 2;
    for (let x = 0; x < w; x += 16) {
      const c = v128.load(r2 + x);
      let a = darker(r1 + x - 1, c, 1);
      a = v128.or(a, darker(r1 + x, c, 2));
      a = v128.or(a, darker(r1 + x + 1, c, 4));
      a = v128.or(a, darker(r2 + x - 1, c, 8));
      a = v128.or(a, darker(r2 + x + 1, c, 16));
      a = v128.or(a, darker(r3 + x - 1, c, 32));
      a = v128.or(a, darker(r3 + x, c, 64));
      a = v128.or(a, darker(r3 + x + 1, c, 128));
      let b = darker(r0 + x - 2, c, 1);
      b = v128.or(b, darker(r0 + x, c, 2));
      b = v128.or(b, darker(r0 + x + 2, c, 4));
      b = v128.or(b, darker(r2 + x - 2, c, 8));
      b = v128.or(b, darker(r2 + x + 2, c, 16));
      b = v128.or(b, darker(r4 + x - 2, c, 32));
      b = v128.or(b, darker(r4 + x, c, 64));
      b = v128.or(b, darker(r4 + x + 2, c, 128));
      v128.store(row + 2 * x, i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(row + 2 * x + 16, i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    }
  }
}

/** Mean of 2x2 half-resolution pixels. */
function cellMeans(half: usize, dst: usize, w4: i32, h4: i32): void {
  const w2 = w4 << 1;
  for (let y = 0; y < h4; y += 1) {
    for (let x = 0; x < w4; x += 1) {
      const a = half + (y << 1) * w2 + (x << 1);
      const sum = <i32>load<u8>(a) + load<u8>(a + 1) + load<u8>(a + w2) + load<u8>(a + w2 + 1);
      store<u8>(dst + y * w4 + x, <u8>((sum + 2) >> 2));
    }
  }
}

/** Table of 256: grey value -> value scaled to mean 128 and deviation 48 over the image. */
function contrastTable(src: usize, count: i32, table: usize): void {
  let sum: i64 = 0;
  let squares: i64 = 0;
  for (let i = 0; i < count; i += 1) {
    const v = <i64>load<u8>(src + i);
    sum += v;
    squares += v * v;
  }
  const variance = (squares * count - sum * sum) / (<i64>count * count);
  const deviation = <i32>max(4, sqrt<f64>(<f64>variance));
  const mean = <i32>(sum / count);
  for (let v = 0; v < 256; v += 1) store<u8>(table + v, <u8>max(0, min(255, 128 + ((v - mean) * 48) / deviation)));
}

// ---------------------------------------------------------------- volume

// @ts-ignore: decorator
@inline function differ(right: usize, left: v128): v128 {
  return i8x16.popcnt(v128.xor(v128.load(right), left));
}

/** cost[cell][step] = Hamming distance over the 2x2 half-resolution pixels of the cell, 0..96. */
function volume(l: usize, r: usize, cost: usize, w2: i32, h2: i32): void {
  const size = w2 * h2;
  const w4 = w2 >> 1;
  for (let y = 0; y < h2 >> 1; y += 1) {
    for (let x = 0; x < w4; x += 1) {
      const out = cost + (y * w4 + x) * STEPS;
      for (let step = 0; step < STEPS; step += 16) v128.store(out + step, i8x16.splat(0));
      for (let dy = 0; dy < 2; dy += 1) {
        for (let dx = 0; dx < 2; dx += 1) {
          const px = (x << 1) + dx;
          const a = l + ((y << 1) + dy) * w2 + px;
          const b = r + ((y << 1) + dy) * w2 + (w2 - 1 - px);
          const a0 = v128.load8_splat(a);
          const a1 = v128.load8_splat(a + size);
          const a2 = v128.load8_splat(a + 2 * size);
          for (let step = 0; step < STEPS; step += 16) {
            const sum = i8x16.add(
              i8x16.add(differ(b + step, a0), differ(b + size + step, a1)),
              i8x16.add(differ(b + 2 * size + step, a2), v128.load(out + step)),
            );
            v128.store(out + step, sum);
          }
        }
      }
      // the right eye ends here: no evidence beyond
      for (let step = (x << 1) + 1; step < STEPS; step += 1) store<u8>(out + step, NO_MATCH);
    }
  }
}

// ---------------------------------------------------------------- semi-global aggregation

/** Smallest of 16 unsigned bytes in every lane. */
// @ts-ignore: decorator
@inline function minimum(v: v128): v128 {
  let m = i8x16.min_u(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  m = i8x16.min_u(m, i8x16.shuffle(m, m, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  m = i8x16.min_u(m, i8x16.shuffle(m, m, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return i8x16.min_u(m, i8x16.shuffle(m, m, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
}

/** One step of a path: previous entry -> this entry; adds to the sums. Entries hold L, with sentinels 255 around. */
// @ts-ignore: decorator
@inline function advance(previous: usize, entry: usize, cost: usize, sums: usize, p2: u8): void {
  let low = v128.load(previous);
  for (let step = 16; step < STEPS; step += 16) low = i8x16.min_u(low, v128.load(previous + step));
  const least = minimum(low);
  const jump = i8x16.add_sat_u(least, i8x16.splat(p2));
  const p1 = i8x16.splat(P1);
  for (let step = 0; step < STEPS; step += 16) {
    const at = previous + step;
    const near = i8x16.add_sat_u(i8x16.min_u(v128.load(at - 1), v128.load(at + 1)), p1);
    const best = i8x16.sub(i8x16.min_u(i8x16.min_u(v128.load(at), near), jump), least);
    const path = i8x16.add_sat_u(best, v128.load(cost + step));
    v128.store(entry + step, path);
    const sum = sums + (step << 1);
    v128.store(sum, i16x8.add(v128.load(sum), i16x8.extend_low_i8x16_u(path)));
    v128.store(sum + 16, i16x8.add(v128.load(sum + 16), i16x8.extend_high_i8x16_u(path)));
  }
}

/** Starts a path where it enters the image: L = C. */
// @ts-ignore: decorator
@inline function begin(entry: usize, cost: usize, sums: usize): void {
  for (let step = 0; step < STEPS; step += 16) {
    const path = v128.load(cost + step);
    v128.store(entry + step, path);
    const sum = sums + (step << 1);
    v128.store(sum, i16x8.add(v128.load(sum), i16x8.extend_low_i8x16_u(path)));
    v128.store(sum + 16, i16x8.add(v128.load(sum + 16), i16x8.extend_high_i8x16_u(path)));
  }
}

/** One direction (dx, dy) over the whole image. rowA, rowB: buffers of w4 + 2 entries with sentinels set. */
function aggregate(cost: usize, sums: usize, means: usize, rowA: usize, rowB: usize, w4: i32, h4: i32, dx: i32, dy: i32): void {
  const forward = dy > 0 || (dy == 0 && dx > 0);
  let previousRow = rowA;
  let thisRow = rowB;
  for (let j = 0; j < h4; j += 1) {
    const y = forward ? j : h4 - 1 - j;
    for (let i = 0; i < w4; i += 1) {
      const x = forward ? i : w4 - 1 - i;
      const cell = y * w4 + x;
      const px = x - dx;
      const py = y - dy;
      const entry = thisRow + (x + 1) * ENTRY + 16;
      if (px < 0 || px >= w4 || py < 0 || py >= h4) begin(entry, cost + cell * STEPS, sums + cell * STEPS * 2);
      else {
        const edge = abs(<i32>load<u8>(means + cell) - <i32>load<u8>(means + py * w4 + px));
        const p2 = <u8>max(P2_EDGE, P2_SMOOTH - (edge << 1));
        const previous = (dy == 0 ? thisRow : previousRow) + (px + 1) * ENTRY + 16;
        advance(previous, entry, cost + cell * STEPS, sums + cell * STEPS * 2, p2);
      }
    }
    const swap = previousRow;
    previousRow = thisRow;
    thisRow = swap;
  }
}

// ---------------------------------------------------------------- winners

/** Smallest of 8 unsigned words. */
// @ts-ignore: decorator
@inline function least16(v: v128): i32 {
  let m = i16x8.min_u(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  m = i16x8.min_u(m, i8x16.shuffle(m, m, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  m = i16x8.min_u(m, i8x16.shuffle(m, m, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return <i32>i16x8.extract_lane_u(m, 0);
}

// @ts-ignore: decorator
@inline function lanes(first: i32): v128 {
  return i16x8.add(i16x8.splat(<i16>first), i16x8(0, 1, 2, 3, 4, 5, 6, 7));
}

/**
 * Winning step of each cell, and for the cells of the right view the winning pair of steps (2j, 2j + 1: right cell
 * x - j). Sums become costs above the winner's (0 at the winner); its own sum goes to `floors`. Rows of the right view
 * run right to left, as the right census does, so that j ascends with the address. `costs`: 2 (w4 + 48) bytes.
 */
function winners(sums: usize, floors: usize, left: usize, right: usize, costs: usize, w4: i32, h4: i32): void {
  for (let y = 0; y < h4; y += 1) {
    const rightRow = right + y * (w4 + 48) * 2;
    memory.fill(costs, 255, (w4 + 48) * 2);
    for (let x = 0; x < w4; x += 1) {
      const cell = y * w4 + x;
      const at = sums + cell * STEPS * 2;
      let low = v128.load(at);
      for (let step = 8; step < STEPS; step += 8) low = i16x8.min_u(low, v128.load(at + (step << 1)));
      const best = least16(low);
      store<u16>(floors + (cell << 1), <u16>best);
      const floor = i16x8.splat(<i16>best);
      let winner = -1;
      for (let step = 0; step < STEPS; step += 16) {
        const a = v128.load(at + (step << 1));
        const b = v128.load(at + (step << 1) + 16);
        const even = i8x16.shuffle(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29);
        const odd = i8x16.shuffle(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
        const pair = i16x8.min_u(even, odd);
        const j = (w4 - 1 - x + (step >> 1)) << 1;
        const known = v128.load(costs + j);
        const better = i16x8.lt_u(pair, known);
        v128.store(costs + j, i16x8.min_u(pair, known));
        v128.store(rightRow + j, v128.bitselect(lanes(step >> 1), v128.load(rightRow + j), better));
        const c = i16x8.sub(a, floor);
        const d = i16x8.sub(b, floor);
        v128.store(at + (step << 1), c);
        v128.store(at + (step << 1) + 16, d);
        if (winner < 0) {
          const zeros = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.eq(c, i16x8.splat(0)), i16x8.eq(d, i16x8.splat(0))));
          if (zeros != 0) winner = step + <i32>ctz(zeros);
        }
      }
      store<u8>(left + cell, <u8>winner);
    }
  }
}

/** Ring distance over 8x6 full-resolution pixels between two places, 0..768. */
// @ts-ignore: decorator
@inline function ringCost(l: usize, r: usize, stride: usize): i32 {
  let sum = i8x16.popcnt(v128.xor(v128.load(l), v128.load(r)));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + stride), v128.load(r + stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 2 * stride), v128.load(r + 2 * stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 3 * stride), v128.load(r + 3 * stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 4 * stride), v128.load(r + 4 * stride))));
  sum = i8x16.add(sum, i8x16.popcnt(v128.xor(v128.load(l + 5 * stride), v128.load(r + 5 * stride))));
  const longs = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(sum));
  return i32x4.extract_lane(longs, 0) + i32x4.extract_lane(longs, 1) + i32x4.extract_lane(longs, 2) + i32x4.extract_lane(longs, 3);
}

/** Offset of the minimum of a parabola through three costs, in 1/64 of their spacing, -32..32. */
// @ts-ignore: decorator
@inline function vertex(a: i32, b: i32, c: i32): i32 {
  const curve = a - 2 * b + c;
  if (curve <= 0) return 0;
  return max(-32, min(32, ((a - c) * 32) / curve));
}

// @ts-ignore: decorator
@inline function byte(at: usize, value: i32): void {
  store<u8>(at, <u8>max(0, min(255, value)));
}

/** Bytes 0..95 of a cell: aggregated costs above the winner's / 2 and matching costs, smaller of each pair of steps;
 * answers the smallest aggregated cost outside the winner's and its neighbouring pairs. */
// @ts-ignore: decorator
@inline function costBytes(o: usize, s: usize, c: usize, winner: i32): i32 {
  let rival = i16x8.splat(-1);
  const pairOfWinner = i16x8.splat(<i16>(winner >> 1));
  for (let step = 0; step < STEPS; step += 16) {
    const a = v128.load(s + (step << 1));
    const b = v128.load(s + (step << 1) + 16);
    const even = i8x16.shuffle(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29);
    const odd = i8x16.shuffle(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
    const pair = i16x8.min_u(even, odd);
    const apart = i16x8.abs(i16x8.sub(lanes(step >> 1), pairOfWinner));
    rival = i16x8.min_u(rival, v128.or(pair, i16x8.lt_s(apart, i16x8.splat(2))));
    const half = i16x8.shr_u(pair, 1);
    v128.store64_lane(o + (step >> 1), i8x16.narrow_i16x8_u(half, half), 0);
    const raw = v128.load(c + step);
    const near = i8x16.min_u(raw, i8x16.shuffle(raw, raw, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
    v128.store64_lane(o + 48 + (step >> 1), i8x16.shuffle(near, near, 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14), 0);
  }
  return least16(rival);
}

/** Bytes 96..111, 123 and 125: what the cell looks like. */
// @ts-ignore: decorator
@inline function greyBytes(o: usize, image: usize, table: usize, w: i32): void {
  let darkest = 255;
  let brightest = 0;
  let slopes = 0;
  for (let k = 0; k < 4; k += 1) {
    const p = image + k * w;
    let before = <i32>load<u8>(p);
    for (let i = 0; i < 4; i += 1) {
      const v = <i32>load<u8>(p + i);
      store<u8>(o + 96 + k * 4 + i, load<u8>(table + v));
      darkest = min(darkest, v);
      brightest = max(brightest, v);
      slopes += abs(v - before);
      before = v;
    }
  }
  byte(o + 123, brightest - darkest);
  byte(o + 125, slopes);
}

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
 *   126     share of the width that the cell lies from the left edge, in 1/255 (matches fail beyond it)
 *   127     255 (a constant one)
 */
function evidence(
  image: usize, table: usize, ringsL: usize, ringsR: usize, cost: usize, sums: usize, floors: usize, left: usize, right: usize,
  out: usize, w: i32, h: i32,
): void {
  const w4 = w >> 2;
  const h4 = h >> 2;
  const stride = w << 1;
  for (let y = 0; y < h4; y += 1) {
    const top = max(0, min(h - 6, 4 * y - 1)) * stride;
    for (let x = 0; x < w4; x += 1) {
      const cell = y * w4 + x;
      const o = out + cell * CHANNELS;
      const c = cost + cell * STEPS;
      const s = sums + cell * STEPS * 2;
      const winner = <i32>load<u8>(left + cell);
      const rival = costBytes(o, s, c, winner);
      greyBytes(o, image + y * 4 * w + x * 4, table, w);

      let fraction = 0;
      if (winner > 0 && winner < STEPS - 1) {
        fraction = vertex(<i32>load<u16>(s + (winner << 1) - 2), 0, <i32>load<u16>(s + (winner << 1) + 2));
      }
      const centre = max(0, min(2 * STEPS - 1, (winner * 128 + fraction * 2 + 32) >> 6));
      const x0 = max(0, min(w - 8, x * 4 - 2));
      const l = ringsL + top + (x0 << 1);
      let c0 = 480; let c1 = 480; let c2 = 480; let c3 = 480; let c4 = 480; // where the right image ends: chance
      if (x0 - centre - 2 >= 0 && x0 - centre + 2 <= w - 8) {
        const r = ringsR + top + ((x0 - centre) << 1);
        c0 = ringCost(l, r + 4, stride);
        c1 = ringCost(l, r + 2, stride);
        c2 = ringCost(l, r, stride);
        c3 = ringCost(l, r - 2, stride);
        c4 = ringCost(l, r - 4, stride);
      }
      // the best of the five; among equals the one nearest to the winner
      let fine = vertex(c1, c2, c3);
      let least = c2;
      if (c1 < least) { least = c1; fine = vertex(c0, c1, c2) - 64; }
      if (c3 < least) { least = c3; fine = vertex(c2, c3, c4) + 64; }
      if (c0 < least) { least = c0; fine = -128; }
      if (c4 < least) { least = c4; fine = 128; }

      const xr = x - (winner >> 1);
      const back = xr >= 0 ? abs(<i32>load<u16>(right + (y * (w4 + 48) + w4 - 1 - xr) * 2) - (winner >> 1)) : 15;
      byte(o + 112, centre);
      byte(o + 113, 128 + fine / 2);
      byte(o + 114, c0 / 3);
      byte(o + 115, c1 / 3);
      byte(o + 116, c2 / 3);
      byte(o + 117, c3 / 3);
      byte(o + 118, c4 / 3);
      byte(o + 119, back << 4);
      byte(o + 120, rival);
      byte(o + 121, <i32>load<u16>(floors + (cell << 1)) >> 2);
      byte(o + 122, <i32>load<u8>(c + winner));
      byte(o + 124, 128 + fraction);
      byte(o + 126, (x * 255) / w4);
      byte(o + 127, 255);
    }
  }
}

/** Copies of parts of the evidence in the planar layouts of `matchAt` and `priorAt`. */
function planes(evidence: usize, match: usize, prior: usize, w4: i32, h4: i32): void {
  const cells = w4 * h4;
  for (let cell = 0; cell < cells; cell += 1) {
    for (let k = 0; k < 16; k += 1) store<u8>(match + k * cells + cell, load<u8>(evidence + cell * CHANNELS + 112 + k));
  }
  const w8 = w4 >> 1;
  const cells8 = w8 * (h4 >> 1);
  const two = i16x8.splat(2);
  for (let y = 0; y < h4 >> 1; y += 1) {
    for (let x = 0; x < w8; x += 1) {
      const a = evidence + (2 * y * w4 + 2 * x) * CHANNELS;
      const b = a + w4 * CHANNELS;
      for (let k = 0; k < 48; k += 8) {
        const upper = i16x8.add(v128.load8x8_u(a + k), v128.load8x8_u(a + CHANNELS + k));
        const lower = i16x8.add(v128.load8x8_u(b + k), v128.load8x8_u(b + CHANNELS + k));
        const mean = i16x8.shr_u(i16x8.add(i16x8.add(upper, lower), two), 2);
        const o = prior + k * cells8 + y * w8 + x;
        store<u8>(o, <u8>i16x8.extract_lane_u(mean, 0));
        store<u8>(o + cells8, <u8>i16x8.extract_lane_u(mean, 1));
        store<u8>(o + 2 * cells8, <u8>i16x8.extract_lane_u(mean, 2));
        store<u8>(o + 3 * cells8, <u8>i16x8.extract_lane_u(mean, 3));
        store<u8>(o + 4 * cells8, <u8>i16x8.extract_lane_u(mean, 4));
        store<u8>(o + 5 * cells8, <u8>i16x8.extract_lane_u(mean, 5));
        store<u8>(o + 6 * cells8, <u8>i16x8.extract_lane_u(mean, 6));
        store<u8>(o + 7 * cells8, <u8>i16x8.extract_lane_u(mean, 7));
      }
    }
  }
}

/** The images lie at `leftAt` and `rightAt`; the evidence is written to `evidenceAt`. `base` is any free address. */
export function run(base: usize, w: i32, h: i32): void {
  const w4 = w >> 2;
  const h4 = h >> 2;
  const full = w * h;
  const cells = w4 * h4;
  const left = leftAt(base);
  const right = rightAt(base, w, h);
  const halfL = scratchAt(base, w, h);
  const halfR = plane(halfL, full >> 2);
  const censusL = plane(halfR, full >> 2);
  const censusR = plane(censusL, (full >> 2) * 3);
  const ringsL = plane(censusR, (full >> 2) * 3);
  const ringsR = plane(ringsL, full * 2);
  const cost = plane(ringsR, full * 2);
  const sums = plane(cost, cells * STEPS);
  const rowA = plane(sums, cells * STEPS * 2);
  const rowB = plane(rowA, w4 * ENTRY + 2 * ENTRY);
  const means = plane(rowB, w4 * ENTRY + 2 * ENTRY);
  const floors = plane(means, cells);
  const winnerR = plane(floors, cells * 2);
  const winnerL = plane(winnerR, (w4 + 48) * h4 * 2);
  const table = plane(winnerL, cells);

  halve(left, halfL, w, h);
  halve(right, halfR, w, h);
  census5(halfL, censusL, w >> 1, h >> 1, false);
  census5(halfR, censusR, w >> 1, h >> 1, true);
  rings(left, ringsL, w, h);
  rings(right, ringsR, w, h);
  cellMeans(halfL, means, w4, h4);
  contrastTable(means, cells, table);
  volume(censusL, censusR, cost, w >> 1, h >> 1);

  memory.fill(sums, 0, cells * STEPS * 2);
  memory.fill(rowA, 255, (w4 + 2) * ENTRY);
  memory.fill(rowB, 255, (w4 + 2) * ENTRY);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, 1, 0);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, -1, 0);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, 0, 1);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, 0, -1);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, 1, 1);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, -1, 1);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, 1, -1);
  aggregate(cost, sums, means, rowA, rowB, w4, h4, -1, -1);
  winners(sums, floors, winnerL, winnerR, rowA, w4, h4);
  const out = evidenceAt(base, w, h);
  evidence(left, table, ringsL, ringsR, cost, sums, floors, winnerL, winnerR, out, w, h);
  planes(out, matchAt(base, w, h), priorAt(base, w, h), w4, h4);
}
