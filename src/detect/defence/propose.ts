import type { Box, Cues } from "../../core/detection.ts";
import { area, common } from "../candidates.ts";
import { type Excess, suspicionOf } from "./gate.ts";
import { IntegralCues } from "./integral.ts";

/** A square part of the image that excites more than what is around it. */
export interface Window {
  /** Pixels of the image; a little wider than the square that was found, inside the image. */
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
const SIDES = [3, 4, 6, 8, 10, 12, 14, 17, 20, 24];
/** A square grows while what is added lies by this share between the level of the image and its own. */
const KEPT = 0.5;
/** Two windows of which the smaller one lies in the other by more than this share are one. */
const SAME = 0.3;
/** Finds the windows that stand out most. Keeps its buffers. */
export class Proposer {
  readonly #cues = new IntegralCues();
  /** Left, top and side of each square, cells. */
  #squares = new Int16Array(3 * 1024);
  #scores = new Float32Array(1024);

  /** The most suspicious windows, best first, not on top of each other. `image`: its size, pixels. */
  propose(cues: Cues, image: { readonly width: number; readonly height: number }, wanted: Wanted): Window[] {
    this.#cues.take(cues);
    const count = this.#judge(cues, wanted);
    const out: Window[] = [];
    while (count > 0 && out.length < wanted.most) {
      let best = 0;
      for (let i = 1; i < count; i += 1) if (this.#scores[i]! > this.#scores[best]!) best = i;
      const suspicion = this.#scores[best]!;
      if (!(suspicion >= wanted.least)) break;
      this.#scores[best] = Number.NEGATIVE_INFINITY;
      const [x = 0, y = 0, side = 0] = this.#squares.subarray(3 * best, 3 * best + 3);
      const box = boxOf(this.#grown(x, y, side, cues), cues, image);
      if (out.some((other) => common(box, 0, 0, other.box) > SAME * Math.min(area(box, 0), area(other.box, 0))))
        continue;
      out.push({ box, suspicion, excess: this.#excessOf(x, y, side) });
    }
    return out;
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
          const chroma = this.#cues.difference(1, x, y, side);
          this.#scores[count] = suspicionOf(chroma, this.#cues.logRatio(2, x, y, side));
          count += 1;
        }
      }
    }
    return count;
  }

  /** The largest square around a square that is still about as much excited: a part of a patch stands out as the whole does. */
  #grown(x: number, y: number, side: number, { width, height }: Cues): Square {
    let best = { x, y, side };
    const peak = this.#cues.level(x, y, side);
    const least = KEPT * peak + (1 - KEPT) * this.#cues.meanLevel;
    let level = peak;
    for (const larger of SIDES) {
      if (larger <= side || 2 * larger > Math.min(width, height)) continue;
      const found = this.#highest(best, larger, width, height);
      const added = (found.level * larger ** 2 - level * best.side ** 2) / (larger ** 2 - best.side ** 2);
      if (added < least) break;
      level = found.level;
      best = { x: found.x, y: found.y, side: larger };
    }
    return best;
  }

  /** The square of side `larger` with the highest level of those that contain a square. */
  #highest({ x, y, side }: Square, larger: number, width: number, height: number) {
    const best = { x, y, level: Number.NEGATIVE_INFINITY };
    for (let v = Math.max(0, y + side - larger); v <= Math.min(y, height - larger); v += 1) {
      for (let u = Math.max(0, x + side - larger); u <= Math.min(x, width - larger); u += 1) {
        const level = this.#cues.level(u, v, larger);
        if (level > best.level) [best.x, best.y, best.level] = [u, v, level];
      }
    }
    return best;
  }

  #excessOf(x: number, y: number, side: number): Excess {
    const [texture, chroma] = [this.#cues.difference(0, x, y, side), this.#cues.difference(1, x, y, side)];
    return { texture, chroma, energy: this.#cues.logRatio(2, x, y, side) };
  }

  #grow(): void {
    const [squares, scores] = [this.#squares, this.#scores];
    this.#squares = new Int16Array(2 * squares.length);
    this.#scores = new Float32Array(2 * scores.length);
    this.#squares.set(squares);
    this.#scores.set(scores);
  }
}

/** Cells. */
interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** The square in the image, widened by a cell or an eighth: half a patch at its rim may still do its work. */
function boxOf({ x, y, side }: Square, cues: Cues, image: { readonly width: number; readonly height: number }): Box {
  const more = Math.max(1, side / 8);
  return [
    Math.max(0, cues.left + (x - more) * cues.cellWidth),
    Math.max(0, cues.top + (y - more) * cues.cellHeight),
    Math.min(image.width, cues.left + (x + side + more) * cues.cellWidth),
    Math.min(image.height, cues.top + (y + side + more) * cues.cellHeight),
  ];
}
