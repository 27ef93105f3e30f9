import type { Box, DetectorAnswer } from "../core/detection.ts";
import type { Image } from "../core/image.ts";
import { categoryIds } from "../detect/coco.ts";
import type { CertifiedAnswer } from "../detect/defence/certify.ts";
import type { DefendedAnswer } from "../detect/defence/defence.ts";
import type { Window } from "../detect/defence/propose.ts";
import type { DetectInput } from "./detect-inputs.ts";

export type AnyAnswer = DetectorAnswer | DefendedAnswer | CertifiedAnswer;

/** An image's answer as `voxelguard detect` prints it. */
export function lineOf({ source }: DetectInput, { width, height }: Image, answer: AnyAnswer, names: readonly string[]) {
  const stages_ms = Object.fromEntries(Object.entries(answer.stagesMs).map(([stage, ms]) => [stage, rounded(ms, 2)]));
  const { count, boxes, scores, classes } = answer;
  const detections = Array.from({ length: count }, (_, i) => ({
    class: names[classes[i]!]!,
    class_id: classes[i]!,
    score: rounded(scores[i]!, 4),
    box: roundedBox(boxes.subarray(4 * i, 4 * i + 4)),
    ...("survives" in answer ? { survives: answer.survives[i]! } : {}),
  }));
  return { ...source, width, height, stages_ms, ...defenceOf(answer), detections };
}

export type DetectLine = ReturnType<typeof lineOf>;

function defenceOf(answer: AnyAnswer) {
  if ("survives" in answer) return { passes: answer.passes, patch_px: answer.patchPx };
  if (!("masks" in answer)) return {};
  const { passes, masks, verdicts } = answer;
  return {
    passes,
    masks: masks.map(({ box, window }) => ({ box: roundedBox(box), ...reasonOf(window) })),
    looked_into: verdicts.map(({ window, masked, gained, lost }) => ({
      box: roundedBox(window.box),
      masked,
      gained,
      lost,
      ...reasonOf(window),
    })),
  };
}

function reasonOf({ suspicion, excitement: { hues, energy } }: Window) {
  return { suspicion: rounded(suspicion, 2), hues: rounded(hues, 2), energy: rounded(energy, 2) };
}

/**
 * The lines of many pictures as one object: `detections` in COCO's results format, `categories` and `images` as in COCO's
 * files, with what was masked in each image. An image's number is its file's name where all are whole numbers, else its
 * place, from 1 on.
 */
export function cocoOf(
  lines: readonly { readonly name: string; readonly line: DetectLine }[],
  names: readonly string[],
) {
  const ids = categoryIds(names);
  const isNumbered = lines.every(({ name }) => /^\d{1,15}$/.test(name));
  const numbered = lines.map(({ name, line }, i) => ({ id: isNumbered ? Number(name) : i + 1, line }));
  return {
    images: numbered.map(({ id, line }) => {
      const { detections: _, stages_ms: __, ...rest } = line;
      return { id, ...rest };
    }),
    categories: names.map((name, i) => ({ id: ids[i]!, name })),
    detections: numbered.flatMap(({ id, line }) =>
      line.detections.map(({ class_id, score, box: [left = 0, top = 0, right = 0, bottom = 0] }) => ({
        image_id: id,
        category_id: ids[class_id]!,
        bbox: [left, top, rounded(right - left, 2), rounded(bottom - top, 2)],
        score,
      })),
    ),
  };
}

export function roundedBox(box: Box | Float32Array): number[] {
  return Array.from(box as ArrayLike<number>, (value) => rounded(value, 2));
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
