import { join } from "node:path";
import { Command } from "commander";
import type { Detector } from "../core/detection.ts";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import { certify } from "../detect/defence/certify.ts";
import { Defence } from "../detect/defence/defence.ts";
import { Tracker } from "../detect/tracker.ts";
import { openDetector } from "../infer/detector.ts";
import { drawDetections, drawMasks } from "../io/detection-picture.ts";
import { writeWhole } from "../io/write-whole.ts";
import { addDefenceOptions, type DefenceFlags, share } from "./defence-options.ts";
import { type AnyAnswer, cocoOf, type DetectLine, lineOf } from "./detect-answers.ts";
import { type DetectInput, detectInputs } from "./detect-inputs.ts";
import { wholeNumber } from "./infer-options.ts";
import { interruptSignal } from "./interrupt.ts";
import { detectorFolder } from "./model-folder.ts";

interface DetectFlags extends DefenceFlags {
  readonly images?: string;
  readonly out?: string;
  readonly model?: string;
  readonly classes?: readonly string[];
  readonly score?: number;
  readonly iou?: number;
  readonly topic?: string;
  readonly draw?: string;
  readonly maskOut?: string;
  readonly certify?: boolean;
  readonly patchSize: number;
  readonly threads?: number;
}

const help = `
Prints one line of JSON for each image:
  {"image": "a.jpg", "width": 640, "height": 480, "stages_ms": {...}, "passes": 1, "masks": [], "looked_into": [],
   "detections": [{"class": "person", "class_id": 0, "score": 0.91, "box": [left, top, right, bottom]}, ...]}
Boxes are in pixels of the image, best first. Lines of a recording say "topic" and "stamp_ns" instead of "image". An image
that cannot be read has "error" instead of "detections"; the rest goes on, and the exit code is 1.
The defence against adversarial patches says what it filled before it looked ("masks"), what else it suspected
("looked_into") and how often the network ran ("passes").
With --certify, each detection says whether it "survives" any one square patch of --patch-size, wherever that lies
("anywhere"), or as long as it does not touch the box ("beside"), or not ("no"). It takes some eighty runs an image.
With --out, one JSON file holds it all: "detections" in COCO's results format, "images", "categories".

Examples:
  voxelguard detect street.jpg --draw out/
  voxelguard detect --images photos --out detections.json
  voxelguard detect drive.mcap --classes person car --score 0.4 > detections.jsonl
  voxelguard detect 'photos/*.jpg' --model my-models/yolox
`;

/** `voxelguard detect`: pictures or a recording -> one line of JSON an image, or a file. */
export function detectCommand(): Command {
  const command = new Command("detect")
    .description("find objects in pictures or in a recording, in spite of adversarial patches")
    .argument("[input]", "a picture, a folder or quoted pattern of pictures, or a rosbag2 folder, .mcap or .db3 file")
    .option("--images <input>", "the same")
    .option("--out <file>", "write one JSON file instead of lines")
    .option("--model <folder>", "detector (default: the one made at set-up); see `voxelguard models import`")
    .option("--classes <names...>", "only these classes, such as person car 'traffic light'")
    .option("--score <share>", "lowest score, 0 to 1 (default: the detector's)", share)
    .option("--iou <share>", "boxes of a class that overlap more than this are one (default: the detector's)", share)
    .option("--topic <name>", "image topic of the recording (default: the only one, or the left of a pair)")
    .option("--draw <folder>", "write each image with its boxes and masks there, as PNG")
    .option("--mask-out <folder>", "write what was masked there: white on black, as PNG")
    .option("--certify", "instead of defending, say which detections no patch can take away")
    .option("--patch-size <share>", "area of that patch, as a share of the image's", share, 0.01)
    .option("--threads <number>", "threads of the network (default: the detector's)", wholeNumber)
    .option("--json", "print faults as JSON, too");
  return addDefenceOptions(command).addHelpText("after", help).action(detect);
}

async function detect(argument: string | undefined, flags: DetectFlags): Promise<void> {
  const input = argument ?? flags.images;
  if (input === undefined || (argument !== undefined && flags.images !== undefined)) {
    throw new Fault("No input is given, or two", {
      code: "USAGE",
      remedy: "Name one: `voxelguard detect street.jpg`.",
    });
  }
  const interrupted = interruptSignal();
  const detector = await open(flags);
  const lines: { name: string; line: DetectLine }[] = [];
  const look = lookOf(detector, flags);
  try {
    for await (const each of detectInputs(input, flags.topic)) {
      if (interrupted.aborted) break;
      const { source, name, image } = each;
      if (image instanceof Fault) {
        process.stdout.write(`${JSON.stringify({ ...source, error: image.toJSON() })}\n`);
        process.exitCode = 1;
        continue;
      }
      const answer = await look({ ...each, image });
      if (answer === undefined) throw new Error("an image was left out");
      const line = await lineFor({ ...each, image }, answer, detector.classes, flags);
      if (flags.out === undefined) process.stdout.write(`${JSON.stringify(line)}\n`);
      else lines.push({ name, line });
    }
    if (flags.out !== undefined) await writeWhole(flags.out, `${JSON.stringify(cocoOf(lines, detector.classes))}\n`);
  } finally {
    await detector.close();
  }
}

/** An image that could be read. */
type Seen = DetectInput & { readonly image: Image };

async function open({
  model,
  defence,
  certify,
  classes,
  threads,
  score: scoreThreshold,
  iou: iouThreshold,
}: DetectFlags) {
  const options = { classes, threads, scoreThreshold, iouThreshold, cues: defence === "on" || certify === true };
  return await openDetector(await detectorFolder(model), options);
}

function lookOf(detector: Detector, flags: DetectFlags): (seen: Seen) => Promise<AnyAnswer | undefined> {
  if (flags.certify === true) return ({ image }) => certify(detector, image, flags.patchSize);
  if (flags.defence === "off") return ({ image }) => detector.run(image);
  const defence = new Defence(detector, { patrol: flags.patrol });
  const tracker = new Tracker();
  return async ({ image, stampNs }) => {
    // The images of a recording are one stream; each picture is one of its own.
    if (stampNs === undefined) {
      defence.reset();
      return await defence.run(image);
    }
    const answer = await defence.run(image, stampNs, tracker.tracks);
    if (answer !== undefined) tracker.update(answer, stampNs);
    return answer;
  };
}

async function lineFor(seen: Seen, answer: AnyAnswer, names: readonly string[], flags: DetectFlags) {
  const { image, name } = seen;
  const masks = "masks" in answer ? answer.masks.map(({ box }) => box) : [];
  const write = async (folder: string, picture: Promise<Buffer>) =>
    writeWhole(join(folder, `${name}.png`), await picture);
  if (flags.draw !== undefined) await write(flags.draw, drawDetections(image, answer, names, masks));
  if (flags.maskOut !== undefined) await write(flags.maskOut, drawMasks(image, masks));
  return lineOf(seen, image, answer, names);
}
