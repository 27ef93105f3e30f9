import type { FrameTimes } from "./decay.ts";
import { BRICK_CELLS, BRICK_COUNT, BRICK_EDGE, keyOf, spread3 } from "./key.ts";
import { type Evidence, UNKNOWN_CELL } from "./log-odds.ts";
import { RayMarker } from "./mark-rays.ts";
import { clampKey, ScanGrid } from "./scan-grid.ts";
import type { RollingWindow } from "./window.ts";

/**
 * Writes a point cloud as OctoMap's `insertPointCloud` does: every cell that a ray passes is free, every cell with a
 * point occupied, each moves once per scan, and occupied wins (Hornung et al. 2013, section 4.4). First all cells are
 * marked in a bit set of the scan's surroundings, then the marks are carried into the bricks, row by row.
 */
export class PointInserter {
  /** Map cells that the last scan moved towards occupied, and towards free. */
  occupiedCells = 0;
  freeCells = 0;
  readonly #window: RollingWindow;
  readonly #times: FrameTimes;
  readonly #evidence: Evidence;
  readonly #resolutionM: number;
  readonly #grid = new ScanGrid();
  /** Made with the first scan. */
  #marker: RayMarker | undefined;
  readonly #low = new Float64Array(3);
  readonly #high = new Float64Array(3);
  /** 1 for each brick of the grid in which something is marked. */
  #touched = new Uint8Array(0);

  constructor(window: RollingWindow, times: FrameTimes, evidence: Evidence, resolutionM: number) {
    this.#window = window;
    this.#times = times;
    this.#evidence = evidence;
    this.#resolutionM = resolutionM;
  }

  /** How far the scan reaches inside the key space and the window around `origin`; false = more than a scan may span. */
  prepare(xyz: Float32Array, count: number, origin: ArrayLike<number>, maxRangeM: number): boolean {
    const [low, high] = [this.#low, this.#high];
    this.#marker ??= new RayMarker(this.#resolutionM);
    this.#marker.load(low, high, xyz, count);
    for (let a = 0; a < 3; a += 1) {
      const from = Math.min(low[a]!, origin[a]!);
      const to = Math.max(high[a]!, origin[a]!);
      const res = this.#resolutionM;
      const reach = this.#window.halfBricks * BRICK_EDGE;
      const home = keyOf(origin[a]!, res);
      const brick = home - (home & 7);
      // One cell more, as float32 may round a cut ray across a face, and one in which rays that go on may end.
      low[a] = Math.max(clampKey(keyOf(Math.max(from, origin[a]! - maxRangeM), res)) - 1, brick - reach) - 1;
      high[a] = Math.min(clampKey(keyOf(Math.min(to, origin[a]! + maxRangeM), res)) + 1, brick + reach + 7) + 1;
    }
    return this.#grid.span(low, high);
  }

  /** After `prepare` with the same scan; the window must already be centred on its origin. */
  insert(origin: ArrayLike<number>, maxRangeM: number): void {
    this.occupiedCells = 0;
    this.freeCells = 0;
    this.#marker!.mark(this.#grid, origin, maxRangeM);
    this.#touch();
    this.#eachTouched(true);
    this.#eachTouched(false);
  }

  #touch(): void {
    const { free, hit, size } = this.#grid;
    const bricksX = size[0]! / BRICK_EDGE;
    const bricksY = size[1]! / BRICK_EDGE;
    const bricks = (bricksX * bricksY * size[2]!) / BRICK_EDGE;
    if (this.#touched.length < bricks) this.#touched = new Uint8Array(bricks * 2);
    const touched = this.#touched.fill(0, 0, bricks);
    let word = 0;
    for (let z = 0; z < size[2]!; z += 1) {
      for (let y = 0; y < size[1]!; y += 1) {
        const row = ((z >> 3) * bricksY + (y >> 3)) * bricksX;
        for (let x = 0; x < bricksX; x += 4) {
          const marks = free[word]! | hit[word]!;
          word += 1;
          if (marks === 0) continue;
          if ((marks & 0xff) !== 0) touched[row + x] = 1;
          if ((marks & 0xff00) !== 0) touched[row + x + 1] = 1;
          if ((marks & 0xff0000) !== 0) touched[row + x + 2] = 1;
          if ((marks & 0xff000000) !== 0) touched[row + x + 3] = 1;
        }
      }
    }
  }

  /** Makes the touched bricks, or fills them: making one may move others, so all are there before the first is filled. */
  #eachTouched(isMaking: boolean): void {
    const { low, size } = this.#grid;
    const bricksX = size[0]! / BRICK_EDGE;
    const bricksY = size[1]! / BRICK_EDGE;
    const bricksZ = size[2]! / BRICK_EDGE;
    const { store } = this.#window;
    let at = 0;
    for (let z = 0; z < bricksZ; z += 1) {
      for (let y = 0; y < bricksY; y += 1) {
        for (let x = 0; x < bricksX; x += 1, at += 1) {
          if (this.#touched[at] === 0) continue;
          const bx = (low[0]! >> 3) + x;
          const by = (low[1]! >> 3) + y;
          const bz = (low[2]! >> 3) + z;
          if (isMaking) {
            if (isBrick(bx) && isBrick(by) && isBrick(bz)) this.#window.ensure(bx, by, bz, this.#times.nowS);
          } else {
            const slot = store.find(bx, by, bz);
            if (slot >= 0) this.#fill(slot, x + bricksX * BRICK_EDGE * (y + size[1]! * z));
          }
        }
      }
    }
  }

  /** Carries the marks of one brick into the store; `corner` is the byte of its first row. */
  #fill(slot: number, corner: number): void {
    const { freeRows, hitRows, size } = this.#grid;
    const rowY = size[0]! / BRICK_EDGE;
    const rowZ = rowY * size[1]!;
    const { logOdds, seen, known } = this.#window.store;
    const { hitOf, missOf, min, max } = this.#evidence;
    const now = this.#times.now;
    const gain = hitOf[255]!;
    const loss = missOf[0]!;
    const first = slot * BRICK_CELLS;
    let added = 0;
    for (let z = 0; z < BRICK_EDGE; z += 1) {
      for (let y = 0; y < BRICK_EDGE; y += 1) {
        const byte = corner + y * rowY + z * rowZ;
        const hits = hitRows[byte]!;
        const misses = freeRows[byte]! & ~hits;
        const row = first + ((spread3[y]! << 1) | (spread3[z]! << 2));
        for (let left = misses; left !== 0; left &= left - 1) {
          const at = row + spread3[31 - Math.clz32(left & -left)]!;
          const value = logOdds[at]!;
          added += value === UNKNOWN_CELL ? 1 : 0;
          const next = (value === UNKNOWN_CELL ? 0 : value) + loss;
          logOdds[at] = next < min ? min : next;
          seen[at] = now;
          this.freeCells += 1;
        }
        for (let left = hits; left !== 0; left &= left - 1) {
          const at = row + spread3[31 - Math.clz32(left & -left)]!;
          const value = logOdds[at]!;
          added += value === UNKNOWN_CELL ? 1 : 0;
          const next = (value === UNKNOWN_CELL ? 0 : value) + gain;
          logOdds[at] = next > max ? max : next;
          seen[at] = now;
          this.occupiedCells += 1;
        }
      }
    }
    known[slot]! += added;
  }
}

function isBrick(b: number): boolean {
  return b >= 0 && b < BRICK_COUNT;
}
