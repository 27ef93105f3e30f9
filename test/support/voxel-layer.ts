import type { Transform } from "../../src/core/transform.ts";

/** What the layer reads from Nav2's parameter file, under Nav2's names. Metres. */
export interface LayerParameters {
  readonly origin_z: number;
  readonly z_resolution: number;
  readonly z_voxels: number;
  readonly mark_threshold: number;
  readonly unknown_threshold: number;
  readonly min_obstacle_height: number;
  readonly max_obstacle_height: number;
}

/** The same of one observation source. */
export interface SourceParameters {
  readonly min_obstacle_height: number;
  readonly max_obstacle_height: number;
  readonly obstacle_max_range?: number;
  readonly raytrace_max_range?: number;
}

/** Square of the global frame with its lower corner at (originXM, originYM). */
export interface LayerExtent {
  readonly originXM: number;
  readonly originYM: number;
  readonly widthM: number;
  readonly resolutionM: number;
}

export interface Observation {
  readonly source: SourceParameters;
  /** x, y, z of each point, global frame (z up), after the source's height filter. */
  readonly xyz: readonly (readonly [number, number, number])[];
  readonly origin: readonly [number, number, number];
}

export const LETHAL = 254;
export const FREE_SPACE = 0;
export const NO_INFORMATION = 255;

/**
 * A cloud as Nav2's observation buffer keeps it (observation_buffer.cpp): carried into the global frame, then cut by the
 * SOURCE's own height band, whether the source marks or clears. The ray origin is the origin of the cloud's frame.
 */
export function observe(points: Iterable<readonly number[]>, T: Transform, source: SourceParameters): Observation {
  const row = (p: readonly number[], r: number): number =>
    T[r]! * p[0]! + T[r + 1]! * p[1]! + T[r + 2]! * p[2]! + T[r + 3]!;
  const xyz = Array.from(points, (p) => [row(p, 0), row(p, 4), row(p, 8)] as [number, number, number]);
  const kept = xyz.filter(([, , z]) => z >= source.min_obstacle_height && z <= source.max_obstacle_height);
  return { source, xyz: kept, origin: [T[3]!, T[7]!, T[11]!] };
}

/**
 * Marking and clearing as Nav2's VoxelLayer publishes it (voxel_layer.cpp, voxel_grid.hpp): a column of at most 16 cells
 * for each cell of the costmap; rays are cleared first, from the sensor to two cells before each end point, cut at the
 * walls of the grid; then points are marked.
 */
export class VoxelLayer {
  readonly size: number;
  readonly costs: Uint8Array;
  readonly #marked: Uint16Array;
  readonly #unknown: Uint16Array;
  readonly #layer: LayerParameters;
  readonly #extent: LayerExtent;

  constructor(layer: LayerParameters, extent: LayerExtent) {
    if (layer.z_voxels > 16) throw new RangeError("a column has 16 cells at most");
    this.#layer = layer;
    this.#extent = extent;
    this.size = Math.round(extent.widthM / extent.resolutionM);
    this.costs = new Uint8Array(this.size ** 2).fill(NO_INFORMATION);
    this.#marked = new Uint16Array(this.size ** 2);
    this.#unknown = new Uint16Array(this.size ** 2).fill(0xffff);
  }

  update(clearing: readonly Observation[], marking: readonly Observation[]): void {
    for (const observation of clearing) this.#clear(observation);
    for (const observation of marking) this.#mark(observation);
  }

  /** Lethal cells whose centres lie in the box x0..x1, y0..y1. */
  lethalIn([x0, x1, y0, y1]: readonly [number, number, number, number]): number {
    const { originXM, originYM, resolutionM } = this.#extent;
    let count = 0;
    for (let y = 0; y < this.size; y += 1) {
      for (let x = 0; x < this.size; x += 1) {
        const [cx, cy] = [originXM + (x + 0.5) * resolutionM, originYM + (y + 0.5) * resolutionM];
        if (cx < x0 || cx > x1 || cy < y0 || cy > y1) continue;
        if (this.costs[y * this.size + x] === LETHAL) count += 1;
      }
    }
    return count;
  }

  #mark({ source, xyz, origin }: Observation): void {
    const { min_obstacle_height, max_obstacle_height, origin_z, mark_threshold } = this.#layer;
    for (const [x, y, z] of xyz) {
      if (z < min_obstacle_height || z > max_obstacle_height) continue;
      if (Math.hypot(x - origin[0], y - origin[1], z - origin[2]) >= (source.obstacle_max_range ?? 2.5)) continue;
      const cell = this.#cellOf(x, y, Math.max(z, origin_z));
      if (cell === undefined) continue;
      const [i, j, k] = cell.map(Math.floor) as [number, number, number];
      const at = j * this.size + i;
      this.#marked[at]! |= 1 << k;
      this.#unknown[at]! &= ~(1 << k);
      if (bits(this.#marked[at]!) > mark_threshold) this.costs[at] = LETHAL;
    }
  }

  #clear({ source, xyz, origin }: Observation): void {
    const from = this.#cellOf(...origin);
    // "Sensor origin is out of map bounds": Nav2 warns and clears nothing.
    if (from === undefined) return;
    for (const point of xyz) {
      const end = this.#cut(origin, point);
      const to = end === undefined ? undefined : this.#cellOf(...end);
      if (to !== undefined) this.#clearLine(from, to, (source.raytrace_max_range ?? 3) / this.#extent.resolutionM);
    }
  }

  /** Two cells before the point; where that lies outside, where the ray leaves the grid. */
  #cut(origin: readonly number[], point: readonly number[]): [number, number, number] | undefined {
    const { originXM, originYM, widthM, resolutionM } = this.#extent;
    const { origin_z, z_resolution, z_voxels } = this.#layer;
    const low = [originXM, originYM, origin_z];
    const high = [originXM + widthM, originYM + widthM, origin_z + z_voxels * z_resolution];
    const way = point.map((p, a) => p - origin[a]!);
    const distance = Math.hypot(...way);
    if (distance === 0) return undefined;
    const shorter = Math.max((distance - 2 * resolutionM) / distance, 0);
    let t = 1;
    for (let a = 0; a < 3; a += 1) {
      const d = way[a]! * shorter;
      if (origin[a]! + d > high[a]!) t = Math.min(t, (high[a]! - origin[a]! - (a === 2 ? 0.01 : 0)) / d);
      else if (origin[a]! + d < low[a]!) t = Math.min(t, (low[a]! - origin[a]!) / d);
    }
    if (t < 1) t = Math.max(t - 1e-5, 0);
    return way.map((w, a) => origin[a]! + w * shorter * t) as [number, number, number];
  }

  /** Bresenham in three dimensions: one cell for each step along the longest axis, not every cell that the line touches. */
  #clearLine(from: readonly number[], to: readonly number[], maxCells: number): void {
    const start = from.map(Math.floor);
    const delta = to.map((t, a) => Math.floor(t) - start[a]!);
    const lengths = delta.map(Math.abs);
    const steps = Math.max(...lengths);
    const length = Math.hypot(...to.map((t, a) => t - from[a]!));
    const end = Math.floor(steps * Math.min(1, length === 0 ? 1 : maxCells / length));
    const errors = lengths.map(() => Math.floor(steps / 2));
    const cell = [...start];
    for (let n = 0; n <= end; n += 1) {
      this.#clearCell(cell[0]!, cell[1]!, cell[2]!);
      for (let a = 0; a < 3; a += 1) {
        errors[a]! += lengths[a]!;
        if (steps > 0 && errors[a]! >= steps) {
          cell[a]! += Math.sign(delta[a]!);
          errors[a]! -= steps;
        }
      }
    }
  }

  #clearCell(i: number, j: number, k: number): void {
    const at = j * this.size + i;
    this.#marked[at]! &= ~(1 << k);
    this.#unknown[at]! &= ~(1 << k);
    if (bits(this.#marked[at]!) > this.#layer.mark_threshold) return;
    // Cells above z_voxels stay unknown for good; Nav2 raises the threshold by their number.
    const allowed = this.#layer.unknown_threshold + 16 - this.#layer.z_voxels;
    this.costs[at] = bits(this.#unknown[at]!) <= allowed ? FREE_SPACE : NO_INFORMATION;
  }

  /** In cells, not rounded; undefined outside. */
  #cellOf(x: number, y: number, z: number): [number, number, number] | undefined {
    const { originXM, originYM, resolutionM } = this.#extent;
    const { origin_z, z_resolution, z_voxels } = this.#layer;
    const cell = [(x - originXM) / resolutionM, (y - originYM) / resolutionM, (z - origin_z) / z_resolution] as const;
    const inside = cell.every((c, a) => c >= 0 && c < (a === 2 ? z_voxels : this.size));
    return inside ? [...cell] : undefined;
  }
}

function bits(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
