import type { DetectStep } from "../pipeline/live-detect.ts";
import { rounded, roundedBox } from "./detect-answers.ts";

/** One line of JSON for an image of a recording: its tracked objects and what was masked. */
export function objectLine({ image, objects, masks }: DetectStep, classes: readonly string[]): string {
  const detections = objects.map(({ track, status, support, score, depthM }) => ({
    id: track.id,
    class: classes[track.classIndex],
    class_id: track.classIndex,
    score: rounded(score, 4),
    box: roundedBox(track.box),
    status,
    support,
    depth_m: Number.isNaN(depthM) ? null : rounded(depthM, 2),
  }));
  const { width, height } = image.image;
  return JSON.stringify({ stamp_ns: String(image.stampNs), width, height, detections, masks: masks.map(roundedBox) });
}
