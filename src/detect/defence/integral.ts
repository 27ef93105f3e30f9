import type { Cues } from "../../core/detection.ts";
import { suspicionOf } from "./gate.ts";

const cueNames = ["texture", "chroma", "energy"] as const;
/** Added to means of the energy before they are divided, as a share of the image's own mean. */
const ENERGY_FLOOR = 0.1;

/** By how much cues are higher in squares than around them; in constant time, from integral images. */
export class IntegralCues {
  /** A row and a column longer than the maps; empty where there is no such cue. */
  readonly #sums = cueNames.map(() => new Float64Array(0));
  readonly #isThere = cueNames.map(() => false);
  #energyMean = 1;
  #chromaMean = 0;
  #width = 0;
  #height = 0;

  /** Reads the maps of an image; they are not kept. */
  take({ width, height, maps }: Cues): void {
    this.#width = width;
    this.#height = height;
    const length = (width + 1) * (height + 1);
    for (const [c, name] of cueNames.entries()) {
      const map = maps[name];
      this.#isThere[c] = map !== undefined;
      if (map === undefined) continue;
      if (this.#sums[c]!.length < length) this.#sums[c] = new Float64Array(length);
      integrate(this.#sums[c]!, map, width, height);
      const mean = this.#sums[c]![length - 1]! / (width * height);
      if (name === "energy") this.#energyMean = mean + 1e-6;
      else if (name === "chroma") this.#chromaMean = mean;
    }
  }

  /** Mean of cue `c` in a square (cells) minus that in the ring of half its side around it; 0 where there is no such cue. */
  difference(c: number, x: number, y: number, side: number): number {
    return this.#isThere[c] === true ? this.#inner(c, x, y, side) - this.#ring(c, x, y, side) : 0;
  }

  /** Logarithm of the ratio of the two. */
  logRatio(c: number, x: number, y: number, side: number): number {
    if (this.#isThere[c] !== true) return 0;
    const floor = ENERGY_FLOOR * this.#energyMean;
    return Math.log((this.#inner(c, x, y, side) + floor) / (this.#ring(c, x, y, side) + floor));
  }

  /** Of the whole image. */
  get meanLevel(): number {
    return suspicionOf(this.#chromaMean, this.#isThere[2] === true ? 1 : 0);
  }

  /** How much a square is excited, as the gate weighs it. */
  level(x: number, y: number, side: number): number {
    const energy = this.#isThere[2] === true ? this.#inner(2, x, y, side) / this.#energyMean : 0;
    return suspicionOf(this.#inner(1, x, y, side), energy);
  }

  #inner(c: number, x: number, y: number, side: number): number {
    return this.#sum(c, x, y, x + side, y + side) / (side * side);
  }

  #ring(c: number, x: number, y: number, side: number): number {
    const reach = Math.max(1, side >> 1);
    const x0 = Math.max(0, x - reach);
    const y0 = Math.max(0, y - reach);
    const x1 = Math.min(this.#width, x + side + reach);
    const y1 = Math.min(this.#height, y + side + reach);
    const ring = this.#sum(c, x0, y0, x1, y1) - this.#sum(c, x, y, x + side, y + side);
    return ring / ((x1 - x0) * (y1 - y0) - side * side);
  }

  #sum(c: number, x0: number, y0: number, x1: number, y1: number): number {
    const sums = this.#sums[c]!;
    const across = this.#width + 1;
    return sums[y1 * across + x1]! - sums[y0 * across + x1]! - sums[y1 * across + x0]! + sums[y0 * across + x0]!;
  }
}

/** Fills `sums` (zeros in the first row and column) with the sums of all that lies above and to the left. */
function integrate(sums: Float64Array, map: Float32Array, width: number, height: number): void {
  const across = width + 1;
  sums.fill(0, 0, across);
  for (let y = 0; y < height; y += 1) {
    let row = 0;
    sums[(y + 1) * across] = 0;
    for (let x = 0; x < width; x += 1) {
      row += map[y * width + x]!;
      sums[(y + 1) * across + x + 1] = sums[y * across + x + 1]! + row;
    }
  }
}
