import type { Score } from "../stereo/metrics-tally.ts";
import type { EvalResult, PairResult, Scores } from "./eval-result.ts";

type Row = readonly string[];

/** The result as tables for people: one line a pair, then the groups, then what was left out and why. */
export function evalTable({ model, pairs, all, ranges, groups, skipped, failed }: EvalResult): string {
  const tables = [`${model.name} ${model.sha256.slice(0, 12)}\n`];
  if (pairs.length > 0) {
    const lines: Row[] = [...pairs.map(pairRow), ["all", "-", ...cells(all), "-"]];
    tables.push(tableOf(["pair", "voxel", ...columns, "ms"], lines));
  }
  const levels = all.score?.levels ?? [];
  const levelRows = levels.map(({ iou_15m, iou_32m, head_iou, head_calibration_error }, level) => [
    `x${2 ** (levels.length - 1 - level)}`,
    ...[iou_15m, iou_32m, head_iou, head_calibration_error].map(third),
  ]);
  if (levels.length > 0) tables.push(tableOf(["level", "iou 30", "iou 64", "head iou", "head ECE"], levelRows));
  const rangeRows = ranges.map((range) => [`${range.from}-${range.to} voxels`, ...rangeCells(range)]);
  if (ranges.length > 0) tables.push(tableOf(["range", ...rangeColumns], rangeRows));
  for (const [tag, values] of Object.entries(groups)) {
    const rows = Object.entries(values).map(([value, group]) => [value, String(group.pairs), ...cells(group)]);
    if (rows.length > 0) tables.push(tableOf([tag, "pairs", ...columns], rows));
  }
  const left = skipped.map(({ pair, reason }) => `skipped ${pair}: ${reason}\n`);
  const lost = failed.map(({ pair, message, code }) => `failed ${pair}: ${message} [${code}]\n`);
  if (left.length + lost.length > 0) tables.push([...left, ...lost].join(""));
  return tables.join("\n");
}

const rangeColumns = ["iou", "ray", "recall", "precision", "missed", "free viol", "chamfer", "ch. paper", "ECE"];
const columns = ["iou 30", "iou 64", "ray 30", "ray 64", ...rangeColumns.slice(2), "leaves", "bad-1", "bad-3"];

function pairRow(pair: PairResult): Row {
  const { voxel_size_m: voxelSizeM, p50_ms } = pair;
  const ms = p50_ms["total"]?.toFixed(1) ?? "-";
  return [pair.pair, voxelSizeM === undefined ? "-" : `${voxelSizeM} m`, ...cells(pair), ms];
}

function cells({ score, leaves_evaluated, disparity }: Scores): Row {
  const voxels =
    score === undefined
      ? Array<string>(columns.length - 2).fill("-")
      : [
          ...[score.iou_15m, score.iou_32m, score.iou_ray_15m, score.iou_ray_32m].map(third),
          ...scoreCells(score),
          leaves_evaluated === undefined ? "-" : percent(leaves_evaluated),
        ];
  return [...voxels, ...(disparity === undefined ? ["-", "-"] : [disparity.bad_1, disparity.bad_3].map(percent))];
}

function rangeCells(score: Score): Row {
  return [third(score.iou), third(score.iou_ray), ...scoreCells(score)];
}

function scoreCells(score: Omit<Score, "iou" | "iou_all" | "iou_ray">): Row {
  return [
    third(score.recall),
    third(score.precision),
    percent(score.missed),
    percent(score.free_violation),
    score.chamfer_m === undefined ? "-" : `${score.chamfer_m.toFixed(3)} m`,
    score.chamfer_paper_m2 === undefined ? "-" : `${score.chamfer_paper_m2.toFixed(3)} m2`,
    third(score.calibration_error),
  ];
}

/** The first column to the left, the others to the right. */
function tableOf(head: Row, lines: readonly Row[]): string {
  const rows = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: Row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  ");
  return rows.map((row) => `${line(row)}\n`).join("");
}

function third(value: number | undefined): string {
  return value?.toFixed(3) ?? "-";
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
