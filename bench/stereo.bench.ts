/**
 * Matching kernel + network + octree decoding against the reference network's graph in the same onnxruntime, and
 * OpenCV's StereoSGBM beside them; all three take turns, so that what disturbs one disturbs all. `--rounds N` for a
 * shorter run, `--bag PATH` for pairs of another drive.
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { baselineGraph, noBaseline } from "./support/baseline.ts";
import { demoBag, HEIGHT, loadDrive, WIDTH } from "./support/drive.ts";
import { type OurTimes, openOurs } from "./support/ours.ts";
import { openPeer } from "./support/peer.ts";
import {
  CoreMeter,
  machineNow,
  median,
  ms,
  printTable,
  root,
  type SummaryLine,
  spreadOf,
  writeReport,
} from "./support/report.ts";
import { openSgbm } from "./support/sgbm.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const PAIRS = 8;
/** Pairs of the drive from one that is taken to the next. */
const STRIDE = 12;
const ROUNDS = 20;
const OURS_A_ROUND = 5;
const WARM_RUNS = 10;
const WANTED_RATIO = 15;
/** With two threads the reference graph keeps nearly two cores busy; where it got less, others had them. */
const MIN_CORES = 1.5;

const { values: options } = parseArgs({
  options: { rounds: { type: "string" }, bag: { type: "string" } },
  strict: false,
});
const rounds = Number(options["rounds"] ?? ROUNDS);
const machine = machineNow();
const bag = String(options["bag"] ?? demoBag);
const pairs = await loadDrive(bag, PAIRS, STRIDE);
console.log(`${pairs.length} pairs of ${WIDTH}x${HEIGHT} from ${relative(root, bag)}; ${rounds} rounds`);
const graph = baselineGraph();
if (graph === undefined) console.error(`\n${noBaseline}\n`);

const results: Record<string, object> = {};
const summary: SummaryLine[] = [];
for (const threads of [2, 1]) {
  const measured = await measure(threads);
  show(threads, measured);
  results[`threads${threads}`] = measured;
  summary.push(...summaryOf(threads, measured));
}
const settings = { width: WIDTH, height: HEIGHT, pairs: pairs.length, rounds, oursARound: OURS_A_ROUND, bag };
writeReport("stereo", { machine, settings, results }, summary);

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure(threads: number) {
  const ours = await openOurs(pairs, threads);
  const sgbm = await openSgbm(pairs, threads);
  const peer = graph === undefined ? undefined : await openPeer(graph, pairs, threads);
  const samples: OurTimes[] = [];
  const [peerMs, sgbmMs, ratios]: [number[], number[], number[]] = [[], [], []];
  const [ourCores, peerCores] = [new CoreMeter(), new CoreMeter()];
  try {
    for (let i = 0; i < WARM_RUNS; i += 1) await ours.run(i % pairs.length);
    await sgbm?.run(0);
    for (let round = 0; round < rounds; round += 1) {
      const n = round % pairs.length;
      const turn: OurTimes[] = [];
      for (let i = 0; i < OURS_A_ROUND; i += 1) {
        turn.push(await ourCores.during(() => ours.run((n + i) % pairs.length)));
      }
      samples.push(...turn);
      if (sgbm !== undefined) sgbmMs.push(await sgbm.run(n));
      if (peer === undefined) continue;
      peerMs.push(await peerCores.during(() => peer.run(n)));
      ratios.push(peerMs.at(-1)! / median(turn.map(({ sum }) => sum)));
    }
  } finally {
    await ours.close();
    sgbm?.close();
    await peer?.close();
  }
  if (samples.length !== rounds * OURS_A_ROUND || (peer !== undefined && peerMs.length !== rounds)) {
    throw new Error(`${samples.length} and ${peerMs.length} samples, wanted ${rounds} rounds`);
  }
  const stages = Object.keys(samples[0]!.stages).map(
    (stage) => [stage, spreadOf(samples.map((sample) => sample.stages[stage]!))] as const,
  );
  const sum = spreadOf(samples.map((sample) => sample.sum));
  return {
    model: ours.name,
    evaluated: ours.evaluated,
    ours: {
      stages: Object.fromEntries(stages),
      sum,
      latency: spreadOf(samples.map(({ latency }) => latency)),
      cores: ourCores.cores,
      cpuMs: ourCores.cpuMs,
    },
    peer: peer && {
      ...peerOf(peerMs, ratios, sum.p50),
      cores: peerCores.cores,
      cpuMs: peerCores.cpuMs,
      trialsMs: peer.trialsMs,
    },
    sgbm: sgbm && { version: sgbm.version, ms: spreadOf(sgbmMs) },
  };
}

function peerOf(peerMs: readonly number[], ratios: readonly number[], oursMs: number) {
  const spread = spreadOf(peerMs);
  return { ms: spread, ratio: spread.p50 / oursMs, ratioByRound: spreadOf(ratios) };
}

function show(threads: number, { model, evaluated, ours, peer, sgbm }: Measured): void {
  const voxels = Math.round(median(evaluated.filter((count) => count > 0)));
  console.log(`\n${threadsText(threads)}, ${model}, ${voxels} voxels evaluated at the median`);
  const rows = Object.entries({
    ...ours.stages,
    sum: ours.sum,
    latency: ours.latency,
    ...(peer === undefined ? {} : { "reference graph": peer.ms }),
    ...(sgbm === undefined ? {} : { [`SGBM, ${sgbm.version}`]: sgbm.ms }),
  });
  printTable(
    ["", "p10", "p50", "p90", "p95"],
    rows.map(([name, s]) => [name, ms(s.p10), ms(s.p50), ms(s.p90), ms(s.p95)]),
  );
  if (peer === undefined) return;
  const { p10, p50, p90 } = peer.ratioByRound;
  const { quiet, spinning } = peer.trialsMs;
  console.log(
    [
      `reference / ours: ${peer.ratio.toFixed(1)} of the medians; by rounds p10 ${p10.toFixed(1)}, p50 ${p50.toFixed(1)}, p90 ${p90.toFixed(1)}`,
      `cores busy: ${ours.cores.toFixed(2)} with ours, ${peer.cores.toFixed(2)} with the reference; CPU a pair: ${ms(ours.cpuMs)} and ${ms(peer.cpuMs)}, ${(peer.cpuMs / ours.cpuMs).toFixed(1)}x`,
      `reference, trials: ${ms(quiet)} with a pool that sleeps, ${ms(spinning)} with one that spins; the faster was taken`,
    ].join("\n"),
  );
}

function summaryOf(threads: number, { ours, peer, sgbm }: Measured): SummaryLine[] {
  const isLimit = threads === 2;
  const name = `match + network + octree, ${threadsText(threads)}, against`;
  const oursMs = ms(ours.sum.p50);
  return [
    {
      name: `${name} the reference graph`,
      ours: oursMs,
      peer: peer === undefined ? "not measured" : ms(peer.ms.p50),
      value: peer === undefined ? "" : `${peer.ratio.toFixed(1)}x`,
      limit: isLimit ? `>= ${WANTED_RATIO}x` : "",
      verdict: isLimit ? verdictOf(peer) : "context",
    },
    {
      name: `${name} OpenCV SGBM (disparity alone)`,
      ours: oursMs,
      peer: sgbm === undefined ? "not measured" : ms(sgbm.ms.p50),
      value: sgbm === undefined ? "" : `${(sgbm.ms.p50 / ours.sum.p50).toFixed(1)}x`,
      limit: "",
      verdict: "context",
    },
  ];
}

function verdictOf(peer: Measured["peer"]): SummaryLine["verdict"] {
  if (peer === undefined) return "missing";
  if (peer.cores < MIN_CORES) return "disturbed";
  return peer.ratio >= WANTED_RATIO ? "ok" : "short";
}

function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
