import { Fault } from "../core/fault.ts";
import { OCCUPIED } from "../core/occupancy.ts";
import { BRICK_CELLS, BRICK_COUNT, BRICK_EDGE, cellIndex, TREE_DEPTH } from "./key.ts";
import { LOG_ODDS_STEP, UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";
import type { OctomapFile } from "./octomap-file.ts";
import type { OctomapLeaves } from "./octomap-read.ts";

type Triple = [number, number, number];

export interface Replaced {
  /** Cells of the finest level that the map took from the file. */
  readonly loaded: number;
  /** Cells of the file that lie outside the map's window, or for which there was no memory. */
  readonly left: number;
}

/**
 * Puts a file's cells in the place of all that the map holds; those outside the window are left out. They count as seen
 * with the newest frame. Throws `Fault`, and leaves the map as it was, where the file has another resolution or none of
 * its cells lies in the window (MAP_MISMATCH), or where there are more than the map may hold (MAP_FULL).
 */
export function replaceCells(map: OccupancyMap, file: OctomapFile): Replaced {
  checkResolution(file, map.resolutionM);
  const { leaves } = file;
  let [inside, all] = [0, 0];
  for (let i = 0; i < leaves.count; i += 1) {
    const [[x0, x1], [y0, y1], [z0, z1]] = bricksOf(map, leaves, i);
    all += 2 ** (3 * (TREE_DEPTH - leaves.depth[i]!));
    if (x0 <= x1 && y0 <= y1 && z0 <= z1) inside += cellsWithin(leaves, i, [x0, y0, z0], [x1, y1, z1]);
  }
  if (inside === 0) throw nothingInside(map, all);
  const { maxBricks } = map.options;
  if (inside > maxBricks * BRICK_CELLS) {
    throw new Fault(`The map has ${inside} cells in the window; wanted at most ${maxBricks * BRICK_CELLS}.`, {
      code: "MAP_FULL",
      remedy: "Make map.window smaller, or save the map with a larger voxel size.",
    });
  }
  const { store, window } = map;
  store.clear();
  // What the window refused while the store was full, it may take now.
  window.beginFrame(window.centreX, window.centreY, window.centreZ);
  loadLeaves(map, leaves);
  let loaded = 0;
  for (let slot = 0; slot < store.count; slot += 1) loaded += store.known[slot]!;
  return { loaded, left: all - loaded };
}

/** Throws `Fault` MAP_MISMATCH where the file's cells are not of this size. */
export function checkResolution({ resolutionM }: Pick<OctomapFile, "resolutionM">, wantedM: number): void {
  // Files carry six digits.
  if (Math.abs(resolutionM / wantedM - 1) <= 1e-5) return;
  throw new Fault(`The map has cells of ${resolutionM} m; wanted ${wantedM} m.`, {
    code: "MAP_MISMATCH",
    remedy: `Give a map that was saved at this voxel size, or start with a voxel_size of ${resolutionM} m.`,
  });
}

/**
 * Puts leaves into a map, as OctoMap does on reading: with their log-odds where there are any, limited to the map's
 * clamping thresholds, else at these thresholds. Cells outside the map's window or beyond its brick cap are left out.
 * Returns how many cells were set.
 */
export function loadLeaves(map: OccupancyMap, leaves: OctomapLeaves): number {
  const { min, max } = map.evidence;
  let set = 0;
  for (let i = 0; i < leaves.count; i += 1) {
    const steps = leaves.logOdds && Math.round(leaves.logOdds[i]! / LOG_ODDS_STEP);
    const value = Math.min(Math.max(steps ?? (leaves.state[i] === OCCUPIED ? max : min), min), max);
    const [[x0, x1], [y0, y1], [z0, z1]] = bricksOf(map, leaves, i);
    for (let bz = z0; bz <= z1; bz += 1) {
      for (let by = y0; by <= y1; by += 1) {
        for (let bx = x0; bx <= x1; bx += 1) set += fillInBrick(map, bx, by, bz, leaves, i, value);
      }
    }
  }
  return set;
}

/** Bricks, first and last of each axis, that the leaf has in the window. */
function bricksOf({ window }: OccupancyMap, { keys, depth }: OctomapLeaves, i: number) {
  const edge = 2 ** (TREE_DEPTH - depth[i]!);
  const span = (key: number, centre: number): [number, number] => [
    Math.max(key >> 3, centre - window.halfBricks),
    Math.min((key + edge - 1) >> 3, centre + window.halfBricks),
  ];
  return [
    span(keys[i * 3]!, window.centreX),
    span(keys[i * 3 + 1]!, window.centreY),
    span(keys[i * 3 + 2]!, window.centreZ),
  ] as const;
}

/** Cells of the leaf in these bricks, first to last. */
function cellsWithin({ keys, depth }: OctomapLeaves, i: number, from: Triple, to: Triple): number {
  const edge = 2 ** (TREE_DEPTH - depth[i]!);
  let cells = 1;
  for (let a = 0; a < 3; a += 1) {
    const key = keys[i * 3 + a]!;
    cells *= Math.min(key + edge, (to[a]! + 1) * BRICK_EDGE) - Math.max(key, from[a]! * BRICK_EDGE);
  }
  return cells;
}

function fillInBrick(
  map: OccupancyMap,
  bx: number,
  by: number,
  bz: number,
  { keys, depth }: OctomapLeaves,
  i: number,
  value: number,
): number {
  const slot = map.window.ensure(bx, by, bz, map.nowS);
  if (slot < 0) return 0;
  const { store } = map;
  const edge = 2 ** (TREE_DEPTH - depth[i]!);
  const [fromX, fromY, fromZ] = [bx, by, bz].map((b, a) => Math.max(b * BRICK_EDGE, keys[i * 3 + a]!)) as Triple;
  const [toX, toY, toZ] = [bx, by, bz].map((b, a) => Math.min((b + 1) * BRICK_EDGE, keys[i * 3 + a]! + edge)) as Triple;
  for (let kz = fromZ; kz < toZ; kz += 1) {
    for (let ky = fromY; ky < toY; ky += 1) {
      for (let kx = fromX; kx < toX; kx += 1) {
        const at = slot * BRICK_CELLS + cellIndex(kx, ky, kz);
        if (store.logOdds[at] === UNKNOWN_CELL) store.known[slot]! += 1;
        store.logOdds[at] = value;
        store.seen[at] = map.frameNumber;
      }
    }
  }
  return (toX - fromX) * (toY - fromY) * (toZ - fromZ);
}

function nothingInside({ window, resolutionM }: OccupancyMap, cells: number): Fault {
  const remedy = "Give a map of the place where the robot is, in the frame of map.frame, or a larger map.window.";
  if (cells === 0) return new Fault("The map is empty.", { code: "MAP_MISMATCH", remedy });
  const brickM = BRICK_EDGE * resolutionM;
  const at = [window.centreX, window.centreY, window.centreZ]
    .map((b) => ((b - BRICK_COUNT / 2) * brickM).toFixed(0))
    .join(", ");
  const reach = (window.halfBricks * brickM).toFixed(0);
  return new Fault(
    `None of the ${cells} cells of the map lies within ${reach} m of the robot, which stands near (${at}) m.`,
    {
      code: "MAP_MISMATCH",
      remedy,
    },
  );
}
