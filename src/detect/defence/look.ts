import type { Box, Detector, DetectorAnswer, ImageAnswer } from "../../core/detection.ts";
import type { Window } from "./propose.ts";

/** What came of a window that was looked into by itself. */
export interface Verdict {
  readonly window: Window;
  readonly masked: boolean;
  /** Detections that appear, and that vanish, when it is filled. */
  readonly gained: number;
  readonly lost: number;
}

/** One image at the detector: what it answered so far, and at what cost. */
export class Look {
  readonly first: ImageAnswer;
  /** Windows that are filled in each look. */
  held: readonly Box[];
  /** The best so far. */
  answer: DetectorAnswer;
  passes = 1;
  readonly #detector: Detector;

  constructor(detector: Detector, first: ImageAnswer, held: readonly Box[]) {
    this.#detector = detector;
    this.first = first;
    this.answer = first;
    this.held = held;
  }

  /** Takes an answer for the best so far, and the windows that were filled for it into those held. */
  keep(windows: readonly Box[], answer: DetectorAnswer): void {
    this.held = [...this.held, ...windows];
    this.answer = answer;
  }

  /** The image again, once for each list of windows that is filled besides those held. */
  async again(variants: readonly (readonly Box[])[], held = this.held): Promise<readonly DetectorAnswer[]> {
    this.passes += variants.length;
    return await this.#detector.again(
      this.first.imageId,
      variants.map((windows) => [...held, ...windows]),
    );
  }
}
