/** Part of a cell by which a quotient of float32 differences may differ from the exact walk's, with much to spare. */
export const BUNDLE_SLACK = 1e-4;

/** So many rays are asked before it is seen whether they said all there is to say. */
const EACH = 4;

/**
 * Rays from one origin into one cell. Their ways differ by a cell or two, and with thousands of bundles in a scan nearly
 * every cell on the way has been marked before: then one look at what all of them could leave replaces the walks.
 */
export class RayBundle {
  count = 0;
  /** How far each ray goes on each axis, metres, in either direction. */
  readonly away: readonly [Float64Array, Float64Array, Float64Array];
  /** False once a ray was too close to an edge. */
  #isSure = true;
  readonly #low = new Float64Array(3);
  readonly #high = new Float64Array(3);

  constructor(capacity: number) {
    this.away = [new Float64Array(capacity), new Float64Array(capacity), new Float64Array(capacity)];
  }

  /** To be called when the first `count` of `away` are set. */
  bound(): void {
    for (let a = 0; a < 3; a += 1) {
      const away = this.away[a]!;
      let low = away[0]!;
      let high = low;
      for (let n = 1; n < this.count; n += 1) {
        const v = away[n]!;
        if (v < low) low = v;
        if (v > high) high = v;
      }
      this.#low[a] = low;
      this.#high[a] = high;
    }
  }

  /**
   * Marks the cells left through the `faces` faces of axis `a`, the first of which is `phase` cells away. The first face
   * of axis `b` is `phaseB` cells away, and a cell further on it is `stepB` bits; where `b` has no face that the rays
   * meet, `stepB` is 0. False where a ray is so close to an edge that only the exact walk can tell.
   */
  mark(
    bits: Uint32Array,
    home: number,
    faces: number,
    a: number,
    phase: number,
    step: number,
    b: number,
    phaseB: number,
    stepB: number,
    c: number,
    phaseC: number,
    stepC: number,
  ): boolean {
    if (faces === 0) return true;
    const nearest = 1 / this.#low[a]!;
    const farthest = 1 / this.#high[a]!;
    const lowB = stepB === 0 ? 0 : this.#low[b]! * farthest;
    const highB = stepB === 0 ? 0 : this.#high[b]! * nearest;
    const lowC = stepC === 0 ? 0 : this.#low[c]! * farthest;
    const highC = stepC === 0 ? 0 : this.#high[c]! * nearest;
    const b0 = stepB === 0 ? 0.5 : 1 - phaseB;
    const c0 = stepC === 0 ? 0.5 : 1 - phaseC;
    let isSure = true;
    this.#isSure = true;
    for (let i = 0; i < faces; i += 1) {
      const way = phase + i;
      const fromB = (b0 + way * lowB - BUNDLE_SLACK) | 0;
      const toB = (b0 + way * highB + BUNDLE_SLACK) | 0;
      const fromC = (c0 + way * lowC - BUNDLE_SLACK) | 0;
      const toC = (c0 + way * highC + BUNDLE_SLACK) | 0;
      const base = (home + Math.imul(i, step)) | 0;
      const first = (base + Math.imul(fromB, stepB) + Math.imul(fromC, stepC)) | 0;
      if (fromB === toB && fromC === toC) {
        bits[first >> 5]! |= 1 << first;
        continue;
      }
      const cellsB = toB - fromB + 1;
      const cellsC = toC - fromC + 1;
      for (let n = 0; !areMarked(bits, first, cellsB, stepB, cellsC, stepC); n += EACH) {
        if (n >= this.count) {
          isSure &&= this.#isSure;
          break;
        }
        this.#markEach(n, bits, base, way, a, b, b0, stepB, c, c0, stepC);
      }
    }
    return isSure;
  }

  /** The cells left through one face by a few rays from `from` on. */
  #markEach(
    from: number,
    bits: Uint32Array,
    base: number,
    way: number,
    a: number,
    b: number,
    b0: number,
    stepB: number,
    c: number,
    c0: number,
    stepC: number,
  ): void {
    const awayA = this.away[a]!;
    const awayB = this.away[b]!;
    const awayC = this.away[c]!;
    const to = Math.min(from + EACH, this.count);
    for (let n = from; n < to; n += 1) {
      const share = way / awayA[n]!;
      const v = stepB === 0 ? b0 : b0 + share * awayB[n]!;
      const w = stepC === 0 ? c0 : c0 + share * awayC[n]!;
      const inB = v | 0;
      const inC = w | 0;
      // What is outside the slack on either side is where it seems to be.
      if (isBetween(v - inB) && isBetween(w - inC)) {
        const at = (base + Math.imul(inB, stepB) + Math.imul(inC, stepC)) | 0;
        bits[at >> 5]! |= 1 << at;
      } else this.#isSure = false;
    }
  }
}

function areMarked(
  bits: Uint32Array,
  first: number,
  cellsB: number,
  stepB: number,
  cellsC: number,
  stepC: number,
): boolean {
  let all = 1;
  for (let row = first, left = cellsC; left > 0; left -= 1, row += stepC) {
    for (let at = row, n = cellsB; n > 0; n -= 1, at += stepB) all &= bits[at >> 5]! >>> (at & 31);
  }
  return (all & 1) === 1;
}

/** Whether a place in a cell (0..1) is so far from its faces that rounding can't move it to another. */
export function isBetween(v: number): boolean {
  return v > BUNDLE_SLACK && v < 1 - BUNDLE_SLACK;
}
