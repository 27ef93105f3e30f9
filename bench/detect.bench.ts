/**
 * The detector alone and the same one defended, over one drive, image by image in turns: both have the same machine.
 * `--bag PATH` takes the left camera of another drive than the demo's.
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { detectInputs } from "../src/cli/detect-inputs.ts";
import { detectorFolder } from "../src/cli/model-folder.ts";
import { Fault } from "../src/core/fault.ts";
import { Defence } from "../src/detect/defence/defence.ts";
import { Tracker } from "../src/detect/tracker.ts";
import { openDetector } from "../src/infer/detector.ts";
import { demoBag } from "./support/drive.ts";
import { CoreMeter, machineNow, ms, printTable, root, spreadOf, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const THREADS = 2;
const WARM_IMAGES = 10;
const WANTED_PASSES = 1.05;
const WANTED_P99 = 4;

const { values: options } = parseArgs({ options: { bag: { type: "string" } }, strict: false });
const bag = String(options["bag"] ?? demoBag);
const machine = machineNow();
const folder = await detectorFolder(undefined);
const plain = await openDetector(folder, { threads: THREADS });
const watched = await openDetector(folder, { threads: THREADS, cues: true });
const defence = new Defence(watched);
const tracker = new Tracker();

const times: { alone: number[]; defended: number[] } = { alone: [], defended: [] };
const cpu = { alone: new CoreMeter(), defended: new CoreMeter() };
const passes: number[] = [];
let masked = 0;
let seen = 0;
for await (const { image, stampNs } of detectInputs(bag, undefined)) {
  if (image instanceof Fault || stampNs === undefined) throw new Error(`${bag} holds an image that cannot be read`);
  seen += 1;
  const isWarm = seen > WARM_IMAGES;
  const timed = async <T>(kind: "alone" | "defended", look: () => Promise<T>): Promise<T> => {
    if (!isWarm) return await look();
    const began = performance.now();
    const answer = await cpu[kind].during(look);
    times[kind].push(performance.now() - began);
    return answer;
  };
  await timed("alone", () => plain.run(image));
  const answer = (await timed("defended", () => defence.run(image, stampNs, tracker.tracks)))!;
  tracker.update(answer, stampNs);
  passes.push(answer.passes);
  if (answer.masks.length > 0) masked += 1;
}
await plain.close();
await watched.close();

const [alone, defended] = [spreadOf(times.alone), spreadOf(times.defended)];
const sorted = passes.toSorted((a, b) => a - b);
const mean = passes.reduce((sum, count) => sum + count, 0) / passes.length;
const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1]!;
console.log(`${seen} images of ${relative(root, bag)}, ${THREADS} threads`);
printTable(
  ["", "p50", "p95", "CPU a frame"],
  [
    ["detector alone", ms(alone.p50), ms(alone.p95), ms(cpu.alone.cpuMs)],
    ["defended", ms(defended.p50), ms(defended.p95), ms(cpu.defended.cpuMs)],
  ],
);
console.log(`passes a frame: mean ${mean.toFixed(3)}, p99 ${p99}, most ${sorted.at(-1)}; images masked: ${masked}`);

const results = {
  alone,
  defended,
  cpuMs: { alone: cpu.alone.cpuMs, defended: cpu.defended.cpuMs },
  passes: { mean, p99 },
  masked,
};
writeReport("detect", { machine, settings: { bag: relative(root, bag), threads: THREADS }, results }, [
  {
    name: "defended detector against the detector alone, p50",
    ours: ms(defended.p50),
    peer: ms(alone.p50),
    value: (defended.p50 / alone.p50).toFixed(2),
    limit: "",
    verdict: "context",
  },
  {
    name: "runs of the network a clean frame, mean",
    ours: mean.toFixed(3),
    peer: "",
    value: mean.toFixed(3),
    limit: `<= ${WANTED_PASSES}`,
    verdict: mean <= WANTED_PASSES ? "ok" : "short",
  },
  {
    name: "runs of the network a clean frame, p99",
    ours: String(p99),
    peer: "",
    value: String(p99),
    limit: `<= ${WANTED_P99}`,
    verdict: p99 <= WANTED_P99 ? "ok" : "short",
  },
]);
