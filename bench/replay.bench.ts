/**
 * Replay of raw pairs from disk to a written map: pairs per second, and memory over a long drive. `--frames N` for a
 * shorter one, `--bag PATH` for the images and poses of another drive.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { stereoModelFolder } from "../src/cli/model-folder.ts";
import { reportOf } from "../src/cli/replay-report.ts";
import { replay } from "../src/cli/replay-run.ts";
import { defaultsOf } from "../src/config/parse.ts";
import { stereoSchema } from "../src/config/stereo-schema.ts";
import { Health } from "../src/core/health.ts";
import { openStereoModel } from "../src/infer/stereo-model.ts";
import { demoBag } from "./support/drive.ts";
import { machineNow, ms, outFolder, printTable, root, type SummaryLine, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const FRAMES = 2000;
const IMAGES = 120;
const THREADS = 2;
const WANTED_PAIRS_PER_S = 15;
const MAX_RSS_MB = 600;
/** Growth from the second quarter of the frames to the last that still counts as flat. */
const FLAT = 1.05;

const { values: options } = parseArgs({
  options: { frames: { type: "string" }, bag: { type: "string" } },
  strict: false,
});
const frames = Number(options["frames"] ?? FRAMES);
if (!(Number.isInteger(frames) && frames >= 8)) throw new Error(`--frames is ${options["frames"]}, wanted 8 or more`);
const images = String(options["bag"] ?? demoBag);
const machine = machineNow();
mkdirSync(outFolder, { recursive: true });
const folder = mkdtempSync(join(outFolder, "replay-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const bag = join(folder, "raw.mcap");
const writer = join(root, "bench/support/write-drive.ts");
const written = spawnSync(process.execPath, ["--import", "tsx", writer, images, bag, `${frames}`, `${IMAGES}`], {
  cwd: root,
  stdio: "inherit",
});
if (written.status !== 0) throw new Error("the bag could not be written: the reason is printed above");
const bagMb = statSync(bag).size / 1e6;
console.log(`${frames} raw pairs from ${relative(root, images)}, ${bagMb.toFixed(0)} MB`);

const health = new Health();
const model = await openStereoModel(stereoModelFolder(undefined), { threads: THREADS });
const out = join(folder, "map.mcap");
const rssMb = new Float64Array(frames);
const doneMs = new Float64Array(frames);
let posed = 0;
const before = process.cpuUsage();
const began = performance.now();
const run = await replay({
  bag,
  topics: {},
  config: defaultsOf(stereoSchema),
  model,
  health,
  out,
  onStep: (step, { steps }) => {
    rssMb[steps - 1] = process.memoryUsage.rss() / 1e6;
    doneMs[steps - 1] = performance.now() - began;
    if (step.isPosed) posed += 1;
    if (steps % 200 === 0) {
      console.log(
        `${steps} pairs, ${((steps / doneMs[steps - 1]!) * 1e3).toFixed(1)}/s, RSS ${rssMb[steps - 1]!.toFixed(0)} MB`,
      );
    }
  },
});
const seconds = (performance.now() - began) / 1e3;
const cpu = process.cpuUsage(before);
await model.close();

const { seen, processed, dropped } = run.counts;
if (run.steps !== frames || processed !== frames || posed !== frames || Object.keys(dropped).length > 0) {
  throw new Error(
    `${run.steps} of ${frames} pairs in the map, ${posed} posed, ${seen} seen: ${JSON.stringify(dropped)}`,
  );
}
if (health.list().length > 0) throw new Error(`the replay complained: ${JSON.stringify(health.list())}`);
const mapMb = statSync(out).size / 1e6;

const quarter = Math.floor(frames / 4);
const mean = (from: number, to: number) => rssMb.subarray(from, to).reduce((sum, v) => sum + v, 0) / (to - from);
const early = mean(quarter, 2 * quarter);
const late = mean(frames - quarter, frames);
const max = rssMb.reduce((most, v) => Math.max(most, v), 0);
const growth = late / early;
const pairsPerS = frames / seconds;
const quarters = [0, 1, 2, 3].map((q) => {
  const [first, last] = [q * quarter, (q + 1) * quarter - 1];
  const since = first === 0 ? 0 : doneMs[first - 1]!;
  return (quarter / (doneMs[last]! - since)) * 1e3;
});
const cpuMs = (cpu.user + cpu.system) / 1e3 / frames;

const stages = Object.entries(run.times.quantiles());
console.log();
printTable(
  ["stage", "p50", "p95", "p99"],
  stages.map(([stage, q]) => [stage, ms(q.p50), ms(q.p95), ms(q.p99)]),
);
console.log(
  [
    `${pairsPerS.toFixed(1)} pairs/s (by quarters ${quarters.map((v) => v.toFixed(1)).join(", ")}), ${cpuMs.toFixed(1)} ms of CPU a pair`,
    `map.mcap ${mapMb.toFixed(0)} MB; RSS at most ${max.toFixed(0)} MB, pairs ${quarter}..${2 * quarter}: ${early.toFixed(0)} MB, last ${quarter}: ${late.toFixed(0)} MB`,
  ].join("\n"),
);

const summary: SummaryLine[] = [
  {
    name: `replay, raw ${frames} pairs from disk to written map, ${machine.cores} cores`,
    ours: `${pairsPerS.toFixed(1)} pairs/s`,
    peer: "",
    value: `${pairsPerS.toFixed(1)}/s`,
    limit: `>= ${WANTED_PAIRS_PER_S}/s`,
    verdict: pairsPerS >= WANTED_PAIRS_PER_S ? "ok" : "short",
  },
  {
    name: `replay, largest RSS over ${frames} pairs`,
    ours: `${max.toFixed(0)} MB`,
    peer: "",
    value: `${max.toFixed(0)} MB`,
    limit: `<= ${MAX_RSS_MB} MB`,
    verdict: max <= MAX_RSS_MB ? "ok" : "short",
  },
  {
    name: `replay, RSS of the last quarter against the second`,
    ours: `${late.toFixed(0)} MB`,
    peer: `${early.toFixed(0)} MB`,
    value: `${growth.toFixed(3)}x`,
    limit: `<= ${FLAT}x`,
    verdict: growth <= FLAT ? "ok" : "short",
  },
];
writeReport(
  "replay",
  {
    machine,
    settings: { frames, images: IMAGES, threads: THREADS, from: images },
    results: {
      pairsPerS,
      quarters,
      cpuMs,
      bagMb,
      mapMb,
      rssMb: { max, early, late, every50: [...rssMb].filter((_, n) => n % 50 === 0).map(Math.round) },
      report: reportOf(run, model, health),
    },
  },
  summary,
);
