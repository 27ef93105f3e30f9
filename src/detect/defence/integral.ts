import type { Cues } from "../../core/detection.ts";

/** Added to means of the energy before they are divided, as a share of the image's own mean. */
const ENERGY_FLOOR = 0.1;

/** Means of cues over squares of cells, in constant time. Keeps its buffers. */
export class IntegralCues {
  /** A row and a column longer than the maps. */
  #hues = new Float64Array(0);
  #energy = new Float64Array(0);
  #hasEnergy = false;
  /** Added to means of the energy. */
  #floor = 0;
  #width = 0;
  #height = 0;

  /** Reads the maps of an image; they are not kept. */
  take({ width, height, maps: { hues, energy } }: Cues): void {
    this.#width = width;
    this.#height = height;
    const length = (width + 1) * (height + 1);
    if (this.#hues.length < length) [this.#hues, this.#energy] = [new Float64Array(length), new Float64Array(length)];
    integrate(this.#hues, hues, width, height);
    this.#hasEnergy = energy !== undefined;
    if (energy === undefined) return;
    integrate(this.#energy, energy, width, height);
    this.#floor = (ENERGY_FLOOR * this.#sum(this.#energy, 0, 0, width, height)) / (width * height) + 1e-6;
  }

  /** Mean of the hues in a square, pixel values. */
  hues(x: number, y: number, side: number): number {
    return this.#sum(this.#hues, x, y, x + side, y + side) / (side * side);
  }

  /** Of the whole image. */
  get meanHues(): number {
    return this.#sum(this.#hues, 0, 0, this.#width, this.#height) / (this.#width * this.#height);
  }

  /** Logarithm of the ratio of the energy in a square to that in the ring of half its side around it; 0 without energy. */
  energy(x: number, y: number, side: number): number {
    if (!this.#hasEnergy) return 0;
    const [width, height, floor] = [this.#width, this.#height, this.#floor];
    const reach = Math.max(1, side >> 1);
    const x0 = Math.max(0, x - reach);
    const y0 = Math.max(0, y - reach);
    const x1 = Math.min(width, x + side + reach);
    const y1 = Math.min(height, y + side + reach);
    const inner = this.#sum(this.#energy, x, y, x + side, y + side);
    const ring = this.#sum(this.#energy, x0, y0, x1, y1) - inner;
    return Math.log((inner / (side * side) + floor) / (ring / ((x1 - x0) * (y1 - y0) - side * side) + floor));
  }

  #sum(sums: Float64Array, x0: number, y0: number, x1: number, y1: number): number {
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
