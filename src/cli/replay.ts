import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { type DetectorConfig, detectorSchema } from "../config/detector-schema.ts";
import { parseConfig } from "../config/parse.ts";
import { type StereoConfig, stereoSchema } from "../config/stereo-schema.ts";
import { Fault, messageOf } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import { writeWhole } from "../io/write-whole.ts";
import type { OpenDetector } from "../pipeline/live-detect.ts";
import { checkResolution, parseMapFile, type SavedMap } from "../pipeline/map-file.ts";
import { addConfigOptions, configGiven } from "./config-options.ts";
import { interruptSignal } from "./interrupt.ts";
import { openLiveDetector } from "./live-detector.ts";
import { openModel } from "./model-folder.ts";
import { objectLine } from "./object-lines.ts";
import { makeProgress } from "./progress.ts";
import { reportOf, summaryOf, writeReport } from "./replay-report.ts";
import { type ReplayRun, replay } from "./replay-run.ts";
import { ReplayView } from "./replay-view.ts";
import { StepPicture } from "./step-picture.ts";
import { addTopicOptions, givenTopics, type TopicFlags } from "./topic-options.ts";
import { addViewerOptions, type ViewerFlags, viewerOptions } from "./viewer-options.ts";

interface ReplayFlags extends TopicFlags, ViewerFlags {
  readonly out?: string;
  readonly map?: string;
  readonly report?: string;
  readonly preview?: string;
  readonly view?: boolean;
  readonly rate?: string;
  readonly detect?: boolean | string;
  readonly objects?: string;
  readonly json?: boolean;
}

/** `voxelguard replay BAG`. */
export function replayCommand(): Command {
  const command = new Command("replay")
    .description("turn a recorded stereo drive into an obstacle map")
    .argument("<bag>", "rosbag2 folder, .mcap or .db3 file, with raw or compressed stereo images and CameraInfo")
    .option("--out <map.mcap>", "write the map and what led to it as ROS 2 messages")
    .option("--map <map.ot>", "start from a saved map (.bt or .ot, cells of --voxel-size, in the frame of the map)")
    .option("--report <report.json>", "write counts, stage times, memory and faults")
    .option("--preview <picture.png>", "draw the last frame and the map")
    .option("--view", "show the map growing in a browser: pause it, step, go back")
    .option("--rate <x>", "speed against the recording, e.g. 1 for its own; as fast as it goes if left out")
    .option(
      "--detect [folder]",
      "find objects, too, and weigh them against the voxels; with this detector or the default one",
    )
    .option("--objects <objects.jsonl>", "with --detect: write one line of JSON an image")
    .option("--json", "print the report as one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  voxelguard replay drive.mcap --out map.mcap --report report.json\n  voxelguard replay drive/ --view --rate 1\n  voxelguard replay lab.db3 --voxel-size 0.1     (indoors: 10 cm voxels, 6.4 m ahead)\n  voxelguard replay drive.mcap --out map.mcap --detect --objects objects.jsonl\n",
    )
    .action(async (bag: string, flags: ReplayFlags, self: Command) => {
      const config = parseConfig(stereoSchema, configGiven(self, stereoSchema), "the command line");
      const detection = parseConfig(detectorSchema, configGiven(self, detectorSchema), "the command line");
      await runReplay(bag, flags, config, detection);
    });
  addViewerOptions(command);
  return addConfigOptions(addConfigOptions(addTopicOptions(command), stereoSchema), detectorSchema);
}

async function runReplay(
  bag: string,
  flags: ReplayFlags,
  config: StereoConfig,
  detection: DetectorConfig,
): Promise<void> {
  const health = talkingHealth(flags.json === true);
  const rate = flags.rate === undefined ? undefined : positive(flags.rate, "--rate");
  const signal = interruptSignal();
  const picture = new StepPicture();
  const progress = new StepProgress(flags.json === true);
  const lines: string[] = [];
  if (flags.objects !== undefined && flags.detect === undefined) throw usage("--objects is given without --detect.");
  const start = flags.map === undefined ? undefined : await readMap(flags.map, config.voxel_size);
  const model = await openModel(config);
  let view: ReplayView | undefined;
  let detector: OpenDetector | undefined;
  try {
    if (flags.detect !== undefined && flags.detect !== false) {
      const folder = flags.detect === true ? "" : flags.detect;
      detector = await openLiveDetector({ ...detection, model_path: folder, intra_op_threads: 1 });
    }
    if (flags.view === true) view = await ReplayView.open(viewerOptions(flags), rate ?? 0, signal);
    const run = await replay({
      bag,
      topics: givenTopics(flags),
      config,
      model,
      health,
      signal,
      ...(detector === undefined ? {} : { detect: { detector, config: detection } }),
      ...(flags.out === undefined ? {} : { out: flags.out }),
      ...(start === undefined ? {} : { start }),
      // With a page to look at, its timeline sets the pace.
      ...(rate === undefined || view !== undefined ? {} : { rate }),
      onStep: async (step, run, objects) => {
        picture.see(step);
        if (objects !== undefined) lines.push(objectLine(objects, detector!.classes));
        progress.see(run);
        await view?.see(step, run, health, objects && { objects: { step: objects, classes: detector!.classes } });
      },
    });
    progress.stop();
    if (flags.preview !== undefined) await picture.write(flags.preview, bag, run, `${model.name} on ${bag}`);
    if (flags.objects !== undefined) await writeWhole(flags.objects, lines.map((line) => `${line}\n`).join(""));
    const report = reportOf(run, model, health, detector === undefined ? {} : { objects: run.objects });
    if (flags.report !== undefined) await writeReport(flags.report, report);
    process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : `${summaryOf(report)}\n`);
    if (health.worst() === "error") process.exitCode = 1;
    await view?.untilInterrupted();
  } finally {
    progress.stop();
    await view?.close();
    await detector?.close();
    await model.close();
  }
}

/** Faults on stderr as they come and go. */
export function talkingHealth(quiet: boolean): Health {
  return new Health((fault, raised) => {
    if (quiet) return;
    if (raised)
      process.stderr.write(`${fault.level === "error" ? "error" : "warning"}: ${fault.where}: ${fault.message}\n`);
    else process.stderr.write(`recovered: ${fault.where} (${fault.code})\n`);
  });
}

/** A bar over the left images of the bag. */
export class StepProgress {
  readonly #quiet: boolean;
  #bar: ReturnType<typeof makeProgress> | undefined;

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  see(run: ReplayRun): void {
    const total = run.bag.topics.find(({ name }) => name === run.topics.left.image)?.count ?? 0;
    this.#bar ??= makeProgress("pairs", total, this.#quiet);
    const seconds = (performance.now() - run.beganMs) / 1e3;
    this.#bar.update(run.steps, `${(run.steps / seconds).toFixed(1)} pairs/s`);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

async function readMap(path: string, voxelSizeM: number): Promise<SavedMap> {
  let data: Uint8Array;
  try {
    data = await readFile(path);
  } catch (thrown) {
    throw usage(`--map: ${path} cannot be read: ${messageOf(thrown)}.`);
  }
  const saved = parseMapFile(path, data);
  checkResolution(saved, voxelSizeM);
  return saved;
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw usage(`${name} is ${text}; wanted a number above 0.`);
  return value;
}

function usage(message: string): Fault {
  return new Fault(message, { code: "USAGE", remedy: "Run the command with --help to see what it takes." });
}
