/**
 * The matching evidence by its rules and nothing else: no bands, no packed words, slow. Images are grey, w x h, multiples
 * of 32. Pixels left and right of a row are those of the rows before and after it (the kernel reads memory straight on);
 * above and below, rows repeat; outside of the image's memory there are zeros.
 */
const STEPS = 96;
const NO_MATCH = 52;
const PATHS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const;

interface Grid {
  readonly w: number;
  readonly h: number;
  readonly data: ArrayLike<number>;
}

export interface ReferenceEvidence {
  /** [rows, columns, 128], as the kernel's. */
  readonly cells: Uint8Array;
  /** Matching costs [rows, columns, 96]. */
  readonly cost: Uint8Array;
  /** Sums of eight paths [rows, columns, 96]. */
  readonly sums: Uint16Array;
}

export function referenceEvidence(left: Uint8Array, right: Uint8Array, w: number, h: number): ReferenceEvidence {
  const eyes = [left, right].map((data): Grid => ({ w, h, data }));
  const halves = eyes.map(halved);
  const cells = halved(halves[0]!);
  const cost = matchingCosts(halves[0]!, halves[1]!, cells);
  const sums = aggregated(cost, cells);
  return { cells: describe(eyes[0]!, eyes[1]!, cells, cost, sums), cost, sums };
}

function halved({ w, h, data }: Grid): Grid {
  const half = { w: w / 2, h: h / 2, data: new Uint8Array((w * h) / 4) };
  for (let y = 0; y < half.h; y += 1) {
    for (let x = 0; x < half.w; x += 1) {
      const at = 2 * y * w + 2 * x;
      half.data[y * half.w + x] = (data[at]! + data[at + 1]! + data[at + w]! + data[at + w + 1]! + 2) >> 2;
    }
  }
  return half;
}

/** For each offset (dx, dy): is that neighbour darker than the pixel? */
function darker(
  { w, h, data }: Grid,
  x: number,
  y: number,
  offsets: readonly (readonly [number, number])[],
): boolean[] {
  const centre = data[y * w + x]!;
  return offsets.map(([dx, dy]) => (data[clamp(y + dy, 0, h - 1) * w + x + dx] ?? 0) < centre);
}

const around = (reach: number) => {
  const steps = Array.from({ length: 2 * reach + 1 }, (_, at) => at - reach);
  return steps.flatMap((dy) => steps.map((dx) => [dx, dy] as const)).filter(([dx, dy]) => dx !== 0 || dy !== 0);
};
/** The pixels of a 7x7 window that have the centre's colour on a checkerboard. */
const census = around(3).filter(([dx, dy]) => (dx + dy) % 2 === 0);
const rings = around(2).filter(([dx, dy]) => dx === 0 || dy === 0 || Math.abs(dx) === Math.abs(dy));

function hamming(a: readonly boolean[], b: readonly boolean[]): number {
  return a.reduce((sum, bit, at) => sum + (bit === b[at] ? 0 : 1), 0);
}

function matchingCosts(left: Grid, right: Grid, { w: w4, h: h4 }: Grid): Uint8Array {
  const bits = [left, right].map((grid) =>
    Array.from({ length: grid.w * grid.h }, (_, at) => darker(grid, at % grid.w, Math.floor(at / grid.w), census)),
  );
  const cost = new Uint8Array(w4 * h4 * STEPS).fill(NO_MATCH);
  for (let y = 0; y < h4; y += 1) {
    for (let x = 0; x < w4; x += 1) {
      for (let step = 0; step <= Math.min(STEPS - 1, 2 * x); step += 1) {
        let sum = 0;
        for (const at of [0, 1, left.w, left.w + 1]) {
          const pixel = 2 * y * left.w + 2 * x + at;
          sum += hamming(bits[0]![pixel]!, bits[1]![pixel - step]!);
        }
        cost[(y * w4 + x) * STEPS + step] = sum;
      }
    }
  }
  return cost;
}

/** L(p, s) = C(p, s) + min(L(q, s), L(q, s +- 1) + 9, min L(q) + P2) - min L(q), q the cell before p; summed over paths. */
function aggregated(cost: Uint8Array, { w, h, data: means }: Grid): Uint16Array {
  const sums = new Uint16Array(cost.length);
  for (const [dx, dy] of PATHS) {
    const path = Array.from({ length: w * h }, () => new Array<number>(STEPS));
    for (let j = 0; j < h; j += 1) {
      for (let i = 0; i < w; i += 1) {
        const x = dx < 0 ? w - 1 - i : i;
        const y = dy < 0 ? h - 1 - j : j;
        const cell = y * w + x;
        const inside = x - dx >= 0 && x - dx < w && y - dy >= 0 && y - dy < h;
        const before = inside ? path[cell - dy * w - dx]! : new Array<number>(STEPS).fill(0);
        const least = Math.min(...before);
        const edge = inside ? Math.abs(means[cell]! - means[cell - dy * w - dx]!) : 0;
        const jump = least + Math.max(28, 63 - 2 * edge);
        for (let s = 0; s < STEPS; s += 1) {
          const near = Math.min(before[s - 1] ?? 255, before[s + 1] ?? 255) + 9;
          path[cell]![s] = cost[cell * STEPS + s]! + Math.min(before[s]!, near, jump) - least;
          sums[cell * STEPS + s]! += path[cell]![s]!;
        }
      }
    }
  }
  return sums;
}

function describe(left: Grid, right: Grid, means: Grid, cost: Uint8Array, sums: Uint16Array): Uint8Array {
  const { w: w4, h: h4 } = means;
  const out = new Uint8ClampedArray(w4 * h4 * 128);
  const scale = contrast(means);
  for (let y = 0; y < h4; y += 1) {
    const pairs = Array.from({ length: w4 }, (_, x) => inPairs(sums, y * w4 + x));
    // Of each cell of the right view, the pair of steps with the least sum; the nearest one among equals.
    const back = Array.from({ length: w4 }, (_, x) => {
      const candidates = Array.from({ length: Math.min(48, w4 - x) }, (_, j) => pairs[x + j]![j]!);
      return candidates.indexOf(Math.min(...candidates));
    });
    for (let x = 0; x < w4; x += 1) {
      const cell = y * w4 + x;
      const o = cell * 128;
      const s = sums.subarray(cell * STEPS, (cell + 1) * STEPS);
      const best = Math.min(...s);
      const winner = s.indexOf(best);
      const pair = winner >> 1;
      out.set(
        pairs[x]!.map((sum) => (sum - best) >> 1),
        o,
      );
      out.set(inPairs(cost, cell), o + 48);
      const inner = winner > 0 && winner < STEPS - 1;
      const fraction = inner ? vertex(s[winner - 1]! - best, 0, s[winner + 1]! - best) : 0;
      const centre = clamp(Math.floor((winner * 128 + fraction * 2 + 32) / 64), 0, 2 * STEPS - 1);
      const ring = ringCosts(left, right, x, y, centre);
      out.set(look(left, x, y, scale), o + 96);
      out[o + 112] = centre;
      out[o + 113] = 128 + Math.trunc(fineOffset(ring) / 2);
      out.set(
        ring.map((sum) => Math.floor(sum / 3)),
        o + 114,
      );
      out[o + 119] = x >= pair ? Math.abs(back[x - pair]! - pair) * 16 : 240;
      out[o + 120] = Math.min(...pairs[x]!.filter((_, k) => Math.abs(k - pair) > 1)) - best;
      out[o + 121] = best >> 2;
      out[o + 122] = cost[cell * STEPS + winner]!;
      out[o + 124] = 128 + fraction;
      const pixels = Array.from({ length: 16 }, (_, k) => pixelOf(left, x, y, k));
      out[o + 123] = Math.max(...pixels) - Math.min(...pixels);
      out[o + 125] = pixels.reduce((sum, v, k) => sum + (k % 4 === 0 ? 0 : Math.abs(v - pixels[k - 1]!)), 0);
    }
    behind(out, y * w4, w4);
  }
  return Uint8Array.from(out);
}

/**
 * Bytes 127 and 126 of the row of cells from `first` on: the smaller disparity of the nearest sure cells to both sides, and
 * how far the place that it has in the right image is covered by the surfaces around the sure cells to the right.
 */
function behind(out: Uint8ClampedArray, first: number, w4: number): void {
  const byte = (x: number, k: number) => out[(first + x) * 128 + k]!;
  const all = Array.from({ length: w4 }, (_, x) => x);
  const sure = all.filter((x) =>
    [-2, -1, 0, 1, 2].every(
      (k) =>
        x + k >= 0 &&
        x + k < w4 &&
        byte(x + k, 119) === 0 &&
        (k === -2 || Math.abs(byte(x + k, 112) - byte(x + k - 1, 112)) <= 1),
    ),
  );
  for (const x of all) {
    const beside = [sure.findLast((at) => at <= x), sure.find((at) => at >= x)].filter((at) => at !== undefined);
    const disparity = Math.min(...(beside.length > 0 ? beside : [x]).map((at) => byte(at, 112)));
    const rims = sure.filter((at) => at >= x + 2).map((at) => 4 * (at - 2) - byte(at, 112));
    out[(first + x) * 128 + 127] = disparity;
    out[(first + x) * 128 + 126] = Math.max(0, disparity - 4 * x, ...rims.map((rim) => 4 * x - disparity - rim));
  }
}

/** The smaller of steps 2k and 2k + 1, of 48 pairs. */
function inPairs(values: ArrayLike<number>, cell: number): number[] {
  const at = cell * STEPS;
  return Array.from({ length: STEPS / 2 }, (_, k) => Math.min(values[at + 2 * k]!, values[at + 2 * k + 1]!));
}

function pixelOf({ w, data }: Grid, x: number, y: number, k: number): number {
  return data[(4 * y + (k >> 2)) * w + 4 * x + (k & 3)]!;
}

function look(left: Grid, x: number, y: number, scale: (grey: number) => number): number[] {
  return Array.from({ length: 16 }, (_, k) => scale(pixelOf(left, x, y, k)));
}

/** Grey to mean 128 and deviation 48 over the cells' means; whole numbers throughout. */
function contrast({ data }: Grid): (grey: number) => number {
  const values = Array.from(data);
  const sum = values.reduce((total, v) => total + v, 0);
  const squares = values.reduce((total, v) => total + v * v, 0);
  const variance = Math.floor((squares * values.length - sum * sum) / values.length ** 2);
  const deviation = Math.max(4, Math.floor(Math.sqrt(variance)));
  const mean = Math.floor(sum / values.length);
  return (grey) => 128 + Math.trunc(((grey - mean) * 48) / deviation);
}

/** Ring distances of the 8x6 pixels around a cell at disparities centre - 2 .. centre + 2. */
function ringCosts(left: Grid, right: Grid, x: number, y: number, centre: number): number[] {
  const x0 = clamp(4 * x - 2, 0, left.w - 8);
  const y0 = clamp(4 * y - 1, 0, left.h - 6);
  if (x0 - centre - 2 < 0 || x0 - centre + 2 > left.w - 8) return [480, 480, 480, 480, 480];
  return [-2, -1, 0, 1, 2].map((shift) => {
    let sum = 0;
    for (let at = 0; at < 48; at += 1) {
      const px = x0 + (at % 8);
      const py = y0 + Math.floor(at / 8);
      sum += hamming(darker(left, px, py, rings), darker(right, px - centre - shift, py, rings));
    }
    return sum;
  });
}

/** In 1/64 px: the least of five costs, among equals the nearest to the middle (the left one first), and its parabola. */
function fineOffset(costs: readonly number[]): number {
  const least = Math.min(...costs);
  const best = [2, 1, 3, 0, 4].find((k) => costs[k] === least)!;
  if (best === 0 || best === 4) return (best - 2) * 64;
  return (best - 2) * 64 + vertex(costs[best - 1]!, costs[best]!, costs[best + 1]!);
}

/** Where a parabola through three costs is least, in 1/64 of their spacing. */
function vertex(a: number, b: number, c: number): number {
  const curve = a - 2 * b + c;
  return curve <= 0 ? 0 : clamp(Math.trunc(((a - c) * 32) / curve), -32, 32);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
