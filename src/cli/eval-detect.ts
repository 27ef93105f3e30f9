import { basename, extname, join } from "node:path";
import { Command } from "commander";
import { StageTimes } from "../core/stage-times.ts";
import { type AveragePrecision, averagePrecision, type ScoredImage } from "../detect/average-precision.ts";
import { Defence, type DefendedAnswer } from "../detect/defence/defence.ts";
import { openDetector } from "../infer/detector.ts";
import { classNumbers, readLabels } from "../io/detect-labels.ts";
import { listImages } from "../io/image-files.ts";
import { readPicture } from "../io/picture-file.ts";
import { writeWhole } from "../io/write-whole.ts";
import { addDefenceOptions, type DefenceFlags } from "./defence-options.ts";
import { jsonPathOf, wholeNumber } from "./infer-options.ts";
import { detectorFolder } from "./model-folder.ts";
import { makeProgress } from "./progress.ts";

interface EvalDetectFlags extends DefenceFlags {
  readonly data: string;
  readonly json?: boolean | string;
  readonly model?: string;
  readonly threads?: number;
}

/** Detections below this are of no use to average precision, and of none to anybody. */
const LEAST_SCORE = 0.01;

export interface DetectScore extends AveragePrecision {
  readonly images: number;
  readonly objects: number;
  /** Images with something masked, and windows masked, of `images`; where the defence was on. */
  readonly masked_images?: number;
  readonly masks?: number;
  /** Runs of the network for an image. */
  readonly passes?: { readonly mean: number; readonly p99: number; readonly max: number };
  readonly p50_ms: Readonly<Record<string, number>>;
}

const help = `
The folder holds images/ and labels/: for each image NAME.jpg (.png, .webp) a NAME.txt with one object a line, "class cx cy w h",
the class as its number in names.txt (one name a line; without that file the detector's own), the rest as shares of the image.
Figures are COCO's: average precision over IoU .5 to .95 and the classes that are labelled, at scores over ${LEAST_SCORE}.

Example:
  voxelguard eval detect --data coco_val --defence on --json on.json
`;

/** `voxelguard eval detect`. */
export function evalDetectCommand(): Command {
  const command = new Command("detect")
    .description("run the detector over labelled pictures and score it as COCO does")
    .usage("--data <folder> [--json [file]] [options]")
    .argument("[file]")
    .requiredOption("--data <folder>", "folder with images/ and labels/")
    .option("--json [file]", "write the results to a file, or print them as one JSON object")
    .option("--model <folder>", "detector (default: the one made at set-up)")
    .option("--threads <number>", "threads of the network (default: the detector's)", wholeNumber);
  return addDefenceOptions(command)
    .addHelpText("after", help)
    .action(async (file: string | undefined, flags: EvalDetectFlags) => {
      const jsonPath = jsonPathOf(file, flags.json);
      const score = await evaluate(flags);
      if (jsonPath !== undefined) await writeWhole(jsonPath, `${JSON.stringify(score, undefined, 2)}\n`);
      const printsJson = flags.json === true && jsonPath === undefined;
      process.stdout.write(printsJson ? `${JSON.stringify(score)}\n` : `${textOf(score)}\n`);
    });
}

async function evaluate({ data, model, defence: isDefended, patrol, threads }: EvalDetectFlags): Promise<DetectScore> {
  const paths = await listImages(join(data, "images"));
  const cues = isDefended === "on";
  const detector = await openDetector(await detectorFolder(model), { threads, scoreThreshold: LEAST_SCORE, cues });
  const defence = cues ? new Defence(detector, { patrol }) : undefined;
  const progress = makeProgress("images", paths.length, false);
  const images: ScoredImage[] = [];
  const defended: DefendedAnswer[] = [];
  const times = new StageTimes();
  try {
    const numbers = await classNumbers(join(data, "names.txt"), detector.classes);
    for (const [done, path] of paths.entries()) {
      progress.update(done, path);
      const image = await readPicture(path);
      const name = basename(path, extname(path));
      const truth = await readLabels(join(data, "labels", `${name}.txt`), image.width, image.height, numbers);
      defence?.reset();
      const answer = await (defence === undefined ? detector.run(image) : defence.run(image));
      if (answer === undefined) throw new Error("an image was left out");
      if ("masks" in answer) defended.push(answer);
      for (const [stage, ms] of Object.entries(answer.stagesMs)) times.record(stage, ms);
      const { boxes, scores, classes } = answer;
      images.push({ truth, found: { boxes: boxes.slice(), scores: scores.slice(), classes: classes.slice() } });
    }
  } finally {
    progress.stop();
    await detector.close();
  }
  return {
    images: images.length,
    objects: images.reduce((sum, { truth }) => sum + truth.classes.length, 0),
    ...averagePrecision(images),
    ...(cues ? costOf(defended) : {}),
    p50_ms: times.medians(),
  };
}

function costOf(answers: readonly DefendedAnswer[]): Pick<DetectScore, "masked_images" | "masks" | "passes"> {
  const passes = answers.map((answer) => answer.passes);
  const mean = passes.reduce((sum, each) => sum + each, 0) / passes.length;
  return {
    masked_images: answers.filter(({ masks }) => masks.length > 0).length,
    masks: answers.reduce((sum, { masks }) => sum + masks.length, 0),
    passes: { mean, p99: quantile(passes, 0.99), max: Math.max(...passes) },
  };
}

/** Nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function textOf(score: DetectScore): string {
  const third = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(3));
  const { ap, ap50, ap75, ap_small, ap_medium, ap_large, ar100, passes } = score;
  const figures = { ap, ap50, ap75, small: ap_small, medium: ap_medium, large: ap_large, ar100 };
  const lines = [
    `${score.images} images, ${score.objects} objects`,
    Object.entries(figures)
      .map(([name, value]) => `${name} ${third(value)}`)
      .join(", "),
  ];
  if (passes !== undefined) {
    const runs = `runs of the network an image: mean ${third(passes.mean)}, p99 ${passes.p99}, most ${passes.max}`;
    lines.push(`${score.masks} windows masked in ${score.masked_images} images; ${runs}`);
  }
  lines.push(
    `ms at the median: ${Object.entries(score.p50_ms)
      .map(([stage, ms]) => `${stage} ${ms.toFixed(1)}`)
      .join(", ")}`,
  );
  return lines.join("\n");
}
