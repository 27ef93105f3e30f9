import { CELL_PX, type SolidView } from "./solid-view.ts";

/**
 * What the solid voxels say of a detection:
 * `upright` something solid stands there, apart from what is around it; `flat` the surface goes on to the left, to the right
 * and above, as it does around a picture on a wall or on the ground; `small` something stands there, but far too small for
 * what it is said to be; `empty` solid voxels are seen far behind where an object of its class would be, and none there; `unknown`
 * the voxels cannot tell.
 */
export const supports = ["unknown", "upright", "flat", "small", "empty"] as const;
export type Support = (typeof supports)[number];

export interface Evidence {
  readonly support: Support;
  /** Share of the box, without its edges, that has solid voxels at about one depth, 0..1. */
  readonly share: number;
  /** Depth of those, metres along the optical axis; NaN where there are none. */
  readonly depthM: number;
}

/** Where in the box the object is looked for, as shares of its size: the edges show what is behind, the feet the ground. */
const INNER = { left: 0.2, right: 0.8, top: 0.1, bottom: 0.8 };
/** How wide the strip to each side and above is that is looked at, as a share of the box; at least a voxel. */
const STRIP = 0.45;
/** Share of the inner part that must be solid, and share of its rows that must go on to both sides to be flat. */
const SOLID = 0.35;
const FLAT = 0.7;
/** An object lower than this share of its class's usual height is something else. */
const SMALL = 0.3;
/** What covers less of the box than this may be something before the object. */
const WHOLE = 0.75;
/** What lies at this many times the depth that an object of the class would have is behind it. */
const BEYOND = 2;
/** Nothing is called empty beyond this share of the range: far voxels are missed now and then. */
const SURE_RANGE = 0.6;

/** Voxels round depths: the ground may rise faster than its rows in the box say. */
const SLOPE_SLACK = 1.4;

/** Usual heights of things that stand on the ground, metres, by the names of COCO's classes. */
const heightM: Readonly<Record<string, number>> = {
  person: 1.7,
  bicycle: 1.1,
  car: 1.5,
  motorcycle: 1.2,
  bus: 3,
  train: 3.5,
  truck: 2.8,
  "traffic light": 0.8,
  "fire hydrant": 0.75,
  "stop sign": 0.75,
  bench: 0.85,
  dog: 0.55,
  horse: 1.7,
  cow: 1.5,
};

/**
 * Judges a box (left, top, right, bottom, pixels of the left image) against the voxels of the same frame. `rangeM`: how far
 * voxels are reported.
 */
export function judge(solid: SolidView, box: ArrayLike<number>, className: string, rangeM: number): Evidence {
  const [x0, y0, x1, y1] = [box[0]!, box[1]!, box[2]!, box[3]!];
  const [width, height] = [x1 - x0, y1 - y0];
  const rows = cellsOf(y0 + INNER.top * height, y0 + INNER.bottom * height);
  const columns = cellsOf(x0 + INNER.left * width, x0 + INNER.right * width);
  let solidCount = 0;
  let inside = 0;
  for (let row = rows.first; row <= rows.last; row += 1) {
    for (let column = columns.first; column <= columns.last; column += 1) {
      const depth = solid.at(row, column);
      if (Number.isNaN(depth)) continue;
      inside += 1;
      if (depth < Number.POSITIVE_INFINITY) solid.scratch[solidCount++] = depth;
    }
  }
  const depths = solid.scratch.subarray(0, solidCount).sort();
  const { from, count } = densest(depths, solid.voxelSizeM);
  const share = inside === 0 ? 0 : count / inside;
  const depthM = count === 0 ? Number.NaN : depths[from + (count >> 1)]!;
  // The ground in the box is solid at many depths.
  const isSolid = depths.length > SOLID * inside;
  if (isSolid && isFlat(solid, box, rows, columns, depthM, rangeM)) return { support: "flat", share, depthM };
  const isCut = x0 <= 1 || y0 <= 1 || x1 >= solid.view.width - 1 || y1 >= solid.view.height - 1;
  const usualM = isCut ? undefined : heightM[className];
  if (usualM === undefined) return share < SOLID ? nothing("unknown", share) : { support: "upright", share, depthM };
  const expectedM = (solid.view.fy * usualM) / height;
  let nearer = 0;
  while (nearer < solidCount && depths[nearer]! <= BEYOND * expectedM) nearer += 1;
  const isBehind = solidCount - nearer > SOLID * inside;
  const behind = isBehind && expectedM < SURE_RANGE * rangeM ? "empty" : "unknown";
  if (share < SOLID || depthM > BEYOND * expectedM) return nothing(behind, share);
  if (depthM >= SMALL * expectedM) return { support: "upright", share, depthM };
  // Something else may stand before a part of it.
  return share < WHOLE ? nothing("unknown", share) : { support: "small", share, depthM };
}

function nothing(support: Support, share: number): Evidence {
  return { support, share, depthM: Number.NaN };
}

interface Cells {
  readonly first: number;
  readonly last: number;
}

/** Cells with their centres within the pixels, at least one. */
function cellsOf(fromPx: number, toPx: number): Cells {
  const middle = Math.floor((fromPx + toPx) / 2 / CELL_PX);
  const first = Math.min(Math.ceil(fromPx / CELL_PX - 0.5), middle);
  return { first, last: Math.max(Math.floor(toPx / CELL_PX - 0.5), middle) };
}

/** The nearest run of sorted depths, a few voxels deep, that holds half of what the fullest one does. */
function densest(depths: Float32Array, voxelM: number): { readonly from: number; readonly count: number } {
  const most = firstRun(depths, voxelM, depths.length + 1).most;
  const { from, count } = firstRun(depths, voxelM, most / 2);
  return { from, count };
}

/** The first run of at least `enough` depths, and how many the fullest run up to there holds. */
function firstRun(depths: Float32Array, voxelM: number, enough: number) {
  let most = 0;
  for (let from = 0, to = 0; from < depths.length; from += 1) {
    const limit = depths[from]! + Math.max(2.01 * voxelM, 0.1 * depths[from]!);
    while (to < depths.length && depths[to]! <= limit) to += 1;
    most = Math.max(most, to - from);
    if (to - from >= enough) return { from, count: to - from, most };
  }
  return { from: 0, count: 0, most };
}

/** Whether the surface in the box goes on to both sides and above it. */
function isFlat(
  solid: SolidView,
  box: ArrayLike<number>,
  rows: Cells,
  columns: Cells,
  depthM: number,
  rangeM: number,
): boolean {
  const [x0, y0, x1, y1] = [box[0]!, box[1]!, box[2]!, box[3]!];
  // The voxels of what is in the box may reach out of it by their size.
  const voxelPx = (solid.view.fx * solid.voxelSizeM) / depthM;
  const stripPx = voxelPx + Math.max(voxelPx, CELL_PX, STRIP * (x1 - x0));
  const left = cellsOf(x0 - stripPx, x0 - voxelPx);
  const right = cellsOf(x1 + voxelPx, x1 + stripPx);
  let judged = 0;
  let goesOn = 0;
  for (let row = rows.first; row <= rows.last; row += 1) {
    const here = nearest(solid, row, columns);
    if (!(here < Number.POSITIVE_INFINITY)) continue;
    const sides = [reaches(solid, row, left, here), reaches(solid, row, right, here)];
    if (sides.every((reached) => reached === undefined)) continue;
    judged += 1;
    if (!sides.includes(false)) goesOn += 1;
  }
  if (judged === 0 || goesOn < FLAT * judged) return false;
  const above = Math.floor((y0 - voxelPx - Math.max(CELL_PX, (STRIP * (y1 - y0)) / 4)) / CELL_PX);
  const top = nearest(solid, rows.first, columns);
  const over = nearest(solid, above, columns);
  // Along a plane the inverse depth is linear in the rows: constant on a wall, falling to the horizon on the ground. A
  // small box is as high as a voxel: what lies below it helps.
  const under = Math.floor((y1 + 2 * CELL_PX) / CELL_PX);
  const slope = Math.max(risingTo(solid, rows.last, rows.first, columns), risingTo(solid, under, rows.first, columns));
  const expected = 1 / top - SLOPE_SLACK * slope * (rows.first - above);
  if (Number.isNaN(over) || expected <= 1 / (SURE_RANGE * rangeM)) return true;
  return over <= 1 / expected + stepM(solid, 1 / expected);
}

/** By how much the inverse depth falls for each row from a lower one up to a higher one; 0 where it does not. */
function risingTo(solid: SolidView, low: number, high: number, columns: Cells): number {
  const fall = 1 / nearest(solid, low, columns) - 1 / nearest(solid, high, columns);
  return low > high && fall > 0 ? fall / (low - high) : 0;
}

/** A step in depth that two voxels of the same surface do not make. */
function stepM(solid: SolidView, depthM: number): number {
  return Math.max(1.01 * solid.voxelSizeM, 0.06 * depthM);
}

/**
 * Whether the nearest of the cells lies at about a depth, or half of them do: single voxels before a wall leave it flat. Those
 * outside of the image do not count; undefined where all are.
 */
function reaches(solid: SolidView, row: number, columns: Cells, depthM: number): boolean | undefined {
  const closest = nearest(solid, row, columns);
  if (Number.isNaN(closest)) return undefined;
  const step = stepM(solid, depthM);
  if (Math.abs(closest - depthM) <= step) return true;
  let there = 0;
  let away = 0;
  for (let column = columns.first; column <= columns.last; column += 1) {
    const apart = Math.abs(solid.at(row, column) - depthM);
    if (apart <= step) there += 1;
    else if (apart > step) away += 1;
  }
  return there >= away;
}

/** NaN where all are outside of the image. */
function nearest(solid: SolidView, row: number, columns: Cells): number {
  let depth = Number.NaN;
  for (let column = columns.first; column <= columns.last; column += 1) {
    const found = solid.at(row, column);
    if (Number.isNaN(depth) || found < depth) depth = found;
  }
  return depth;
}
