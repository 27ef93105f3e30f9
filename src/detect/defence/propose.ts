import type { Box, Cues } from "../../core/detection.ts";
import { area, common } from "../candidates.ts";
import { type Excitement, suspicionOf } from "./gate.ts";
import { IntegralCues } from "./integral.ts";

/** A square part of the image that excites more than others. */
export interface Window {
  /** Pixels of the image; a little wider than the square that was found, inside the image. */
  readonly box: Box;
  readonly excitement: Excitement;
  readonly suspicion: number;
}

export interface Wanted {
  /** Least suspicion. */
  readonly least: number;
  /** Largest number of windows. */
  readonly most: number;
}

/** Sides of the squares, cells. */
const SIDES = [3, 4, 6, 8, 10, 12, 14, 17, 20, 24];
/** A square grows while what is added lies by this share between the hues of the image and its own. */
const KEPT = 0.35;
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
    const count = this.#judge(cues);
    const out: Window[] = [];
    while (count > 0 && out.length < wanted.most) {
      let best = 0;
      for (let i = 1; i < count; i += 1) if (this.#scores[i]! > this.#scores[best]!) best = i;
      const suspicion = this.#scores[best]!;
      if (!(suspicion >= wanted.least)) break;
      const [x = 0, y = 0, side = 0] = this.#squares.subarray(3 * best, 3 * best + 3);
      const grown = this.#grown(x, y, side, cues);
      this.#leaveOut(grown, count);
      const box = boxOf(grown, cues, image);
      if (out.some((other) => common(box, 0, 0, other.box) > SAME * Math.min(area(box, 0), area(other.box, 0))))
        continue;
      out.push({ box, suspicion, excitement: this.#excitement(x, y, side) });
    }
    return out;
  }

  /** Judges all squares; returns how many there are. */
  #judge({ width, height }: Cues): number {
    let count = 0;
    for (const side of SIDES) {
      if (2 * side > Math.min(width, height)) break;
      const step = Math.max(1, side >> 2);
      for (let y = 0; y + side <= height; y += step) {
        for (let x = 0; x + side <= width; x += step) {
          if (count === this.#scores.length) this.#makeRoom();
          this.#squares[3 * count] = x;
          this.#squares[3 * count + 1] = y;
          this.#squares[3 * count + 2] = side;
          this.#scores[count] = suspicionOf(this.#excitement(x, y, side));
          count += 1;
        }
      }
    }
    return count;
  }

  /** Takes no square any more whose centre lies in another one. */
  #leaveOut({ x, y, side }: Square, count: number): void {
    for (let i = 0; i < count; i += 1) {
      const half = this.#squares[3 * i + 2]! / 2;
      const [centreX, centreY] = [this.#squares[3 * i]! + half, this.#squares[3 * i + 1]! + half];
      if (centreX < x || centreX > x + side || centreY < y || centreY > y + side) continue;
      this.#scores[i] = Number.NEGATIVE_INFINITY;
    }
  }

  /** The largest square around a square whose hues are still about as strong: a part of a patch stands out as the whole does. */
  #grown(x: number, y: number, side: number, { width, height }: Cues): Square {
    let best = { x, y, side };
    const peak = this.#cues.hues(x, y, side);
    const least = KEPT * peak + (1 - KEPT) * this.#cues.meanHues;
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
        const level = this.#cues.hues(u, v, larger);
        if (level > best.level) [best.x, best.y, best.level] = [u, v, level];
      }
    }
    return best;
  }

  #excitement(x: number, y: number, side: number): Excitement {
    return { hues: this.#cues.hues(x, y, side), energy: this.#cues.energy(x, y, side) };
  }

  #makeRoom(): void {
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

/** About the same centre. */
export function resized([x0, y0, x1, y1]: Box, size: number): Box {
  const [dx, dy] = [((size - 1) * (x1 - x0)) / 2, ((size - 1) * (y1 - y0)) / 2];
  return [x0 - dx, y0 - dy, x1 + dx, y1 + dy];
}

export function boxesOf(windows: readonly { readonly box: Box }[]): Box[] {
  return windows.map(({ box }) => box);
}
