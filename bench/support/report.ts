import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const outFolder = join(root, "out/bench");

/** One line of the summary that `npm run bench` ends with. */
export interface SummaryLine {
  readonly name: string;
  readonly ours: string;
  readonly peer: string;
  /** What is compared with the limit: a ratio, or the figure itself. */
  readonly value: string;
  /** What was wanted; empty where the line is there for context. */
  readonly limit: string;
  /**
   * `short`: the limit is not met. `missing`: it could not be measured here. `disturbed`: others took so much of the
   * machine that the comparison says nothing.
   */
  readonly verdict: "ok" | "short" | "missing" | "disturbed" | "context";
}

export interface Spread {
  readonly count: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
}

export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new Error("no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number) => {
    const place = q * (sorted.length - 1);
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
  };
  return { count: sorted.length, p10: at(0.1), p50: at(0.5), p90: at(0.9), p95: at(0.95) };
}

/** CPU time of the whole process, all threads, over calls that do nothing else meanwhile. */
export class CoreMeter {
  #cpuMs = 0;
  #wallMs = 0;
  #calls = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    const [before, began] = [process.cpuUsage(), performance.now()];
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    this.#cpuMs += (user + system) / 1e3;
    this.#wallMs += performance.now() - began;
    this.#calls += 1;
    return result;
  }

  /** CPU milliseconds of one call, the mean. */
  get cpuMs(): number {
    return this.#cpuMs / this.#calls;
  }

  /** How many cores the process had, the mean: CPU time over wall time. */
  get cores(): number {
    return this.#cpuMs / this.#wallMs;
  }
}

export function median(samples: readonly number[]): number {
  return spreadOf(samples).p50;
}

/** Says what the figures hang on, and warns where others use the machine. Take it before the work, not after. */
export function machineNow() {
  const load1 = loadavg()[0]!;
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    load1: Math.round(load1 * 100) / 100,
  };
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load1}`);
  if (load1 > machine.cores / 2)
    console.log("The machine is busy: times are too long, and ratios are not what a quiet machine gives.");
  return machine;
}

/** Leaves out/bench/<name>.json, where tools/bench.mjs finds the summary. */
export function writeReport(
  name: string,
  report: { readonly machine: object; readonly settings: object; readonly results: object },
  summary: readonly SummaryLine[],
): void {
  mkdirSync(outFolder, { recursive: true });
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  const text = JSON.stringify({ name, when: new Date().toISOString(), ...report, summary }, rounded, 2);
  writeFileSync(join(outFolder, `${name}.json`), `${text}\n`);
}

/** Columns aligned: text left, the rest right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  for (const row of [head, ...rows]) {
    console.log(row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  "));
  }
}

export const ms = (value: number): string => `${value.toFixed(value < 1 ? 2 : value < 100 ? 1 : 0)} ms`;
