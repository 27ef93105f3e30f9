import { FREE, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import { invert, type Transform } from "../core/transform.ts";
import { rasterOf } from "./metrics.ts";
import { ratio } from "./metrics-tally.ts";

/** What a later frame says of voxels that an earlier one called occupied; counts of (voxel, earlier, later). */
export interface Verdicts {
  occupied: number;
  /** Free, though an occupied leaf is centred in one of the 26 voxels around it: the surface shifted by a voxel. */
  freeBesideOccupied: number;
  /** Free, and nothing occupied around it: the obstacle is gone. */
  freeAlone: number;
  unknown: number;
}

export interface SequenceScore {
  readonly frames: number;
  readonly range_m: number;
  readonly voxel_size_m: number;
  /** Of two consecutive frames, and of every two. */
  readonly next: VerdictScore;
  readonly later: VerdictScore;
}

export interface VerdictScore {
  readonly seen_again: number;
  /** Shares of `seen_again`. */
  readonly occupied: number;
  readonly free: number;
  readonly free_alone: number;
  readonly unknown: number;
}

/**
 * How far the answers of single frames agree in the world, with given poses. Space is cut into voxels of the leaf's size,
 * aligned with the axes of the world. Voxel w is occupied in frame i if the centre of an occupied leaf falls into it, and
 * free (unknown) in frame j if it is not occupied in j and the leaf around its centre is free (unknown) in j. w counts
 * for the frames i < j if it is occupied in i, its centre lies within the range of both cameras, and j answers for the
 * leaf around it (it is in view). No moving thing is taken out: what drives off counts as a contradiction.
 */
export class SequenceConsistency {
  readonly #rangeM: number;
  readonly #next: Verdicts = newVerdicts();
  readonly #later: Verdicts = newVerdicts();
  /** Occupied voxels: in how many frames so far, and in which one last. */
  readonly #history = new Map<number, { frames: number; last: number }>();
  #frames = 0;
  #voxelSizeM = 0;

  constructor(rangeM = 15) {
    this.#rangeM = rangeM;
  }

  add(frame: OctreeFrame, T_world_camera: Transform): void {
    const { grid } = frame;
    this.#voxelSizeM = grid.voxelSizeM;
    const raster = rasterOf(frame);
    const occupied = this.#occupiedIn(grid, raster.state, T_world_camera);
    const T_camera_world = invert(T_world_camera);
    for (const [key, seen] of this.#history) {
      const leaf = this.#leafAround(key, grid, T_camera_world);
      if (leaf < 0 || Number.isNaN(raster.pOccupied[leaf]!)) continue;
      const verdict = verdictOf(key, raster.state[leaf]!, occupied);
      this.#later[verdict] += seen.frames;
      if (seen.last === this.#frames - 1) this.#next[verdict] += 1;
    }
    for (const [key, isWithin] of occupied) {
      if (!isWithin) continue;
      const seen = this.#history.get(key);
      if (seen === undefined) this.#history.set(key, { frames: 1, last: this.#frames });
      else Object.assign(seen, { frames: seen.frames + 1, last: this.#frames });
    }
    this.#frames += 1;
  }

  score(): SequenceScore {
    const common = { frames: this.#frames, range_m: this.#rangeM, voxel_size_m: this.#voxelSizeM };
    return { ...common, next: scoreOf(this.#next), later: scoreOf(this.#later) };
  }

  /** World voxels with an occupied leaf's centre -> whether their own centre is within range of the camera. */
  #occupiedIn({ origin, size, voxelSizeM: v }: OctreeGrid, state: Uint8Array, T: Transform): Map<number, boolean> {
    const out = new Map<number, boolean>();
    const w: [number, number, number] = [0, 0, 0];
    for (let i = 0; i < state.length; i += 1) {
      if (state[i] !== OCCUPIED) continue;
      const x = (origin[0] + Math.floor(i / (size[1] * size[2])) + 0.5) * v;
      const y = (origin[1] + (Math.floor(i / size[2]) % size[1]) + 0.5) * v;
      const z = (origin[2] + (i % size[2]) + 0.5) * v;
      let square = 0;
      for (let a = 0; a < 3; a += 1) {
        const r = a * 4;
        w[a] = Math.floor((T[r]! * x + T[r + 1]! * y + T[r + 2]! * z + T[r + 3]!) / v);
        square += ((w[a]! + 0.5) * v - T[r + 3]!) ** 2;
      }
      out.set(keyOf(w), square <= this.#rangeM ** 2);
    }
    return out;
  }

  /** Index of the leaf around the centre of a world voxel; -1 out of the grid or of range. */
  #leafAround(key: number, { origin, size, voxelSizeM: v }: OctreeGrid, T_camera_world: Transform): number {
    const [x, y, z] = voxelOf(key);
    let square = 0;
    let leaf = 0;
    for (let a = 0; a < 3; a += 1) {
      const r = a * 4;
      const at =
        (T_camera_world[r]! * (x + 0.5) + T_camera_world[r + 1]! * (y + 0.5) + T_camera_world[r + 2]! * (z + 0.5)) * v +
        T_camera_world[r + 3]!;
      square += at * at;
      const index = Math.floor(at / v) - origin[a]!;
      if (!(index >= 0 && index < size[a]!)) return -1;
      leaf = leaf * size[a]! + index;
    }
    return square <= this.#rangeM ** 2 ? leaf : -1;
  }
}

function verdictOf(key: number, state: number, occupied: ReadonlyMap<number, boolean>): keyof Verdicts {
  if (occupied.has(key)) return "occupied";
  if (state === UNKNOWN) return "unknown";
  // The leaf around the centre may be occupied while its own centre falls into the voxel beside.
  if (state !== FREE) return "occupied";
  const [x, y, z] = voxelOf(key);
  for (let n = 0; n < 27; n += 1) {
    const neighbour = [x + (n % 3) - 1, y + (Math.floor(n / 3) % 3) - 1, z + Math.floor(n / 9) - 1] as const;
    if (occupied.has(keyOf(neighbour))) return "freeBesideOccupied";
  }
  return "freeAlone";
}

function scoreOf({ occupied, freeBesideOccupied, freeAlone, unknown }: Verdicts): VerdictScore {
  const seen = occupied + freeBesideOccupied + freeAlone + unknown;
  return {
    seen_again: seen,
    occupied: ratio(occupied, seen),
    free: ratio(freeBesideOccupied + freeAlone, seen),
    free_alone: ratio(freeAlone, seen),
    unknown: ratio(unknown, seen),
  };
}

function newVerdicts(): Verdicts {
  return { occupied: 0, freeBesideOccupied: 0, freeAlone: 0, unknown: 0 };
}

/** Indices of -32768..32767 on each axis in one exact number. */
function keyOf([x, y, z]: readonly [number, number, number]): number {
  return ((x + 32768) * 65536 + (y + 32768)) * 65536 + z + 32768;
}

function voxelOf(key: number): [number, number, number] {
  const high = Math.floor(key / 65536);
  return [Math.floor(high / 65536) - 32768, (high % 65536) - 32768, (key % 65536) - 32768];
}
