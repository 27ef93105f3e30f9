import type { Box, Detections } from "../../core/detection.ts";
import type { Track } from "../tracker.ts";
import type { DefenceSettings } from "./settings.ts";
import { bestAt } from "./verify.ts";

/** By how much the cues of a square exceed those of the ring around it; 0 where the image or the model gives none. */
export interface Excess {
  /** Differences of the means, pixel values. */
  readonly texture: number;
  readonly chroma: number;
  /** Logarithm of the ratio of the means. */
  readonly energy: number;
}

/** Chroma that weighs as much as an energy that is higher by the factor e. */
const CHROMA_UNIT = 50;

/**
 * One number for a square. What an attack optimises wanders through all colours within a few pixels, which hardly anything
 * else does; the texture of its brightness is no more than that of foliage or print, and is left out.
 */
export function suspicionOf(chroma: number, energy: number): number {
  return chroma / CHROMA_UNIT + energy;
}

/** Images in which a track must have been seen before its loss is suspicious. */
const HITS = 3;

/**
 * Predicted boxes (`boxes`, one for each track) of those that were seen surely and repeatedly up to the image before or
 * the one before that, and of which nothing is left in this one: things do not vanish at once, unless they leave the image.
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
