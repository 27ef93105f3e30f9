import type { Box, Detections } from "../../core/detection.ts";
import { area, common, iou } from "../candidates.ts";
import type { DefenceSettings } from "./settings.ts";

/** Boxes of one class that overlap by this much speak of the same object. */
const SAME = 0.4;

export interface Surplus {
  readonly indices: readonly number[];
  /** By how much their scores are higher, together. */
  readonly rise: number;
}

/**
 * Detections of `some` that `others`, the answer to the same image with other windows filled, lack (`indices` into `some`).
 * They score at least `score`, and `rise` more than the best of their class in that place, and the windows cover at most
 * `cover` of their box. A small window with such an effect says that what was found, or was not, hung on a few pixels.
 */
export function surplus(
  some: Detections,
  others: Detections,
  windows: readonly Box[],
  { score, rise, cover }: Pick<DefenceSettings, "score" | "rise" | "cover">,
): Surplus {
  const indices: number[] = [];
  let sum = 0;
  for (let i = 0; i < some.count; i += 1) {
    if (some.scores[i]! < score) continue;
    const more = some.scores[i]! - bestAt(others, some.classes[i]!, some.boxes, 4 * i);
    if (more < rise || covered(some.boxes, 4 * i, windows) > cover) continue;
    indices.push(i);
    sum += more;
  }
  return { indices, rise: sum };
}

/** Best score of a class where the box that begins at `at` is overlapped by `least`; 0 where there is none. */
export function bestAt(
  found: Detections,
  classIndex: number,
  boxes: ArrayLike<number>,
  at: number,
  least = SAME,
): number {
  let best = 0;
  for (let i = 0; i < found.count; i += 1) {
    if (found.classes[i] !== classIndex || found.scores[i]! <= best) continue;
    if (iou(boxes, at, 4 * i, found.boxes) >= least) best = found.scores[i]!;
  }
  return best;
}

/** Share of a box that lies under windows; where these overlap, an upper bound. */
function covered(boxes: ArrayLike<number>, at: number, windows: readonly Box[]): number {
  let under = 0;
  for (const window of windows) under += common(boxes, at, 0, window);
  return under / area(boxes, at);
}

/** The detections, which come best first, down to a score. */
export function cut<T extends Detections>(answer: T, minScore: number): T {
  let count = 0;
  while (count < answer.count && answer.scores[count]! >= minScore) count += 1;
  const { boxes, scores, classes } = answer;
  return {
    ...answer,
    count,
    boxes: boxes.subarray(0, 4 * count),
    scores: scores.subarray(0, count),
    classes: classes.subarray(0, count),
  };
}
