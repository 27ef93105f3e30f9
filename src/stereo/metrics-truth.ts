import type { StereoCalibration } from "../core/calibration.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { Points } from "./ground-truth.ts";

/** Half the least footprint of a voxel, pixels of the truth: how far a measurement speaks for its surroundings. */
const MIN_REACH_PX = 4;

/** What the truth says of each leaf voxel, index (x * sizeY + y) * sizeZ + z; 1 = yes. */
export interface TruthVoxels {
  /** The voxel's centre projects into the image. */
  readonly seen: Uint8Array;
  /** Seen, and a surface point lies inside. */
  readonly occupied: Uint8Array;
  /** Seen, and a surface point projects into the voxel's footprint. */
  readonly judged: Uint8Array;
  /** Seen, no surface, and a ray to a surface point crosses it more than 1.5 voxels before its end. */
  readonly free: Uint8Array;
}

/** Samples along a ray, from 1/100 of its length to its end. */
const RAY_SAMPLES = 200;
/** More rays than this are thinned evenly. The judge draws as many at random, so its figures differ in the third digit. */
const MOST_RAYS = 20_000;

/** Definitions of shared/eval/voxel_score.py. */
export function truthVoxels(grid: OctreeGrid, points: Points, calibration: StereoCalibration): TruthVoxels {
  const cells = grid.size[0] * grid.size[1] * grid.size[2];
  const truth = {
    seen: new Uint8Array(cells),
    occupied: new Uint8Array(cells),
    judged: new Uint8Array(cells),
    free: new Uint8Array(cells),
  };
  const inGrid = new Int32Array(points.length / 3);
  for (let i = 0; i < inGrid.length; i += 1) {
    inGrid[i] = voxelAt(grid, points[i * 3]!, points[i * 3 + 1]!, points[i * 3 + 2]!);
    if (inGrid[i]! >= 0) truth.occupied[inGrid[i]!] = 1;
  }
  seeInto(truth.seen, truth.judged, grid, points, calibration);
  castRaysInto(truth.free, grid, points, inGrid);
  for (let i = 0; i < cells; i += 1) {
    truth.occupied[i]! &= truth.seen[i]!;
    truth.free[i]! &= truth.seen[i]! & (1 - truth.occupied[i]!);
  }
  return truth;
}

/**
 * The same from dense labels of every leaf (training/voxeltrain/labels.py: 0 unknown, 1 free, 2 occupied, 3 out of
 * view). Every voxel in view is judged; free are those through which most of the exact rays pass.
 */
export function labelledVoxels(labels: Uint8Array): TruthVoxels {
  const seen = labels.map((label) => (label === 3 ? 0 : 1));
  const only = (wanted: number) => labels.map((label) => (label === wanted ? 1 : 0));
  return { seen, judged: seen, occupied: only(2), free: only(1) };
}

/** Index of the leaf voxel around a point; -1 outside. */
function voxelAt(grid: OctreeGrid, x: number, y: number, z: number): number {
  const { voxelSizeM: v, origin, size } = grid;
  const i = Math.floor((x - origin[0] * v) / v);
  const j = Math.floor((y - origin[1] * v) / v);
  const k = Math.floor((z - origin[2] * v) / v);
  if (!(i >= 0 && i < size[0] && j >= 0 && j < size[1] && k >= 0 && k < size[2])) return -1;
  return (i * size[1] + j) * size[2] + k;
}

function seeInto(
  seen: Uint8Array,
  judged: Uint8Array,
  grid: OctreeGrid,
  points: Points,
  calibration: StereoCalibration,
): void {
  const { fx, fy, cx, cy, width, height } = calibration;
  const { voxelSizeM: v, origin, size } = grid;
  const hasPixelWithin = pixelIndex(points, calibration);
  let at = 0;
  for (let i = 0; i < size[0]; i += 1) {
    const x = origin[0] * v + (i + 0.5) * v;
    for (let j = 0; j < size[1]; j += 1) {
      const y = origin[1] * v + (j + 0.5) * v;
      for (let k = 0; k < size[2]; k += 1, at += 1) {
        const z = Math.max(origin[2] * v + (k + 0.5) * v, 1e-6);
        const px = (fx * x) / z + cx;
        const py = (fy * y) / z + cy;
        if (!(px >= 0 && px < width && py >= 0 && py < height)) continue;
        seen[at] = 1;
        const reachPx = Math.max(MIN_REACH_PX, (fx * v) / 2 / Math.max(z, 0.1));
        judged[at] = hasPixelWithin(px, py, reachPx) ? 1 : 0;
      }
    }
  }
}

const BUCKET_PX = 16;

/** Answers whether a surface point projects to within a radius of a pixel: points sorted into squares of 16 pixels. */
function pixelIndex(points: Points, calibration: StereoCalibration): (u: number, v: number, radius: number) => boolean {
  const { fx, fy, cx, cy, width, height } = calibration;
  const columns = Math.ceil(width / BUCKET_PX) + 1;
  const rows = Math.ceil(height / BUCKET_PX) + 1;
  const column = (u: number) => Math.max(0, Math.min(columns - 1, Math.floor(u / BUCKET_PX)));
  const row = (v: number) => Math.max(0, Math.min(rows - 1, Math.floor(v / BUCKET_PX)));
  const n = points.length / 3;
  const us = new Float64Array(n);
  const vs = new Float64Array(n);
  const next = new Int32Array(n);
  const first = new Int32Array(columns * rows).fill(-1);
  for (let i = 0; i < n; i += 1) {
    const z = points[i * 3 + 2]!;
    us[i] = (fx * points[i * 3]!) / z + cx;
    vs[i] = (fy * points[i * 3 + 1]!) / z + cy;
    const bucket = row(vs[i]!) * columns + column(us[i]!);
    next[i] = first[bucket]!;
    first[bucket] = i;
  }
  return (u, v, radius) => {
    const lastColumn = column(u + radius);
    const lastRow = row(v + radius);
    for (let r = row(v - radius); r <= lastRow; r += 1) {
      for (let c = column(u - radius); c <= lastColumn; c += 1) {
        for (let i = first[r * columns + c]!; i >= 0; i = next[i]!) {
          const du = us[i]! - u;
          const dv = vs[i]! - v;
          if (Math.sqrt(du * du + dv * dv) <= radius) return true;
        }
      }
    }
    return false;
  };
}

function castRaysInto(free: Uint8Array, grid: OctreeGrid, points: Points, inGrid: Int32Array): void {
  let rays = 0;
  for (let i = 0; i < inGrid.length; i += 1) if (inGrid[i]! >= 0) rays += 1;
  const share = Math.min(1, MOST_RAYS / rays);
  const stepT = (1 - 0.01) / (RAY_SAMPLES - 1);
  let turn = 0;
  for (let i = 0; i < inGrid.length; i += 1) {
    if (inGrid[i]! < 0) continue;
    turn += 1;
    if (Math.floor(turn * share) === Math.floor((turn - 1) * share)) continue;
    const x = points[i * 3]!;
    const y = points[i * 3 + 1]!;
    const z = points[i * 3 + 2]!;
    const length = Math.sqrt(x * x + y * y + z * z);
    for (let s = 0; s < RAY_SAMPLES; s += 1) {
      const t = s * stepT + 0.01;
      if (!(length * (1 - t) > 1.5 * grid.voxelSizeM)) break;
      const voxel = voxelAt(grid, x * t, y * t, z * t);
      if (voxel >= 0) free[voxel] = 1;
    }
  }
}
