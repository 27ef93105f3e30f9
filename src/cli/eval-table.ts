import type { StereoScore } from "../stereo/metrics.ts";
import type { CellCounts } from "./infer-pair.ts";

export interface PairResult {
  readonly pair: string;
  readonly voxel_size_m: number;
  readonly counts: CellCounts;
  /** Absent where the folder has no ground truth. */
  readonly score?: StereoScore;
  /** Medians over the runs but the first, milliseconds; `total` is all that the product does after reading the files. */
  readonly p50_ms: Readonly<Record<string, number>>;
}

export interface EvalResult {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly pairs: readonly PairResult[];
  readonly skipped: readonly { readonly pair: string; readonly reason: string }[];
  readonly failed: readonly { readonly pair: string; readonly code: string; readonly message: string }[];
}

/** The result as a table for people: one line a pair, then what was left out and why. */
export function evalTable({ model, pairs, skipped, failed }: EvalResult): string {
  const lines = [`model ${model.name} (${model.sha256.slice(0, 12)})`];
  if (pairs.length > 0) lines.push("", ...aligned(rowsOf(pairs)));
  if (skipped.length + failed.length > 0) lines.push("");
  for (const { pair, reason } of skipped) lines.push(`skipped ${pair}: ${reason}`);
  for (const { pair, message, code } of failed) lines.push(`failed ${pair}: ${message} [${code}]`);
  return `${lines.join("\n")}\n`;
}

function rowsOf(pairs: readonly PairResult[]): string[][] {
  const levels = Math.max(...pairs.map(({ score }) => score?.iou_levels.length ?? 0));
  const steps = Array.from({ length: levels }, (_, level) => `iou x${2 ** (levels - 1 - level)}`);
  const head = ["pair", "voxel", ...steps, "ray 30", "ray 64", "missed", "free viol", "chamfer", "ECE", "ms"];
  return [head, ...pairs.map((pair) => rowOf(pair, levels))];
}

function rowOf({ pair, voxel_size_m, score, p50_ms }: PairResult, levels: number): string[] {
  const ms = (p50_ms["total"] ?? Number.NaN).toFixed(1);
  if (score === undefined) return [pair, `${voxel_size_m} m`, ...Array(levels + 6).fill("-"), ms];
  return [
    pair,
    `${voxel_size_m} m`,
    ...score.iou_levels.map(third),
    third(score.iou_ray_15m),
    third(score.iou_ray_32m),
    percent(score.missed),
    percent(score.free_violation),
    score.chamfer_m === undefined ? "-" : `${score.chamfer_m.toFixed(3)} m`,
    third(score.calibration_error),
    ms,
  ];
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
}

function third(value: number): string {
  return value.toFixed(3);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
