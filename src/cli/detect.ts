import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { Detections, Detector } from "../core/detection.ts";
import { Fault } from "../core/fault.ts";
import { openDetector } from "../infer/detector.ts";
import { drawDetections } from "../io/detection-picture.ts";
import { writeWhole } from "../io/write-whole.ts";
import { type DetectInput, detectInputs } from "./detect-inputs.ts";
import { wholeNumber } from "./infer-options.ts";
import { interruptSignal } from "./interrupt.ts";
import { detectorFolder } from "./model-folder.ts";

interface DetectFlags {
  readonly model?: string;
  readonly classes?: readonly string[];
  readonly score?: number;
  readonly iou?: number;
  readonly topic?: string;
  readonly draw?: string;
  readonly threads?: number;
}

const help = `
Prints one line of JSON for each image:
  {"image": "a.jpg", "width": 640, "height": 480, "stages_ms": {...}, "detections":
    [{"class": "person", "class_id": 0, "score": 0.91, "box": [left, top, right, bottom]}, ...]}
Boxes are in pixels of the image, best first. Lines of a recording say "topic" and "stamp_ns" instead of "image". An image
that cannot be read has "error" instead of "detections"; the rest goes on, and the exit code is 1.

Examples:
  voxelguard detect street.jpg --draw out/
  voxelguard detect drive.mcap --classes person car --score 0.4 > detections.jsonl
  voxelguard detect 'photos/*.jpg' --model my-models/yolox
`;

/** `voxelguard detect`: pictures or a recording -> one line of JSON an image. */
export function detectCommand(): Command {
  return new Command("detect")
    .description("find objects in pictures or in a recording")
    .argument("<input>", "a picture, a folder or quoted pattern of pictures, or a rosbag2 folder, .mcap or .db3 file")
    .option("--model <folder>", "detector (default: the one made at set-up); see `voxelguard models import`")
    .option("--classes <names...>", "only these classes, such as person car 'traffic light'")
    .option("--score <share>", "lowest score, 0 to 1 (default: the detector's)", share)
    .option("--iou <share>", "boxes of a class that overlap more than this are one (default: the detector's)", share)
    .option("--topic <name>", "image topic of the recording (default: the only one, or the left of a pair)")
    .option("--draw <folder>", "write each image with its boxes there, as PNG")
    .option("--threads <number>", "threads of the network (default: the detector's)", wholeNumber)
    .option("--json", "print faults as JSON, too")
    .addHelpText("after", help)
    .action(detect);
}

async function detect(input: string, flags: DetectFlags): Promise<void> {
  const interrupted = interruptSignal();
  const { classes, threads, score: scoreThreshold, iou: iouThreshold } = flags;
  const detector = await openDetector(await detectorFolder(flags.model), {
    classes,
    threads,
    scoreThreshold,
    iouThreshold,
  });
  try {
    for await (const each of detectInputs(input, flags.topic)) {
      if (interrupted.aborted) break;
      const line = await lineOf(each, detector, flags.draw);
      process.stdout.write(`${JSON.stringify(line)}\n`);
      if ("error" in line) process.exitCode = 1;
    }
  } finally {
    await detector.close();
  }
}

async function lineOf({ source, name, image }: DetectInput, detector: Detector, draw: string | undefined) {
  if (image instanceof Fault) return { ...source, error: image.toJSON() };
  const answer = await detector.run(image);
  if (answer === undefined) throw new Error("an image was left out");
  if (draw !== undefined) {
    await writeWhole(join(draw, `${name}.png`), await drawDetections(image, answer, detector.classes));
  }
  const { width, height } = image;
  const stages_ms = Object.fromEntries(
    Object.entries(answer.stagesMs).map(([stage, ms]) => [stage, Number(ms.toFixed(2))]),
  );
  return { ...source, width, height, stages_ms, detections: listOf(answer, detector.classes) };
}

function listOf({ count, boxes, scores, classes }: Detections, names: readonly string[]) {
  return Array.from({ length: count }, (_, i) => ({
    class: names[classes[i]!],
    class_id: classes[i],
    score: Number(scores[i]!.toFixed(4)),
    box: Array.from(boxes.subarray(4 * i, 4 * i + 4), (value) => Number(value.toFixed(2))),
  }));
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1) || text.trim() === "") throw new InvalidArgumentError("Wanted a number from 0 to 1.");
  return value;
}
