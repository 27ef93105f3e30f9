import type { DetectorConfig } from "../config/detector-schema.ts";
import type { Image } from "../core/image.ts";
import { Defence } from "../detect/defence/defence.ts";
import { openDetector } from "../infer/detector.ts";
import { classColour, type DrawnBox, drawBoxes, drawnMask } from "../io/detection-picture.ts";
import type { DetectStep, OpenDetector } from "../pipeline/live-detect.ts";
import { detectorFolder } from "./model-folder.ts";

/** Weak detections that only continue tracks: from this share of the score that begins one. */
const WEAK_SHARE = 0.4;

/** The detector that the configuration names, or the one that set-up makes, with its defence. */
export async function openLiveDetector(
  config: DetectorConfig & { readonly model_path: string; readonly intra_op_threads: number },
): Promise<OpenDetector> {
  const classes = config["detection.classes"].split(",").map((name) => name.trim());
  const wanted = classes.filter((name) => name !== "");
  const folder = await detectorFolder(config.model_path === "" ? undefined : config.model_path);
  const detector = await openDetector(folder, {
    threads: config.intra_op_threads,
    scoreThreshold: WEAK_SHARE * config["detection.score_threshold"],
    iouThreshold: config["detection.iou_threshold"],
    classes: wanted.length === 0 ? undefined : wanted,
    cues: true,
  });
  const defence = new Defence(detector, { patrol: config["patch_defense.patrol"] });
  return {
    name: detector.name,
    sha256: detector.sha256,
    classes: detector.classes,
    look: async (image, stampNs, tracks, defended) => {
      if (!defended) {
        const found = await detector.run(image);
        return found && { ...found, masks: [] };
      }
      const found = await defence.run(image, stampNs, tracks);
      return found && { ...found, masks: found.masks.map(({ box }) => box) };
    },
    reset: () => defence.reset(),
    close: () => detector.close(),
  };
}

const doubtful = "hsl(0 0% 65%)";

/** The image with its objects: dashed where solid voxels alone hold them, grey where they speak against them. */
export async function drawnStep({ image, objects, masks }: DetectStep, classes: readonly string[]): Promise<Image> {
  const boxes = objects.map(({ track, status, support, score, depthM }): DrawnBox => {
    const where = Number.isNaN(depthM) ? "" : ` ${depthM.toFixed(1)} m`;
    const why = status === "demoted" ? ` ${support}` : status === "held" ? " held" : "";
    const text = `${classes[track.classIndex]} #${track.id} ${score.toFixed(2)}${where}${why}`;
    const colour = status === "demoted" ? doubtful : classColour(track.classIndex);
    return { box: track.box, colour, text, dashed: status !== "seen" };
  });
  return await drawBoxes(image.image, [...boxes, ...masks.map(drawnMask)]);
}
