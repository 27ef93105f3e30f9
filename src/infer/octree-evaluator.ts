import type { StereoCalibration } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { LevelAnswer } from "../core/ports.ts";
import { BASE, compileKernel, type Kernel, reserve, startKernel } from "./kernel-module.ts";
import { KernelThreads } from "./kernel-threads.ts";

/** What the decoder needs to know of the model; numbers of the manifest. */
export interface OctreeLayout {
  readonly origin: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  readonly levels: number;
  /** Edge of a leaf in the units of the graph, metres. */
  readonly leafM: number;
  /** A parent is divided where its p_occupied exceeds this, per level but the last. */
  readonly keep: readonly number[];
  /** Inner points of a voxel along x, y, z per level; at most 4, any, 3. */
  readonly samples: readonly (readonly [number, number, number])[];
  /** The leaves of the first `layers` layers in z have a head of their own, with `slices` inner points along z; at most 3. */
  readonly near: { readonly layers: number; readonly slices: number };
}

/** The camera, of the image without its padding, with the baseline in units of the graph. */
export interface View extends Omit<StereoCalibration, "baselineM" | "doffsPx"> {
  /** Metres, scaled. */
  readonly baseline: number;
  /** First column of the image that the camera saw; those before are a margin. */
  readonly margin: number;
}

const INPUTS = 23;
const HIDDEN = 32;
const TABLE_FLOATS = 21;
/** Bytes of the job and of the scratch of all threads, at BASE. */
const JOB_BYTES = 64 + 4 * 512;

/** Floats of the weights of one head: two hidden layers and the classes. */
export const HEAD_FLOATS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * HIDDEN + (HIDDEN + 1) * 4;

/**
 * Coarse-to-fine decoding: evaluates all voxels of the coarsest level in view, then only children of those that may hold
 * something. Arithmetic: assembly/octree.ts. The answers are copies, the caller's to keep.
 */
export class OctreeEvaluator {
  readonly #layout: OctreeLayout;
  readonly #heads: Float32Array;
  readonly #threads: KernelThreads<Kernel> | undefined;
  #kernel: Kernel;
  /** Addresses in the kernel's memory. */
  readonly #weights = BASE + JOB_BYTES;
  readonly #table: number;
  readonly #index: number;
  readonly #out: number;
  readonly #rows: number;

  /** The answers do not depend on `threads`. */
  constructor(wasm: Uint8Array, heads: Float32Array, layout: OctreeLayout, threads = 1) {
    const wanted = HEAD_FLOATS * (layout.levels + 1);
    if (heads.length !== wanted) {
      throw new Fault(
        `The heads hold ${heads.length} numbers, ${layout.levels} levels and near leaves want ${wanted}.`,
        {
          code: "MODEL_MISMATCH",
          remedy: "export the model again with this version of voxelguard",
        },
      );
    }
    this.#layout = layout;
    this.#heads = heads;
    this.#threads = threads > 1 ? new KernelThreads("octree kernel", wasm, threads) : undefined;
    this.#kernel = this.#threads?.kernel ?? startKernel(compileKernel(wasm, false));
    const [nx, ny, nz] = layout.size;
    const voxels = nx * ny * nz;
    this.#table = this.#weights + heads.byteLength;
    this.#index = this.#table + nz * TABLE_FLOATS * 4;
    this.#out = this.#index + voxels * 12;
    this.#rows = (this.#out + voxels * 12 + 63) & ~63;
    this.#prepare();
  }

  /** Puts what stays the same into the kernel's memory. */
  #prepare(): void {
    reserve(this.#kernel, this.#rows);
    this.#floats(this.#weights, this.#heads.length).set(this.#heads);
  }

  /** rows float32 [height4 * columns, 16] -> answers per level, coarse to fine. */
  run(rows: Float32Array, columns: number, height4: number, view: View): LevelAnswer[] {
    const { levels, keep } = this.#layout;
    if (this.#threads !== undefined && this.#threads.kernel !== this.#kernel) {
      // A helper died during the pair before, and all started afresh.
      this.#kernel = this.#threads.kernel;
      this.#prepare();
    }
    reserve(this.#kernel, this.#rows + rows.byteLength);
    this.#floats(this.#rows, rows.length).set(rows);
    const answers: LevelAnswer[] = [];
    let count = this.#seen(0, this.#all(0), view);
    for (let level = 0; level < levels; level += 1) {
      this.#evaluate(level, count, columns, height4, view);
      const index = this.#ints(this.#index, count * 3).slice();
      const p = this.#floats(this.#out, count * 3).slice();
      answers.push({ index, p });
      if (level === levels - 1) break;
      count = this.#seen(level + 1, this.#children(index, p, keep[level]!), view);
    }
    return answers;
  }

  /** Writes every cell of a level to the list; returns the count. */
  #all(level: number): number {
    const [nx, ny, nz] = this.#shape(level);
    const list = this.#ints(this.#index, nx * ny * nz * 3);
    let at = 0;
    for (let x = 0; x < nx; x += 1) {
      for (let y = 0; y < ny; y += 1) {
        for (let z = 0; z < nz; z += 1) {
          list[at] = x;
          list[at + 1] = y;
          list[at + 2] = z;
          at += 3;
        }
      }
    }
    return at / 3;
  }

  /** Writes the eight children of the cells above the threshold to the list. */
  #children(index: Int32Array, p: Float32Array, threshold: number): number {
    const list = this.#ints(this.#index, index.length * 8);
    let at = 0;
    for (let i = 0; i < index.length; i += 3) {
      if (!(p[i + 2]! > threshold)) continue;
      for (let child = 0; child < 8; child += 1) {
        list[at] = 2 * index[i]! + (child >> 2);
        list[at + 1] = 2 * index[i + 1]! + ((child >> 1) & 1);
        list[at + 2] = 2 * index[i + 2]! + (child & 1);
        at += 3;
      }
    }
    return at / 3;
  }

  /**
   * Keeps of the first `count` cells in the list those with a leaf whose centre can project into the image; returns how
   * many. The leaf centres of a cell span a box: its projection reaches farthest from the axis at one of its z faces.
   */
  #seen(level: number, count: number, view: View): number {
    const { leafM, origin } = this.#layout;
    const cell = this.#cellM(level);
    const reach = (cell - leafM) / 2;
    const list = this.#ints(this.#index, count * 3);
    const { fx, fy, cx, cy, width, height, margin } = view;
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const z = origin[2] * leafM + (list[i * 3 + 2]! + 0.5) * cell;
      const near = Math.max(0.1, z - reach);
      const far = Math.max(0.1, z + reach);
      const x = origin[0] * leafM + (list[i * 3]! + 0.5) * cell;
      const y = origin[1] * leafM + (list[i * 3 + 1]! + 0.5) * cell;
      if ((fx * (x + reach)) / (x + reach > 0 ? near : far) + cx < margin) continue;
      if ((fx * (x - reach)) / (x - reach < 0 ? near : far) + cx > width - 1) continue;
      if ((fy * (y + reach)) / (y + reach > 0 ? near : far) + cy < 0) continue;
      if ((fy * (y - reach)) / (y - reach < 0 ? near : far) + cy > height - 1) continue;
      list[kept * 3] = list[i * 3]!;
      list[kept * 3 + 1] = list[i * 3 + 1]!;
      list[kept * 3 + 2] = list[i * 3 + 2]!;
      kept += 1;
    }
    return kept;
  }

  #evaluate(level: number, count: number, columns: number, height4: number, view: View): void {
    const { origin, leafM, samples } = this.#layout;
    this.#fillTable(level, view);
    const [nx, ny] = samples[level]!;
    const addresses = [this.#index, this.#out, this.#rows, columns, height4, nx, ny, this.#table];
    this.#ints(BASE, addresses.length).set(addresses);
    const numbers = [
      origin[0] * leafM,
      origin[1] * leafM,
      this.#cellM(level),
      (view.cx + 0.5) / 4,
      (view.cy + 0.5) / 4,
    ];
    this.#floats(BASE + addresses.length * 4, numbers.length).set(numbers);
    if (this.#threads !== undefined) this.#threads.run(0, count);
    else {
      const items = this.#kernel.items(count, 0);
      for (let item = 0; item < items; item += 1) this.#kernel.runItem(BASE, 0, count, 0, item, 0);
    }
  }

  /** What depends on the depth of a voxel alone (layout: assembly/octree.ts). */
  #fillTable(level: number, { fx, fy, baseline }: View): void {
    const { origin, leafM, levels, samples, near: zone } = this.#layout;
    const cell = this.#cellM(level);
    const layers = this.#shape(level)[2];
    const table = this.#floats(this.#table, layers * TABLE_FLOATS);
    const integers = this.#ints(this.#table, layers * TABLE_FLOATS);
    const fb = fx * baseline;
    for (let k = 0; k < layers; k += 1) {
      const isNear = level === levels - 1 && k < zone.layers;
      const slices = isNear ? zone.slices : samples[level]![2];
      const half = cell / slices / 2;
      const z = origin[2] * leafM + (k + 0.5) * cell;
      const at = k * TABLE_FLOATS;
      integers[at] = this.#weights + (isNear ? levels : level) * HEAD_FLOATS * 4;
      integers[at + 1] = slices;
      let span = 0;
      let s = at + 7;
      for (let slice = 0; slice < slices; slice += 1) {
        const zs = Math.max(0.05, z + ((slice + 0.5) / slices - 0.5) * cell);
        const near = fb / Math.max(0.05, zs - half);
        const far = fb / (zs + half);
        table[s] = fx / zs / 4;
        table[s + 1] = fy / zs / 4;
        table[s + 2] = near;
        table[s + 3] = far;
        span += (near - far) / slices;
        s += 4;
      }
      table[s] = fx / Math.max(0.05, z) / 4;
      table[s + 1] = fy / Math.max(0.05, z) / 4;
      table[at + 2] = Math.log(z) * 0.5;
      table[at + 3] = Math.log((fx * cell) / z) * 0.3;
      table[at + 4] = Math.log(span + 0.01) * 0.3;
      table[at + 5] = Math.log(fb / z + 0.1) * 0.3;
      table[at + 6] = 0.3 / Math.sqrt(Math.max(0.01, span));
    }
  }

  #cellM(level: number): number {
    return this.#layout.leafM * 2 ** (this.#layout.levels - 1 - level);
  }

  #shape(level: number): [number, number, number] {
    const k = 2 ** (this.#layout.levels - 1 - level);
    const [nx, ny, nz] = this.#layout.size;
    return [nx / k, ny / k, nz / k];
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#kernel.memory.buffer, at, length);
  }

  #ints(at: number, length: number): Int32Array {
    return new Int32Array(this.#kernel.memory.buffer, at, length);
  }
}
