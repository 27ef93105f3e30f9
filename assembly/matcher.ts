/**
 * Stereo matching evidence in WebAssembly SIMD: census at half resolution, Hamming cost volume, semi-global aggregation
 * (Hirschmueller 2008) at quarter resolution, winner with uniqueness and left-right check, then a full-resolution search
 * around the winner. One image pair -> 128 bytes for each cell of 4x4 pixels, cell after cell (layout: matcher/cells.ts).
 *
 * Images are grey, rows packed, width and height multiples of 32. Disparities: 96 steps of 2 full-resolution pixels.
 * All integer arithmetic: the same bytes on every machine and in every schedule. Python trains on this very binary.
 */
import { cellsRow } from "./matcher/cells";
import { census, halve, rings, volume } from "./matcher/images";
import {
  censusAt, costAt, evidenceAt, halfAt, leftAt, matchAt, meansAt, partAt, pathsAt, priorAt, rightAt, ringsAt, sweptAt, tablesAt,
} from "./matcher/layout";
import { sweep } from "./matcher/paths";
import { matchPlanes, priorRow } from "./matcher/planes";
import { makeTables } from "./matcher/tables";

export { PARTS, bytesNeeded, evidenceAt, leftAt, matchAt, priorAt, rightAt } from "./matcher/layout";

const BAND: i32 = 4; // rows of cells that one item of phases 0 and 2 takes

/** Bytes read over the first and last row of an image are zeros, whatever lay there before. */
function clearAround(at: usize, bytes: usize): void {
  memory.fill(at - 16, 0, 16);
  memory.fill(at + bytes, 0, 16);
}

/** Images to matching costs, rows y0 <= y < y1 of cells. */
function prepare(base: usize, w: i32, h: i32, y0: i32, y1: i32): void {
  const w2 = w >> 1;
  const h2 = h >> 1;
  for (let eye = 0; eye < 2; eye += 1) {
    const image = eye == 0 ? leftAt(base) : rightAt(base, w, h);
    const half = halfAt(base, w, h, eye);
    clearAround(image, w * h);
    clearAround(half, w2 * h2);
    // The census reads three rows further and over their ends; the neighbouring band writes the same bytes there.
    halve(image, half, w, max(0, 2 * y0 - 4), min(h2, 2 * y1 + 4));
    census(half, censusAt(base, w, h, eye), w2, h2, eye == 1, 2 * y0, 2 * y1);
    rings(image, ringsAt(base, w, h, eye), w, h, 4 * y0, 4 * y1);
  }
  halve(halfAt(base, w, h, 0), meansAt(base, w, h), w2, y0, y1);
  volume(censusAt(base, w, h, 0), censusAt(base, w, h, 1), costAt(base, w, h), w2, h2, y0, y1);
}

/** Costs to evidence, rows y0 <= y < y1 of cells, both even. */
function finish(base: usize, w: i32, h: i32, y0: i32, y1: i32, part: i32): void {
  const w4 = w >> 2;
  const h4 = h >> 2;
  const image = leftAt(base);
  const ringsL = ringsAt(base, w, h, 0);
  const ringsR = ringsAt(base, w, h, 1);
  const cost = costAt(base, w, h);
  const down = sweptAt(base, w, h, 0);
  const up = sweptAt(base, w, h, 1);
  const out = evidenceAt(base, w, h);
  const match = matchAt(base, w, h);
  const prior = priorAt(base, w, h);
  const tables = tablesAt(base, w, h);
  const scratch = partAt(base, w, h, part);
  for (let y = y0; y < y1; y += 1) {
    cellsRow(image, ringsL, ringsR, cost, down, up, out, tables, scratch, w, h, y);
    matchPlanes(out, match, w4 * h4, y * w4, w4);
    if ((y & 1) == 1) priorRow(out, prior, w4, h4, y >> 1);
  }
}

/** Items of a phase (0, 1, 2); each item may run on another thread, in any order. 0 beyond the last phase. */
export function items(h: i32, phase: i32): i32 {
  if (phase == 1) return 2;
  return phase < 3 ? (h >> 2) / BAND : 0;
}

/**
 * Runs one item of a phase. All items of a phase must have ended before one of the next phase begins; items that run at
 * the same time must have different `part`s, 0 <= part < PARTS. The images lie at `leftAt` and `rightAt`; the evidence
 * is written to `evidenceAt`, `matchAt`, `priorAt`. `base` is any free address, at least 4096.
 */
export function runItem(base: usize, w: i32, h: i32, phase: i32, item: i32, part: i32): void {
  if (phase == 0) prepare(base, w, h, item * BAND, (item + 1) * BAND);
  else if (phase == 1) {
    const means = meansAt(base, w, h);
    if (item == 0) makeTables(means, tablesAt(base, w, h), w >> 2, h >> 2);
    sweep(costAt(base, w, h), sweptAt(base, w, h, item), means, pathsAt(base, w, h, item), w >> 2, h >> 2, item == 0);
  } else finish(base, w, h, item * BAND, (item + 1) * BAND, part);
}

/** All phases, on the calling thread. */
export function run(base: usize, w: i32, h: i32): void {
  for (let phase = 0; phase < 3; phase += 1) {
    for (let item = 0; item < items(h, phase); item += 1) runItem(base, w, h, phase, item, 0);
  }
}
