import type { Box, Detections } from "../../core/detection.ts";
import type { Track } from "../tracker.ts";
import { bestAt } from "./verify.ts";

/** What a square excites. */
export interface Excitement {
  /** Mean of the hues, pixel values. */
  readonly hues: number;
  /** Logarithm of the ratio of the energy to that of the ring around; 0 where the model gives none. */
  readonly energy: number;
}

/** Hues that weigh as much as an energy that is higher by the factor e. */
const HUES_UNIT = 25;

/**
 * One number for a square. What an attack optimises wanders through all colours within a few pixels, everywhere in it;
 * prints, clothes and plants have few hues, or calm parts between them.
 */
export function suspicionOf({ hues, energy }: Excitement): number {
  return hues / HUES_UNIT + energy;
}

/** Scores of a track that was seen surely, and of a detection that is nothing. */
const SURE = 0.6;
const NOTHING = 0.2;

/** Images in which a track must have been seen before its loss is suspicious. */
const HITS = 3;

/** Images in a row for which a lost track is searched. */
const SEARCHED = 4;

/** An object that is looked for, and where it should be. */
export interface Lost {
  readonly box: Box;
  readonly classIndex: number;
}

/** By this share of its size a box may reach out of the image: further out it leaves. */
const OUT = 0.05;

/**
 * Tracks (`boxes`: where each should be now) that were seen surely and repeatedly until a few images ago, and
 * of which nothing is left in this one: things do not vanish at once, unless they leave the image.
 */
export function lostTracks(
  found: Detections,
  tracks: readonly Track[],
  boxes: readonly Box[],
  image: { readonly width: number; readonly height: number },
): Lost[] {
  return boxes.flatMap((box, i) => {
    const { classIndex, hits, missed, score: before } = tracks[i]!;
    if (missed >= SEARCHED || hits < HITS || before < SURE) return [];
    const [x, y] = [OUT * (box[2] - box[0]), OUT * (box[3] - box[1])];
    if (box[0] < -x || box[1] < -y || box[2] > image.width + x || box[3] > image.height + y) return [];
    return bestAt(found, classIndex, box, 0) < NOTHING ? [{ box, classIndex }] : [];
  });
}

/** Largest number of parts, and by what share of their size they reach into their neighbours, where a patch may lie. */
const PARTS = 9;
const REACH = 0.35;

/**
 * Overlapping parts of a box, about square, at most nine, from its middle outwards: one of them holds most of any small patch
 * in it.
 */
export function partsOf([x0, y0, x1, y1]: Box): Box[] {
  const rows = Math.min(PARTS, Math.max(1, Math.round(Math.sqrt((PARTS * (y1 - y0)) / (x1 - x0)))));
  const columns = Math.floor(PARTS / rows);
  const [width, height] = [(x1 - x0) / columns, (y1 - y0) / rows];
  const parts = Array.from({ length: rows * columns }, (_, i): Box => {
    const [x, y] = [x0 + (i % columns) * width, y0 + Math.floor(i / columns) * height];
    const clip = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
    return [
      clip(x - REACH * width, x0, x1),
      clip(y - REACH * height, y0, y1),
      clip(x + (1 + REACH) * width, x0, x1),
      clip(y + (1 + REACH) * height, y0, y1),
    ];
  });
  const away = (part: Box) => Math.hypot((part[0] + part[2] - x0 - x1) / width, (part[1] + part[3] - y0 - y1) / height);
  return parts.sort((a, b) => away(a) - away(b));
}
