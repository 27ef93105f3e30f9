import type { Image } from "../core/image.ts";
import type { Matcher } from "../infer/matcher.ts";
import { bad, type Finding, ok } from "./finding.ts";

/** How far rows of the right image are tried up and down, pixels. */
const reachPx = 8;
/** Parts of the image, each with a row error of its own: a turned eye errs up on one side and down on the other. */
const across = 3;
const down = 3;
/** Cells of 4x4 pixels (assembly/matcher/cells.ts): bytes of a cell, of its winner's cost / 4, of its contrast. */
const CELL = 128;
const COST = 121;
const CONTRAST = 123;
const leastContrast = 20;
const leastCells = 30;
/** A part counts only where matching on the best row costs this much less than on average: else nothing was matched. */
const sharpness = 0.8;

/** By how many pixels a point lies lower in the right image than in the left one, in each part of the image. */
export interface RowErrors {
  /** Row by row; undefined where too little was matched. Beyond `reachPx` there is no match. */
  readonly parts: readonly (number | undefined)[];
}

/**
 * From rectified grey pairs of one size: rows of the right image are moved up and down, and where the matching kernel finds
 * the least cost they lie right. Between whole rows the two flanks of the cost, straight lines, are brought to cross.
 * On rendered pairs the median is right to 0.1 px, a single part to 0.4 px.
 */
export function rowErrors(
  pairs: readonly { readonly left: Image; readonly right: Image }[],
  match: Matcher,
): RowErrors {
  const costs = Array.from({ length: across * down }, () => new Float64Array(2 * reachPx + 1));
  const counts = new Uint32Array(across * down);
  for (const { left, right } of pairs) {
    const { width, height } = left;
    const parts = partsOf(match(left.data, right.data, width, height).cells, width, height);
    for (const part of parts) if (part >= 0) counts[part]! += 1;
    for (let dy = -reachPx; dy <= reachPx; dy += 1) {
      const { cells } = match(left.data, movedUp(right, dy), width, height);
      for (const [i, part] of parts.entries()) if (part >= 0) costs[part]![dy + reachPx]! += cells[i * CELL + COST]!;
    }
  }
  return { parts: costs.map((cost, i) => (counts[i]! < leastCells ? undefined : lowest(cost))) };
}

/** The part that each cell counts for; -1: none (flat, padding, or next to rows that were moved in). */
function partsOf(cells: Uint8Array, width: number, height: number): Int8Array {
  const columns = ((width + 31) & ~31) / 4;
  const parts = new Int8Array(cells.length / CELL).fill(-1);
  const edge = reachPx / 4;
  const [w, h] = [Math.floor(width / 4), Math.floor(height / 4)];
  for (let y = edge; y < h - edge; y += 1) {
    for (let x = 0; x < w; x += 1) {
      const i = y * columns + x;
      if (cells[i * CELL + CONTRAST]! < leastContrast) continue;
      parts[i] = Math.floor((y * down) / h) * across + Math.floor((x * across) / w);
    }
  }
  return parts;
}

/** Rows y + dy in place of y; the edge rows are repeated. */
function movedUp({ width, height, data }: Image, dy: number): Uint8Array {
  if (dy === 0) return data;
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y += 1) {
    const from = Math.min(height - 1, Math.max(0, y + dy)) * width;
    out.set(data.subarray(from, from + width), y * width);
  }
  return out;
}

function lowest(cost: Float64Array): number | undefined {
  const mean = cost.reduce((sum, one) => sum + one, 0) / cost.length;
  const best = cost.indexOf(Math.min(...cost));
  if (best === 0 || best === cost.length - 1 || cost[best]! > sharpness * mean) return undefined;
  const [before, here, after] = [cost[best - 1]!, cost[best]!, cost[best + 1]!];
  return best - reachPx + (before - after) / (2 * (Math.max(before, after) - here));
}

/** `wasRectifiedHere`: the images were raw, so that K, D, R and P are to blame and not a driver. */
export function rowErrorFinding({ parts }: RowErrors, wasRectifiedHere: boolean): Finding {
  const name = "rectification";
  const known = parts.filter((part) => part !== undefined);
  if (known.length < 3) {
    const seen = `no rows of left and right were found to match, within ${reachPx} px up or down`;
    const remedy =
      "Look at the pictures: textured scene, left and right not swapped, both of the same rig? If so, calibrate the pair anew.";
    return bad("warn", name, seen, remedy);
  }
  const sizes = known.map(Math.abs).sort((a, b) => a - b);
  const [medianPx, worstPx] = [sizes[sizes.length >> 1]!, sizes[sizes.length - 1]!];
  const figures = { row_error_px_median: medianPx, row_error_px_worst: worstPx, parts: known.length };
  const seen = `points lie ${medianPx.toFixed(2)} px off their row at the median, ${worstPx.toFixed(2)} px in the worst of ${known.length} parts of the image`;
  if (worstPx <= 1 && medianPx <= 0.5) return ok(name, seen, figures);
  const blame = wasRectifiedHere
    ? "The images were rectified here, by K, D, R and P of CameraInfo"
    : "The images were taken as rectified (`--rectify on` has them rectified here)";
  const remedy = `${blame}. Calibrate the pair anew (camera_calibration with --stereo), and check that nothing has moved since.`;
  // Two rows off, a census window has little in common with its match.
  return bad(medianPx > 1.5 ? "fail" : "warn", name, `${seen}; wanted 0.5 and 1`, remedy, figures);
}
