import type { Box, Cues } from "../../core/detection.ts";
import { area, common } from "../candidates.ts";
import { type Excess, suspicionOf } from "./gate.ts";

/** A square part of the image that excites more than what is around it. */
export interface Window {
  /** Pixels of the image; a cell wider on each side than the square that was judged, inside the image. */
  readonly box: Box;
  readonly excess: Excess;
  readonly suspicion: number;
}

export interface Wanted {
  /** Least suspicion. */
  readonly least: number;
  /** Largest number of windows. */
  readonly most: number;
  /** Where their centres must lie, image pixels. */
  readonly within: Box;
}

/** Sides of the squares, cells. */
const SIDES = [3, 4, 6, 8, 12, 16, 24];
/** Two windows of which the smaller one lies in the other by more than this share are one. */
const SAME = 0.3;
const names = ["texture", "chroma", "energy"] as const;

/** Finds suspicious windows by integral images over the cues. Keeps its buffers. */
export class Proposer {
  readonly #sums = names.map(() => new Float64Array(0));
  /** Standard deviation of each cue over the image; infinite where there is no such cue. */
  readonly #deviations = [0, 0, 0];
  /** Left, top, side of each square, cells. */
  #squares = new Int16Array(3 * 1024);
  #excess = new Float32Array(3 * 1024);
  #scores = new Float32Array(1024);

  /** The windows with the highest suspicion, best first, not on top of each other. `image`: its size, pixels. */
  propose(cues: Cues, image: { readonly width: number; readonly height: number }, wanted: Wanted): Window[] {
    for (const [c, name] of names.entries()) this.#sum(c, cues.maps[name], cues);
    const count = this.#judge(cues, wanted);
    const out: Window[] = [];
    while (out.length < wanted.most) {
      let best = 0;
      for (let i = 1; i < count; i += 1) if (this.#scores[i]! > this.#scores[best]!) best = i;
      const suspicion = this.#scores[best]!;
      if (count === 0 || !(suspicion >= wanted.least)) break;
      this.#scores[best] = Number.NEGATIVE_INFINITY;
      const box = this.#boxOf(best, cues, image);
      if (out.some((other) => common(box, 0, 0, other.box) > SAME * Math.min(area(box, 0), area(other.box, 0))))
        continue;
      const [texture, chroma, energy] = this.#excess.subarray(3 * best);
      out.push({ box, suspicion, excess: { texture: texture!, chroma: chroma!, energy: energy! } });
    }
    return out;
  }

  /** Integral image of a cue, a row and a column longer than the map, and its deviation. */
  #sum(c: number, map: Float32Array | undefined, { width, height }: Cues): void {
    const across = width + 1;
    if (this.#sums[c]!.length < across * (height + 1)) this.#sums[c] = new Float64Array(across * (height + 1));
    const sums = this.#sums[c]!;
    this.#deviations[c] = Number.POSITIVE_INFINITY;
    if (map === undefined) return;
    // A row and a column of zeros lead; the array may hold an older, larger image.
    sums.fill(0, 0, across * (height + 1));
    let squares = 0;
    for (let y = 0; y < height; y += 1) {
      let row = 0;
      for (let x = 0; x < width; x += 1) {
        const value = map[y * width + x]!;
        row += value;
        squares += value * value;
        sums[(y + 1) * across + x + 1] = sums[y * across + x + 1]! + row;
      }
    }
    const cells = width * height;
    const mean = sums[height * across + width]! / cells;
    this.#deviations[c] = Math.sqrt(Math.max(squares / cells - mean * mean, 1e-6));
  }

  /** Judges all squares with their centre in `within`; returns how many there are. */
  #judge({ width, height, left, top, cellWidth, cellHeight }: Cues, { within }: Wanted): number {
    let count = 0;
    for (const side of SIDES) {
      if (2 * side > Math.min(width, height)) break;
      const step = Math.max(1, side >> 2);
      for (let y = 0; y + side <= height; y += step) {
        const centreY = top + (y + side / 2) * cellHeight;
        if (centreY < within[1] || centreY > within[3]) continue;
        for (let x = 0; x + side <= width; x += step) {
          const centreX = left + (x + side / 2) * cellWidth;
          if (centreX < within[0] || centreX > within[2]) continue;
          if (count === this.#scores.length) this.#grow();
          this.#squares[3 * count] = x;
          this.#squares[3 * count + 1] = y;
          this.#squares[3 * count + 2] = side;
          for (let c = 0; c < 3; c += 1) this.#excess[3 * count + c] = this.#excessOf(c, x, y, side, width, height);
          this.#scores[count] = suspicionOf(this.#excess, 3 * count);
          count += 1;
        }
      }
    }
    return count;
  }

  #excessOf(c: number, x: number, y: number, side: number, width: number, height: number): number {
    const deviation = this.#deviations[c]!;
    if (deviation === Number.POSITIVE_INFINITY) return Number.NaN;
    const sums = this.#sums[c]!;
    const across = width + 1;
    const reach = Math.max(1, side >> 1);
    const x0 = Math.max(0, x - reach);
    const y0 = Math.max(0, y - reach);
    const x1 = Math.min(width, x + side + reach);
    const y1 = Math.min(height, y + side + reach);
    const inner = boxSum(sums, across, x, y, x + side, y + side);
    const ring = boxSum(sums, across, x0, y0, x1, y1) - inner;
    const cells = side * side;
    return (inner / cells - ring / ((x1 - x0) * (y1 - y0) - cells)) / deviation;
  }

  #boxOf(i: number, cues: Cues, image: { readonly width: number; readonly height: number }): Box {
    const [x = 0, y = 0, side = 0] = this.#squares.subarray(3 * i);
    return [
      Math.max(0, cues.left + (x - 1) * cues.cellWidth),
      Math.max(0, cues.top + (y - 1) * cues.cellHeight),
      Math.min(image.width, cues.left + (x + side + 1) * cues.cellWidth),
      Math.min(image.height, cues.top + (y + side + 1) * cues.cellHeight),
    ];
  }

  #grow(): void {
    const [squares, excess, scores] = [this.#squares, this.#excess, this.#scores];
    this.#squares = new Int16Array(2 * squares.length);
    this.#excess = new Float32Array(2 * excess.length);
    this.#scores = new Float32Array(2 * scores.length);
    this.#squares.set(squares);
    this.#excess.set(excess);
    this.#scores.set(scores);
  }
}

function boxSum(sums: Float64Array, across: number, x0: number, y0: number, x1: number, y1: number): number {
  return sums[y1 * across + x1]! - sums[y0 * across + x1]! - sums[y1 * across + x0]! + sums[y0 * across + x0]!;
}
