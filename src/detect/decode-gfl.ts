import type { Answer, Canvas } from "./answer.ts";
import type { Candidates } from "./candidates.ts";

/** Rows of one stride: the scores begin at `scoresAt` + row * scoresRow, the distances likewise. */
interface Level {
  readonly scores: Float32Array;
  readonly scoresRow: number;
  readonly distances: Float32Array;
  readonly distancesAt: number;
  readonly distancesRow: number;
  readonly firstRow: number;
}

/** NanoDet and PicoDet have four distributions of this many values each: 0 to 7 cells. */
export const BINS = 8;

/**
 * Generalised focal loss heads with an answer pair for each stride: scores [.., cells, C] (0..1), then distances
 * [.., cells, 4 * 8] in the same order of strides. A cell's point is at (x + 0.5, y + 0.5) cells.
 */
export function decodeGflPairs(strides: readonly number[]) {
  return (out: Candidates, answers: readonly Answer[], canvas: Canvas): void => {
    for (let i = 0; i < strides.length; i += 1) {
      const scores = answers[i]!;
      const distances = answers[strides.length + i]!;
      const level = {
        scores: scores.data,
        scoresRow: scores.dims.at(-1)!,
        distances: distances.data,
        distancesAt: 0,
        distancesRow: distances.dims.at(-1)!,
        firstRow: 0,
      };
      decodeLevel(out, level, level.scoresRow, strides[i]!, 0.5, canvas);
    }
  };
}

/** NanoDet-Plus: one answer [1, cells of all strides, C + 4 * 8]; a cell's point is its upper left corner. */
export function decodeGflJoined(strides: readonly number[]) {
  return (out: Candidates, [answer]: readonly Answer[], canvas: Canvas): void => {
    const { data, dims } = answer!;
    const row = dims[2]!;
    const classes = row - 4 * BINS;
    let firstRow = 0;
    for (const stride of strides) {
      const level = {
        scores: data,
        scoresRow: row,
        distances: data,
        distancesAt: classes,
        distancesRow: row,
        firstRow,
      };
      firstRow += decodeLevel(out, level, classes, stride, 0, canvas);
    }
  };
}

/** Returns how many cells the stride has. */
function decodeLevel(
  out: Candidates,
  { scores, scoresRow, distances, distancesAt, distancesRow, firstRow }: Level,
  classes: number,
  stride: number,
  offset: number,
  { width, height }: Canvas,
): number {
  const [columns, rows] = [Math.ceil(width / stride), Math.ceil(height / stride)];
  for (let cell = 0; cell < rows * columns; cell += 1) {
    const scoreAt = (firstRow + cell) * scoresRow;
    for (let c = 0; c < classes; c += 1) {
      const score = scores[scoreAt + c]!;
      if (!(score >= out.minScore) || !out.wants(c)) continue;
      const y = Math.floor(cell / columns);
      const cx = (cell - y * columns + offset) * stride;
      const cy = (y + offset) * stride;
      const at = distancesAt + (firstRow + cell) * distancesRow;
      const left = cx - expected(distances, at) * stride;
      const top = cy - expected(distances, at + BINS) * stride;
      const right = cx + expected(distances, at + 2 * BINS) * stride;
      out.add(score, c, left, top, right, cy + expected(distances, at + 3 * BINS) * stride);
    }
  }
  return rows * columns;
}

/** Mean of the distribution whose logits begin at `at`. */
function expected(logits: Float32Array, at: number): number {
  let most = logits[at]!;
  for (let i = 1; i < BINS; i += 1) most = Math.max(most, logits[at + i]!);
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < BINS; i += 1) {
    const weight = Math.exp(logits[at + i]! - most);
    sum += weight;
    weighted += i * weight;
  }
  return weighted / sum;
}
