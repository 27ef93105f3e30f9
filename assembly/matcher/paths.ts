/** Semi-global aggregation: four of the eight path directions in one sweep over the image, down or up. */
import { ENTRY, STEPS, entriesSize, penaltiesSize } from "./layout";

const P1: u8 = 9; // penalty of a change by one step
const P2_SMOOTH: u8 = 63; // penalty of a jump where the image is flat ...
const P2_EDGE: u8 = 28; // ... and across a strong edge

/** Penalty of a jump from cell to cell, for a row of cells: means at `from` -> means at `to`. */
function penalties(from: usize, to: usize, out: usize, w4: i32): void {
  const smooth = i8x16.splat(P2_SMOOTH);
  const edge = i8x16.splat(P2_EDGE);
  for (let x = 0; x < w4; x += 16) {
    const a = v128.load(from + x);
    const b = v128.load(to + x);
    const apart = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
    v128.store(out + x, i8x16.max_u(edge, i8x16.sub_sat_u(smooth, i8x16.add_sat_u(apart, apart))));
  }
}

/** Rows of entries from which every path starts afresh: all steps equal, so that the next entry is the matching cost. */
function fresh(rows: usize, count: i32): void {
  memory.fill(rows, 255, count * ENTRY);
  for (let i = 0; i < count; i += 1) {
    store<u8>(rows + i * ENTRY, 0);
    memory.fill(rows + i * ENTRY + 16, 0, STEPS);
  }
}

/** min(stay, change by one, jump) - least, 16 steps: what a path adds to the matching cost, 0..63. */
@inline function added(here: v128, below: v128, above: v128, jump: v128, least: v128): v128 {
  const near = i8x16.add_sat_u(i8x16.min_u(below, above), i8x16.splat(P1));
  return i8x16.sub(i8x16.min_u(i8x16.min_u(here, near), jump), least);
}

@inline function addedFrom(at: usize, jump: v128, least: v128): v128 {
  return added(v128.load(at), v128.load(at - 1), v128.load(at + 1), jump, least);
}

/** The 16 bytes that begin one before `v` / one after it. */
@inline function shiftDown(before: v128, v: v128): v128 {
  return i8x16.shuffle(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

@inline function shiftUp(v: v128, next: v128): v128 {
  return i8x16.shuffle(v, next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

/** Minima of the bytes of four vectors, in the four bytes of each 32-bit lane. */
@inline function minima(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i8x16.min_u(
    i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
    i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
  );
  const cd = i8x16.min_u(
    i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
    i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
  );
  let m = i8x16.min_u(
    i8x16.shuffle(ab, cd, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23),
    i8x16.shuffle(ab, cd, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31),
  );
  m = i8x16.min_u(m, i8x16.shuffle(m, m, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return i8x16.min_u(m, i8x16.shuffle(m, m, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
}

/**
 * out[cell][step] = sum over four paths of L - C (at most 4 * 63), where L is the path's cost (Hirschmueller 2008).
 * down: the paths from the left, above, above left and above right; else their opposites. scratch: see `pathsAt`.
 */
export function sweep(cost: usize, out: usize, means: usize, scratch: usize, w4: i32, h4: i32, down: bool): void {
  const rowSize = entriesSize(w4);
  fresh(scratch, 6 * (w4 + 2));
  let previous = scratch; // three rows of entries: above, to the left of it, to the right of it
  let current = scratch + 3 * rowSize;
  const fromSide = scratch + 6 * rowSize;
  const fromAbove = fromSide + penaltiesSize(w4);
  const fromLeft = fromAbove + penaltiesSize(w4);
  const fromRight = fromLeft + penaltiesSize(w4);
  const stride = down ? 1 : -1;
  const none = i8x16.splat(-1);

  for (let j = 0; j < h4; j += 1) {
    const y = down ? j : h4 - 1 - j;
    const row = means + y * w4;
    const above = j == 0 ? row : row - stride * w4;
    penalties(row - stride, row, fromSide, w4);
    penalties(above, row, fromAbove, w4);
    penalties(above - 1, row, fromLeft, w4);
    penalties(above + 1, row, fromRight, w4);

    let h0 = i8x16.splat(0);
    let h1 = h0;
    let h2 = h0;
    let h3 = h0;
    let h4_ = h0;
    let h5 = h0;
    let least = h0;
    for (let i = 0; i < w4; i += 1) {
      const x = down ? i : w4 - 1 - i;
      const c = cost + (y * w4 + x) * STEPS;
      const o = out + (y * w4 + x) * STEPS;

      // along the row, in registers
      const jump = i8x16.add(least, v128.load8_splat(fromSide + x));
      let a0 = added(h0, shiftDown(none, h0), shiftUp(h0, h1), jump, least);
      let a1 = added(h1, shiftDown(h0, h1), shiftUp(h1, h2), jump, least);
      let a2 = added(h2, shiftDown(h1, h2), shiftUp(h2, h3), jump, least);
      let a3 = added(h3, shiftDown(h2, h3), shiftUp(h3, h4_), jump, least);
      let a4 = added(h4_, shiftDown(h3, h4_), shiftUp(h4_, h5), jump, least);
      let a5 = added(h5, shiftDown(h4_, h5), shiftUp(h5, none), jump, least);
      h0 = i8x16.add(a0, v128.load(c));
      h1 = i8x16.add(a1, v128.load(c + 16));
      h2 = i8x16.add(a2, v128.load(c + 32));
      h3 = i8x16.add(a3, v128.load(c + 48));
      h4_ = i8x16.add(a4, v128.load(c + 64));
      h5 = i8x16.add(a5, v128.load(c + 80));
      v128.store(o, a0);
      v128.store(o + 16, a1);
      v128.store(o + 32, a2);
      v128.store(o + 48, a3);
      v128.store(o + 64, a4);
      v128.store(o + 80, a5);
      const low = i8x16.min_u(i8x16.min_u(i8x16.min_u(h0, h1), i8x16.min_u(h2, h3)), i8x16.min_u(h4_, h5));

      // from the row before
      const up = previous + (x + 1) * ENTRY;
      const left = up + rowSize - ENTRY;
      const right = up + 2 * rowSize + ENTRY;
      const leastUp = v128.load8_splat(up);
      const leastLeft = v128.load8_splat(left);
      const leastRight = v128.load8_splat(right);
      const jumpUp = i8x16.add(leastUp, v128.load8_splat(fromAbove + x));
      const jumpLeft = i8x16.add(leastLeft, v128.load8_splat(fromLeft + x));
      const jumpRight = i8x16.add(leastRight, v128.load8_splat(fromRight + x));
      let lowUp = none;
      let lowLeft = none;
      let lowRight = none;
      const entry = current + (x + 1) * ENTRY;
      for (let step = 0; step < STEPS; step += 16) {
        const raw = v128.load(c + step);
        const at = step + 16;
        const byUp = addedFrom(up + at, jumpUp, leastUp);
        const byLeft = addedFrom(left + at, jumpLeft, leastLeft);
        const byRight = addedFrom(right + at, jumpRight, leastRight);
        v128.store(o + step, i8x16.add(i8x16.add(v128.load(o + step), byUp), i8x16.add(byLeft, byRight)));
        const pathUp = i8x16.add(raw, byUp);
        const pathLeft = i8x16.add(raw, byLeft);
        const pathRight = i8x16.add(raw, byRight);
        v128.store(entry + at, pathUp);
        v128.store(entry + rowSize + at, pathLeft);
        v128.store(entry + 2 * rowSize + at, pathRight);
        lowUp = i8x16.min_u(lowUp, pathUp);
        lowLeft = i8x16.min_u(lowLeft, pathLeft);
        lowRight = i8x16.min_u(lowRight, pathRight);
      }
      const m = minima(low, lowUp, lowLeft, lowRight);
      least = i8x16.shuffle(m, m, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store8_lane(entry, m, 1);
      v128.store8_lane(entry + rowSize, m, 2);
      v128.store8_lane(entry + 2 * rowSize, m, 3);
    }
    const swap = previous;
    previous = current;
    current = swap;
  }
}
