import type { PixelMap } from "./ground-truth.ts";
import { ratio } from "./metrics-tally.ts";

/** Counts over labelled pixels, all of them: there is no pixel without an answer. */
export interface DisparityTally {
  labelled: number;
  /** Off by more than 1 and 3 pixels. */
  bad1: number;
  bad3: number;
  sumPx: number;
}

export interface DisparityScore {
  readonly labelled: number;
  readonly bad_1: number;
  readonly bad_3: number;
  readonly mean_px: number;
}

/**
 * `found`, `truth`: disparities of the same view; of the truth NaN and values <= 0 are unknown. `offsetPx` is added to the
 * truth: what the network, which counts from infinity, finds beyond it.
 */
export function tallyDisparity(found: PixelMap, truth: PixelMap, offsetPx: number): DisparityTally {
  const tally = { labelled: 0, bad1: 0, bad3: 0, sumPx: 0 };
  for (let v = 0; v < truth.height; v += 1) {
    for (let u = 0; u < truth.width; u += 1) {
      const real = truth.data[v * truth.width + u]!;
      if (!(real > 0 && real < Number.POSITIVE_INFINITY)) continue;
      const offPx = Math.abs(found.data[v * found.width + u]! - real - offsetPx);
      tally.labelled += 1;
      tally.sumPx += offPx;
      if (offPx > 1) tally.bad1 += 1;
      if (offPx > 3) tally.bad3 += 1;
    }
  }
  return tally;
}

export function disparityScoreOf({ labelled, bad1, bad3, sumPx }: DisparityTally): DisparityScore {
  return { labelled, bad_1: ratio(bad1, labelled), bad_3: ratio(bad3, labelled), mean_px: ratio(sumPx, labelled) };
}
