import { coloursInto, type Rgb } from "./colour.ts";
import { lonePointsInto } from "./difference.ts";
import type { HeightRange } from "./height-range.ts";
import type { Points } from "./point-cloud.ts";

/** What the colour of a voxel tells; `difference` where two runs are compared. */
export type ColourBy = "height" | "probability" | "state" | "difference";

/** Colours that stand for one thing each, and what they stand for. */
export const swatches = {
  occupied: [230, 126, 72],
  free: [64, 170, 200],
  onlyA: [240, 138, 60],
  onlyB: [76, 141, 255],
  both: [128, 138, 152],
} as const satisfies Record<string, Rgb>;

export const certain: HeightRange = { min: 0.5, max: 1 };

/** Red, green, blue of each point into tint[4 * i ..]; the fourth byte is left alone. */
export function paintHeight(tint: Uint8Array, { xyz, count }: Points, range: HeightRange): void {
  coloursInto(tint, xyz, { stride: 3, offset: 2 }, count, range.min, range.max);
}

export function paintProbability(tint: Uint8Array, { probability, count }: Points): void {
  coloursInto(tint, probability, { stride: 1, offset: 0 }, count, certain.min, certain.max);
}

export function paintFlat(tint: Uint8Array, { count }: Points, colour: Rgb): void {
  for (let i = 0; i < count; i += 1) tint.set(colour, i * 4);
}

let isLone = new Uint8Array(0);

/** `lone` where the other run does not hold the cell, else the colour of both. Answers how many are lone. */
export function paintDifference(
  tint: Uint8Array,
  points: Points,
  others: ReadonlySet<number>,
  edgeM: number,
  lone: Rgb,
): number {
  if (isLone.length < points.count) isLone = new Uint8Array(points.count * 2);
  const count = lonePointsInto(isLone, points, others, edgeM);
  for (let i = 0; i < points.count; i += 1) tint.set(isLone[i] === 1 ? lone : swatches.both, i * 4);
  return count;
}
