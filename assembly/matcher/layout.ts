/** Where each buffer of the matching kernel lies. Images are w x h pixels, multiples of 32; cells are 4x4 pixels. */

export const STEPS: i32 = 96; // disparity steps of the volume, 2 pixels each
export const CHANNELS: i32 = 128; // bytes of one cell in the evidence
/** Bytes of one cell in a path's row: its minimum, 15 bytes of 255, 96 steps, 16 bytes of 255. */
export const ENTRY: i32 = 128;
/** Threads that may run phases at once: each has its own scratch. */
export const PARTS: i32 = 4;
/** Between two buffers: reads over an edge end here. */
const MARGIN: usize = 4096;

@inline function after(at: usize, bytes: usize): usize {
  return (at + bytes + MARGIN + 63) & ~63;
}

@inline function cellsOf(w: i32, h: i32): i32 {
  return (w >> 2) * (h >> 2);
}

/** Left image: grey, packed. */
export function leftAt(base: usize): usize {
  return after(base, 0);
}

export function rightAt(base: usize, w: i32, h: i32): usize {
  return after(leftAt(base), w * h);
}

/** [cells][CHANNELS], see cells.ts. */
export function evidenceAt(base: usize, w: i32, h: i32): usize {
  return after(rightAt(base, w, h), w * h);
}

/** Bytes 112..127 of the evidence again, as 16 planes. */
export function matchAt(base: usize, w: i32, h: i32): usize {
  return after(evidenceAt(base, w, h), cellsOf(w, h) * CHANNELS);
}

/** Bytes 0..47 of the evidence, means of 2x2 cells, as 48 planes of a quarter of the cells. */
export function priorAt(base: usize, w: i32, h: i32): usize {
  return after(matchAt(base, w, h), cellsOf(w, h) * 16);
}

/** Image of an eye (0 left, 1 right) at half resolution. */
export function halfAt(base: usize, w: i32, h: i32, eye: i32): usize {
  const size = (w * h) >> 2;
  const first = after(priorAt(base, w, h), (w >> 3) * (h >> 3) * 48);
  return eye == 0 ? first : after(first, size);
}

/** Census at half resolution: three byte planes. The right eye's rows run right to left. */
export function censusAt(base: usize, w: i32, h: i32, eye: i32): usize {
  const size = (w * h) >> 2;
  const first = after(halfAt(base, w, h, 1), size);
  return eye == 0 ? first : after(first, size * 3);
}

/** Rings at full resolution: two bytes a pixel. */
export function ringsAt(base: usize, w: i32, h: i32, eye: i32): usize {
  const first = after(censusAt(base, w, h, 1), ((w * h) >> 2) * 3);
  return eye == 0 ? first : after(first, w * h * 2);
}

/** Matching costs: [cells][STEPS], 0..96. */
export function costAt(base: usize, w: i32, h: i32): usize {
  return after(ringsAt(base, w, h, 1), w * h * 2);
}

/** What the four paths of a sweep (0, 1) add to the costs: [cells][STEPS], 0..224. */
export function sweptAt(base: usize, w: i32, h: i32, sweep: i32): usize {
  const size = cellsOf(w, h) * STEPS;
  const first = after(costAt(base, w, h), size);
  return sweep == 0 ? first : after(first, size);
}

/** Mean grey of each cell of the left image. */
export function meansAt(base: usize, w: i32, h: i32): usize {
  return after(sweptAt(base, w, h, 1), cellsOf(w, h) * STEPS);
}

/** Bytes of one row of entries, with one more at either end. */
@inline export function entriesSize(w4: i32): i32 {
  return (w4 + 2) * ENTRY;
}

/** Scratch of a sweep: six rows of entries, then four rows of penalties (`penaltiesSize` bytes each). */
export function pathsAt(base: usize, w: i32, h: i32, sweep: i32): usize {
  const first = after(meansAt(base, w, h), cellsOf(w, h));
  return sweep == 0 ? first : after(first, 6 * entriesSize(w >> 2) + 4 * penaltiesSize(w >> 2));
}

@inline export function penaltiesSize(w4: i32): i32 {
  return w4 + 16;
}

/** Tables for all parts: 256 bytes of contrast, 96 around a winner (tables.ts). */
export function tablesAt(base: usize, w: i32, h: i32): usize {
  return after(pathsAt(base, w, h, 1), 6 * entriesSize(w >> 2) + 4 * penaltiesSize(w >> 2));
}

/** Scratch of a part: a row of the right view (costs u16, then pairs), sums of a cell (192 bytes), a row of winners. */
export function partAt(base: usize, w: i32, h: i32, part: i32): usize {
  const w4 = w >> 2;
  const first = after(tablesAt(base, w, h), 256 + 96);
  return first + <usize>part * after(0, 3 * (w4 + 48) + 192 + w4);
}

/** Bytes that the kernel needs from `base` on. */
export function bytesNeeded(w: i32, h: i32): usize {
  return partAt(0, w, h, PARTS);
}
