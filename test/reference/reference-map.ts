import { FREE, OCCUPIED, type OctreeFrame, type State, UNKNOWN } from "../../src/core/occupancy.ts";
import { invert, type Transform } from "../../src/core/transform.ts";
import { logOdds } from "../../src/octree/log-odds.ts";
import { type MapOptions, mapDefaults } from "../../src/octree/map-options.ts";
import type { PointList } from "../../src/octree/points.ts";
import { cellsOfRay } from "./ray-cells.ts";

interface Cell {
  /** Log-odds. */
  value: number;
  seenS: number;
  decayedS: number;
}

type Key = readonly [number, number, number];

/**
 * The map by its rules and nothing else: a dictionary from key text to cell, every rule spelled out, slow. No memory
 * cap. Log-odds are rounded to the same step as the map's.
 */
export class ReferenceMap {
  readonly options: MapOptions;
  readonly cells = new Map<string, Cell>();
  #firstNs: bigint | undefined;

  constructor(options: Partial<MapOptions> = {}) {
    this.options = { ...mapDefaults, ...options };
  }

  insertFrame(frame: OctreeFrame, T_map_camera: Transform, stampNs: bigint): void {
    this.#firstNs ??= stampNs;
    const nowS = Number(stampNs - this.#firstNs) * 1e-9;
    this.#dropOutside([T_map_camera[3]!, T_map_camera[7]!, T_map_camera[11]!]);
    this.#decay(nowS);
    const hits = new Map<string, number>();
    const misses = new Map<string, number>();
    for (let i = 0; i < frame.count; i += 1) {
      const p = Math.round(frame.pOccupied[i]! * 255) / 255;
      if (frame.state[i] === OCCUPIED) {
        const gain = this.#limited(p, this.options.hit);
        for (const key of cellsOf(frame, i, T_map_camera, this.options.resolutionM, true)) {
          hits.set(key, Math.max(gain, hits.get(key) ?? Number.NEGATIVE_INFINITY));
        }
      } else if (frame.state[i] === FREE) {
        const loss = this.#limited(p, this.options.miss);
        for (const key of cellsOf(frame, i, T_map_camera, this.options.resolutionM, false)) {
          misses.set(key, Math.min(loss, misses.get(key) ?? Number.POSITIVE_INFINITY));
        }
      }
    }
    for (const [key, change] of hits) this.#change(key, change, nowS);
    for (const [key, change] of misses) if (!hits.has(key)) this.#change(key, change, nowS);
  }

  insertPoints(
    points: PointList,
    origin: ArrayLike<number>,
    stampNs: bigint,
    maxRangeM = Number.POSITIVE_INFINITY,
  ): void {
    this.#firstNs ??= stampNs;
    const nowS = Number(stampNs - this.#firstNs) * 1e-9;
    const from = [0, 1, 2].map((a) => Math.fround(origin[a]!)) as unknown as Key;
    this.#dropOutside(from);
    this.#decay(nowS);
    const hits = new Set<string>();
    const misses = new Set<string>();
    for (let i = 0; i < points.count; i += 1) {
      const end = Array.from(points.xyz.subarray(i * 3, i * 3 + 3)) as unknown as Key;
      if (!end.every(Number.isFinite)) continue;
      const { free, hit } = cellsOfRay(from, end, maxRangeM, this.options.resolutionM);
      if (hit !== undefined) hits.add(hit);
      for (const key of free) misses.add(key);
    }
    for (const key of hits) this.#change(key, steps(logOdds(this.options.hit)), nowS);
    for (const key of misses) if (!hits.has(key)) this.#change(key, steps(logOdds(this.options.miss)), nowS);
  }

  stateAt(x: number, y: number, z: number): State {
    const value = this.logOddsAt(x, y, z);
    return value === undefined ? UNKNOWN : value >= logOdds(this.options.occupancyThreshold) ? OCCUPIED : FREE;
  }

  logOddsAt(x: number, y: number, z: number): number | undefined {
    const res = this.options.resolutionM;
    return this.cells.get([x, y, z].map((v) => Math.floor(v / res)).join(" "))?.value;
  }

  clearBox(min: ArrayLike<number>, max: ArrayLike<number>): number {
    let cleared = 0;
    for (const key of [...this.cells.keys()]) {
      const centre = centreOfText(key, this.options.resolutionM);
      if (centre.every((v, a) => v >= min[a]! - 1e-9 && v <= max[a]! + 1e-9) && this.cells.delete(key)) cleared += 1;
    }
    return cleared;
  }

  reset(): void {
    this.cells.clear();
    this.#firstNs = undefined;
  }

  /** Centres of the cells of a state, as text, sorted. */
  list(state: State): string[] {
    const centres = [...this.cells.keys()].map((key) => centreOfText(key, this.options.resolutionM));
    return centres
      .filter(([x, y, z]) => this.stateAt(x, y, z) === state)
      .map(textOf)
      .sort();
  }

  query(xyz: Float64Array): { state: State[]; logOdds: number[] } {
    const points = Array.from(
      { length: xyz.length / 3 },
      (_, i) => [xyz[i * 3]!, xyz[i * 3 + 1]!, xyz[i * 3 + 2]!] as const,
    );
    return {
      state: points.map((p) => this.stateAt(...p)),
      logOdds: points.map((p) => this.logOddsAt(...p) ?? Number.NaN),
    };
  }

  /** Centre and probability, as text, sorted. */
  box(min: ArrayLike<number>, max: ArrayLike<number>): string[] {
    const inBox = [...this.cells]
      .map(([key, { value }]) => ({ centre: centreOfText(key, this.options.resolutionM), value }))
      .filter(({ centre }) => centre.every((v, a) => v >= min[a]! - 1e-9 && v <= max[a]! + 1e-9));
    return inBox.map(({ centre, value }) => `${textOf(centre)} ${(1 / (1 + Math.exp(-value))).toFixed(2)}`).sort();
  }

  #limited(p: number, most: number): number {
    const heard = steps(logOdds(Math.min(Math.max(p, 1e-6), 1 - 1e-6)));
    const limit = steps(logOdds(most));
    const least = steps(limit / 4);
    return limit > 0 ? Math.min(limit, Math.max(least, heard)) : Math.max(limit, Math.min(least, heard));
  }

  #change(key: string, change: number, nowS: number): void {
    if (!this.#isInside(key)) return;
    const before = this.cells.get(key)?.value ?? 0;
    const [low, high] = [steps(logOdds(this.options.clampMin)), steps(logOdds(this.options.clampMax))];
    const value = Math.min(high, Math.max(low, before + change));
    this.cells.set(key, { value, seenS: nowS, decayedS: nowS });
  }

  #centre: Key = [0, 0, 0];

  #dropOutside(camera: Key): void {
    this.#centre = camera.map((v) => brickOf(Math.floor(v / this.options.resolutionM))) as unknown as Key;
    for (const key of [...this.cells.keys()]) if (!this.#isInside(key)) this.cells.delete(key);
  }

  #isInside(key: string): boolean {
    const half = Math.ceil(this.options.windowM / 2 / (this.options.resolutionM * 8));
    return key.split(" ").every((k, a) => Math.abs(brickOf(Number(k)) - this.#centre[a]!) <= half);
  }

  #decay(nowS: number): void {
    const { decayAfterS, decayPerS } = this.options;
    if (decayPerS === 0) return;
    for (const [key, cell] of [...this.cells]) {
      const fromS = Math.max(cell.seenS + decayAfterS, cell.decayedS);
      if (fromS >= nowS) continue;
      const rest = Math.abs(cell.value) - steps((nowS - fromS) * decayPerS);
      if (rest > 1e-9) this.cells.set(key, { ...cell, value: Math.sign(cell.value) * rest, decayedS: nowS });
      else this.cells.delete(key);
    }
  }
}

export function textOf(centre: readonly number[]): string {
  return centre.map((v) => v.toFixed(4)).join(" ");
}

/** Keys (root 0) of the map cells that frame cell `i` speaks for: centres inside it, and its own centre's cell. */
function cellsOf(frame: OctreeFrame, i: number, T: Transform, res: number, withCentre: boolean): Set<string> {
  const { grid } = frame;
  const edge = 2 ** (grid.levels - 1 - frame.level[i]!);
  const corner = [frame.x[i]! * edge, frame.y[i]! * edge, frame.z[i]! * edge];
  const centre = corner.map((c, a) => (grid.origin[a]! + c + edge / 2) * grid.voxelSizeM);
  const inMap = apply(T, centre);
  const reach = Math.ceil((edge * grid.voxelSizeM * Math.sqrt(3)) / 2 / res) + 1;
  const middle = inMap.map((v) => Math.floor(v / res));
  const T_camera_map = invert(T);
  const found = new Set<string>(withCentre ? [middle.join(" ")] : []);
  for (let x = middle[0]! - reach; x <= middle[0]! + reach; x += 1) {
    for (let y = middle[1]! - reach; y <= middle[1]! + reach; y += 1) {
      for (let z = middle[2]! - reach; z <= middle[2]! + reach; z += 1) {
        const point = apply(T_camera_map, [(x + 0.5) * res, (y + 0.5) * res, (z + 0.5) * res]);
        const inside = point.every((v, a) => {
          const leaf = v / grid.voxelSizeM - grid.origin[a]! - corner[a]!;
          return leaf >= 0 && leaf < edge;
        });
        if (inside) found.add([x, y, z].join(" "));
      }
    }
  }
  return found;
}

function apply(T: Transform, p: readonly number[]): number[] {
  return [0, 4, 8].map((r) => T[r]! * p[0]! + T[r + 1]! * p[1]! + T[r + 2]! * p[2]! + T[r + 3]!);
}

function centreOfText(key: string, res: number): [number, number, number] {
  return key.split(" ").map((k) => (Number(k) + 0.5) * res) as [number, number, number];
}

function brickOf(key: number): number {
  return Math.floor(key / 8);
}

/** Rounds to whole steps of 2^-12, as the map holds log-odds. */
function steps(value: number): number {
  return Math.round(value * 4096) / 4096;
}
