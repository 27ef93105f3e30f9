import { detectorSchema } from "../../config/detector-schema.ts";

/**
 * What the defence holds to. The defaults were chosen on the training pictures of `shared/data/train/detect`, clean and
 * attacked; docs/detection.md says what they cost and give.
 */
export interface DefenceSettings {
  /** Suspicion (gate.ts) from which a window is looked into. Lower finds more patches and costs more passes. */
  readonly gate: number;
  /** Windows that are looked into in one image, 1 to 9. */
  readonly most: number;
  /** Runs of the network in one image, at least 3; what does not fit waits for the next image. */
  readonly passes: number;
  /** Score from which a detection that comes with a window filled counts, 0 to 1. */
  readonly score: number;
  /** How much its score must rise at least, 0 to 1. Little is enough: what passes the gate is hardly ever anything else. */
  readonly rise: number;
  /** Largest share of a detection's box that the windows may cover: what is hidden by a window is gone for plain reasons. */
  readonly cover: number;
  /** A mask is tried without every so many images, and given up after as many tries in a row as `clean` that changed nothing. */
  readonly recheck: number;
  readonly clean: number;
  /** Passes an image, on average, that may go into looks at windows below the gate. */
  readonly patrol: number;
}

export const defaultSettings: DefenceSettings = {
  gate: 3.6,
  most: 9,
  passes: 12,
  score: 0.3,
  rise: 0.1,
  cover: 0.5,
  recheck: 10,
  clean: 3,
  patrol: detectorSchema["patch_defense.patrol"].fallback,
};
