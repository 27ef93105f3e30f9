import type { Rejection } from "../core/ports.ts";
import type { ImageDropCause } from "./pair-drop.ts";

/** What became of the input; `seen`, `processed` and `dropped` are `pairs` of report.json (design.md section 8). */
export interface FrameCounts {
  /** Pairs formed. */
  seen: number;
  /** Pairs handed on, rectified and with their calibration. */
  processed: number;
  /**
   * Pairs lost after they were formed, by the cause of `PairDropCause`; images that never found a partner, by
   * `ImageDropCause`; messages that could not be read, by their fault code in lower case.
   */
  readonly dropped: Record<string, number>;
  /** Images received: 2 seen + the images dropped. */
  images: number;
}

/** Why a pair was not processed: seen = processed + the sum of these. */
export type PairDropCause =
  | "calibration_missing"
  | "calibration_invalid"
  | "stopped_pair"
  /** Live: the model was busy, and a newer pair took its place. */
  | "newer_pair"
  /** Live: older than the node may answer for. */
  | "stale"
  /** Live: sooner after the last one than was asked for. */
  | "rate_limit"
  | "model_failed"
  | "map_refused";

/** All zero, for one run. */
export function makeFrameCounts(): FrameCounts {
  return { seen: 0, processed: 0, dropped: {}, images: 0 };
}

export function countDrop(counts: FrameCounts, cause: ImageDropCause | PairDropCause): void {
  counts.dropped[cause] = (counts.dropped[cause] ?? 0) + 1;
}

export function countRejection(counts: FrameCounts, { code }: Rejection): void {
  const cause = code.toLowerCase();
  counts.dropped[cause] = (counts.dropped[cause] ?? 0) + 1;
}
