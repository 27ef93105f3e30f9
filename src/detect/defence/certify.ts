import type { Box, Detector, DetectorAnswer } from "../../core/detection.ts";
import { Fault } from "../../core/fault.ts";
import type { Image } from "../../core/image.ts";
import { bestAt, cut } from "./verify.ts";

/** Detections of one class that overlap by this much show the same object. */
const SAME = 0.5;
/** Masks along the longer side of the image. More are smaller: they hide less, and cost more. */
const ACROSS = 8;
/** Looks in one batch. */
const BATCH = 8;

/** `beside`: survives wherever the patch lies, as long as it does not touch its box. */
export type Survival = "anywhere" | "beside" | "no";

export interface CertifiedAnswer extends DetectorAnswer {
  /** Side of the largest patch that is meant, pixels. */
  readonly patchPx: number;
  /** Of each detection. */
  readonly survives: readonly Survival[];
  readonly passes: number;
}

/**
 * Says which detections no patch can take away: any one square of at most `share` of the image's area, upright, with any
 * pixels. What is proven is of a detector that looks once with each of these masks filled and gives out all that it finds in
 * any look: every patch lies under some mask, that look does not see it, and its answer is therefore the one that was
 * compared here. Nothing is proven of detections that a patch adds. `detector`: opened with `cues`. (Masks that cover every
 * place of a patch are PatchCleanser's, arXiv 2108.09135; taking together what masked looks find is ObjectSeeker's, 2202.01811.)
 */
export async function certify(detector: Detector, image: Image, share: number): Promise<CertifiedAnswer | undefined> {
  const { width, height } = image;
  const patchPx = Math.ceil(Math.sqrt(share * width * height));
  const first = await detector.run(image);
  if (first === undefined) return undefined;
  if (first.cues === undefined) throw cuesMissing();
  const found = cut(first, detector.scoreThreshold);
  // Resizing spreads a patch over a pixel of the canvas around it; a cell is at least two.
  const { cellWidth, cellHeight } = first.cues;
  const starts = maskStarts(width, height, patchPx);
  const boxes = starts.map(({ x, y, step }): Box => {
    const side = patchPx + step;
    return [x - cellWidth, y - cellHeight, x + side + cellWidth, y + side + cellHeight];
  });
  const survives = new Array<Survival>(found.count).fill("anywhere");
  for (let from = 0; from < boxes.length; from += BATCH) {
    const answers = await detector.again(
      first.imageId,
      boxes.slice(from, from + BATCH).map((box) => [box]),
    );
    for (const [k, answer] of answers.entries()) {
      for (let i = 0; i < found.count; i += 1) {
        if (survives[i] === "no") continue;
        const best = bestAt(answer, found.classes[i]!, found.boxes, 4 * i, SAME);
        if (best > 0 && best >= detector.scoreThreshold) continue;
        survives[i] = mustTouch(starts[from + k]!, patchPx, found.boxes.subarray(4 * i)) ? "beside" : "no";
      }
    }
  }
  return { ...found, patchPx, survives, passes: 1 + boxes.length };
}

/** Where a mask begins. It hides every patch whose upper left corner lies from there to `step` further right and below. */
export interface MaskStart {
  readonly x: number;
  readonly y: number;
  readonly step: number;
}

/** Masks of side `patch` + step such that each square of side `patch` in the image lies in one of them. */
export function maskStarts(width: number, height: number, patch: number): MaskStart[] {
  const step = Math.max(1, Math.ceil((Math.max(width, height) - patch) / ACROSS));
  const along = (length: number) =>
    Array.from({ length: Math.max(1, Math.ceil((length - patch) / step)) }, (_, i) => i * step);
  return along(height).flatMap((y) => along(width).map((x) => ({ x, y, step })));
}

/** Whether all patches that a mask is there for touch a box. */
function mustTouch({ x, y, step }: MaskStart, patch: number, box: Float32Array): boolean {
  const across = x + patch > box[0]! && x + step < box[2]!;
  return across && y + patch > box[1]! && y + step < box[3]!;
}

function cuesMissing(): Fault {
  return new Fault("The detector was opened without cues", { code: "USAGE", remedy: "Open it with `cues: true`." });
}
