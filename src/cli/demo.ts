import { join } from "node:path";
import { Command } from "commander";
import { defaultsOf } from "../config/parse.ts";
import { stereoSchema } from "../config/stereo-schema.ts";
import { DemoAccuracy } from "./demo-accuracy.ts";
import { interruptSignal } from "./interrupt.ts";
import { openModel } from "./model-folder.ts";
import { packageRoot } from "./package-root.ts";
import { StepProgress, talkingHealth } from "./replay.ts";
import { reportOf, summaryOf, writeReport } from "./replay-report.ts";
import { replay } from "./replay-run.ts";
import { ReplayView } from "./replay-view.ts";
import { StepPicture } from "./step-picture.ts";
import { viewerOptions } from "./viewer-options.ts";

interface DemoFlags {
  readonly headless?: boolean;
  readonly out: string;
  readonly port: string;
  readonly json?: boolean;
}

/** Frames between two that are scored. */
const SCORED_EVERY = 4;

/** `voxelguard demo`: the bundled drive, rendered with exact depth, from bag to map. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("replay the bundled drive: watch the map grow, see accuracy and speed")
    .option("--headless", "no browser page: write the files and end")
    .option("--out <folder>", "where map.mcap, preview.png and report.json go", "out/demo")
    .option("--port <n>", "port of the page", "8765")
    .option("--json", "print the report as one JSON object")
    .action(async (flags: DemoFlags) => {
      await runDemo(flags);
    });
}

async function runDemo(flags: DemoFlags): Promise<void> {
  const quiet = flags.json === true;
  const health = talkingHealth(quiet);
  const signal = interruptSignal();
  const config = defaultsOf(stereoSchema);
  const bag = join(packageRoot(), "demo/drive.mcap");
  const at = (name: string) => join(flags.out, name);
  const picture = new StepPicture();
  const progress = new StepProgress(quiet);
  const model = await openModel(config);
  let accuracy: DemoAccuracy | undefined;
  let view: ReplayView | undefined;
  try {
    // At the speed of the drive.
    if (flags.headless !== true) view = await ReplayView.open(viewerOptions(flags), 1, signal);
    const run = await replay({
      bag,
      topics: {},
      config,
      model,
      health,
      signal,
      out: at("map.mcap"),
      onStep: async (step, run) => {
        accuracy ??= await DemoAccuracy.of(run.bag);
        picture.see(step);
        if (run.steps % SCORED_EVERY === 1) await accuracy.see(step);
        progress.see(run);
        await view?.see(step, run, health, { accuracy: accuracy.means() });
      },
    });
    progress.stop();
    const report = reportOf(run, model, health, { accuracy: accuracy?.means() ?? {} });
    await picture.write(at("preview.png"), bag, run, "voxelguard: the demo drive");
    await writeReport(at("report.json"), report);
    process.stdout.write(quiet ? `${JSON.stringify(report)}\n` : `${textOf(report, flags)}\n`);
    if (health.worst() === "error") process.exitCode = 1;
    await view?.untilInterrupted();
  } finally {
    progress.stop();
    await view?.close();
    await model.close();
  }
}

function textOf(report: Record<string, unknown>, { out }: DemoFlags): string {
  return [
    summaryOf(report),
    accuracyText(report["accuracy"] as Record<string, number>),
    `written: ${["map.mcap", "preview.png", "report.json"].map((name) => join(out, name)).join(", ")}`,
  ].join("\n");
}

function accuracyText(accuracy: Record<string, number>): string {
  const { frames = 0, iou_32m } = accuracy;
  if (frames === 0) return "against exact depth: no frame was scored";
  const percent = (name: string) => `${((accuracy[name] ?? Number.NaN) * 100).toFixed(1)} %`;
  return `against exact depth (${frames} frames, 0.5 m voxels, to 32 m): IoU ${iou_32m?.toFixed(3)}, precision ${percent("precision")}, recall ${percent("recall")}, missed ${percent("missed")}, free space violated ${percent("free_violation")}`;
}
