/**
 * The live node on a real graph: an rclpy process publishes raw pairs at 10 Hz for ten minutes and receives points,
 * points_clearing, octomap_binary and occupancy_grid. The pairs are the KITTI ones of the shared data where they are, else
 * the demo drive. `--frames N` for a shorter run, `--bag PATH` for another drive.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { demo } from "../test/ros/raw-drive.ts";
import { DISTURBED, runSteady, type SteadyReport } from "../test/ros/steady.ts";
import { sharedData } from "../test/support/shared-data.ts";
import { rosEnvironment } from "../tools/ros/environment.mjs";
import { machineNow, ms, outFolder, printTable, root, type SummaryLine, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const FRAMES = 6000;
const WARM_FRAMES = 600;
const PERIOD_S = 0.1;
const WANTED_SHARE = 0.99;
const MAX_GROWTH = 0.03;

const { values: options } = parseArgs({
  options: { frames: { type: "string" }, bag: { type: "string" } },
  strict: false,
});
const frames = Number(options["frames"] ?? FRAMES);
if (!(Number.isInteger(frames) && frames >= 100))
  throw new Error(`--frames is ${options["frames"]}, wanted 100 or more`);
const from = String(options["bag"] ?? sharedData("open/bags/kitti_jpeg_mcap") ?? demo);
const warmFrames = Math.min(WARM_FRAMES, frames >> 1);
const machine = machineNow();
const settings = { frames, warmFrames, periodS: PERIOD_S, from };
const name = `live on ROS 2, ${frames} raw pairs at ${1 / PERIOD_S} Hz, ${machine.cores} cores`;
const graph = rosEnvironment();
if (typeof graph === "string") {
  console.error(`\n${graph}\n`);
  const line = { name, ours: "not measured", peer: "", value: "", limit: "", verdict: "missing" } as const;
  writeReport("ros", { machine, settings, results: {} }, [line]);
} else {
  mkdirSync(outFolder, { recursive: true });
  const folder = mkdtempSync(join(outFolder, "ros-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  console.log(`${frames} pairs after a warm-up of ${warmFrames}, from ${relative(root, from)}`);
  const report = await runSteady(graph, { from, folder, pairs: frames, warmPairs: warmFrames, periodS: PERIOD_S });
  show(report);
  writeReport("ros", { machine, settings, results: report }, summaryOf(report));
}

function show({ answered, latencyMs, rssMb, waiting, dropped }: SteadyReport): void {
  console.log();
  printTable(
    ["output", "answered"],
    Object.entries(answered).map(([output, count]) => [output, `${count} of ${frames}`]),
  );
  console.log(
    [
      `stamp to receipt of points: p50 ${ms(latencyMs.p50)}, p99 ${ms(latencyMs.p99)}, at most ${ms(latencyMs.max)}`,
      `RSS of the node ${rssMb.start.toFixed(0)} MB at the start, ${rssMb.end.toFixed(0)} MB at the end`,
      `threads of the node that waited for a processor, the mean: ${waiting.toFixed(2)}`,
      `dropped by the node, warm-up included: ${JSON.stringify(dropped)}`,
    ].join("\n"),
  );
}

function summaryOf({ answeredShare, latencyMs, rssMb, waiting }: SteadyReport): SummaryLine[] {
  const tooFew = waiting > DISTURBED ? "disturbed" : "short";
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  return [
    {
      name: `${name}: answered`,
      ours: percent(answeredShare),
      peer: "",
      value: percent(answeredShare),
      limit: `>= ${percent(WANTED_SHARE)}`,
      verdict: answeredShare >= WANTED_SHARE ? "ok" : tooFew,
    },
    {
      name: `${name}: stamp to receipt of points, p50 and p99`,
      ours: `${ms(latencyMs.p50)}, ${ms(latencyMs.p99)}`,
      peer: "",
      value: "",
      limit: "",
      verdict: "context",
    },
    {
      name: `${name}: RSS at the end against the start`,
      ours: `${rssMb.end.toFixed(0)} MB`,
      peer: `${rssMb.start.toFixed(0)} MB`,
      value: percent(rssMb.growth),
      limit: `< ${percent(MAX_GROWTH)}`,
      verdict: rssMb.growth < MAX_GROWTH ? "ok" : "short",
    },
  ];
}
