import type { Health } from "../core/health.ts";
import type { StereoModel } from "../core/ports.ts";
import { writeWhole } from "../io/write-whole.ts";
import type { ReplayRun } from "./replay-run.ts";

/** report.json as in the design, section 8; `health` is what stands at the end, `faults` all that ever did. */
export function reportOf(
  run: ReplayRun,
  model: StereoModel,
  health: Health,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const seconds = ((run.endedMs ?? performance.now()) - run.beganMs) / 1e3;
  const round = (x: number) => Math.round(x * 1e3) / 1e3;
  const quantiles = ({ p50, p95, p99 }: { p50: number; p95: number; p99: number }, unit: string) => ({
    [`p50${unit}`]: round(p50),
    [`p95${unit}`]: round(p95),
    [`p99${unit}`]: round(p99),
  });
  const stages = Object.entries(run.times.quantiles()).map(([stage, q]) => [stage, quantiles(q, "_ms")]);
  const age = run.age.quantiles()["age"];
  const { seen, processed, dropped } = run.counts;
  return {
    pairs: { seen, processed, dropped },
    pairs_per_second: round(run.steps / seconds),
    seconds: round(seconds),
    stages: Object.fromEntries(stages),
    age_ms: age === undefined ? {} : quantiles(age, ""),
    rss_mb: { max: Math.round(run.maxRssMb) },
    model: { name: model.name, sha256: model.sha256 },
    health: health.list(),
    faults: health.history(),
    ...more,
  };
}

export async function writeReport(path: string, report: Record<string, unknown>): Promise<void> {
  await writeWhole(path, `${JSON.stringify(report, null, 2)}\n`);
}

/** The report in a few lines, for people. */
export function summaryOf(report: Record<string, unknown>): string {
  const { pairs, stages, rss_mb, model, health } = report as unknown as {
    pairs: { seen: number; processed: number; dropped: Record<string, number> };
    stages: Record<string, { p50_ms: number }>;
    rss_mb: { max: number };
    model: { name: string };
    health: readonly { where: string; message: string }[];
  };
  const dropped = Object.entries(pairs.dropped).map(([cause, n]) => `${cause} ${n}`);
  const times = Object.entries(stages).map(([stage, { p50_ms }]) => `${stage} ${p50_ms.toFixed(1)}`);
  return [
    `${pairs.processed} of ${pairs.seen} pairs, ${report["pairs_per_second"]} a second (${model.name})`,
    `dropped: ${dropped.length === 0 ? "nothing" : dropped.join(", ")}`,
    `ms at the median: ${times.join(", ")}; memory at most ${rss_mb.max} MB`,
    ...objectsLine(report["objects"] as Record<string, number> | undefined),
    ...health.map((fault) => `${fault.where}: ${fault.message}`),
  ].join("\n");
}

function objectsLine(objects: Readonly<Record<string, number>> | undefined): string[] {
  if (objects === undefined) return [];
  return [
    `objects over all images: ${Object.entries(objects)
      .map(([status, n]) => `${status} ${n}`)
      .join(", ")}`,
  ];
}
