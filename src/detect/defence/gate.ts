import type { Box, Detections } from "../../core/detection.ts";
import type { Track } from "../tracker.ts";
import type { DefenceSettings } from "./settings.ts";
import { bestAt } from "./verify.ts";

/** Mean of a cue in a square minus that in the ring around it, in standard deviations of the cue over the image. */
export interface Excess {
  readonly texture: number;
  readonly chroma: number;
  /** NaN where the model gives no early layer. */
  readonly energy: number;
}

/** TO FIT */
export function suspicionOf(excess: Float32Array, at: number): number {
  const texture = excess[at]!;
  const chroma = excess[at + 1]!;
  const energy = excess[at + 2]!;
  return Math.max(texture, chroma, Number.isNaN(energy) ? 0 : energy);
}

/** Images in which a track must have been seen before its loss is suspicious. */
const HITS = 3;

/**
 * Predicted boxes (`boxes`, one for each track) of those that were seen in the image before, surely and repeatedly, and of
 * which nothing is left in this one or the one before: things do not vanish at once, unless they leave the image.
 */
export function lostTracks(
  found: Detections,
  tracks: readonly Track[],
  boxes: readonly Box[],
  image: { readonly width: number; readonly height: number },
  { score, rise }: Pick<DefenceSettings, "score" | "rise">,
): Box[] {
  return boxes.filter((box, i) => {
    const { classIndex, hits, missed, score: before } = tracks[i]!;
    if (missed > 1 || hits < HITS || before < score + rise) return false;
    if (box[0] < 0 || box[1] < 0 || box[2] > image.width || box[3] > image.height) return false;
    return bestAt(found, classIndex, box, 0) < score - rise;
  });
}
