import { ROOT_KEY } from "./key.ts";
import type { ScanGrid } from "./scan-grid.ts";
import { scanKernel } from "./scan-kernel.ts";

/** The exports of assembly/scan.ts, where the layout of a job stands. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  bounds(points: number, count: number, out: number): void;
  mark(job: number, count: number, rangeM: number): void;
}

const PAGE = 65536;
const JOB = 4096;
const BOUNDS = JOB + 256;
const POINTS = JOB + 512;

let module: WebAssembly.Module | undefined;

/**
 * Marks in a grid every cell that a ray leaves on its way to a point (free) and the cell of the point itself (hit), as
 * OctoMap's `computeUpdate`: a point beyond the range frees the cells up to it and hits nothing; a ray that ends outside
 * the key space counts for nothing. Points that are not finite are skipped. Works in WebAssembly, on a copy of the scan.
 */
export class RayMarker {
  readonly #resolutionM: number;
  readonly #kernel: Kernel;
  #count = 0;

  constructor(resolutionM: number) {
    this.#resolutionM = resolutionM;
    module ??= new WebAssembly.Module(Uint8Array.from(atob(scanKernel), (letter) => letter.charCodeAt(0)));
    this.#kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  }

  /** Takes the points of a scan (metres, map frame) and writes between which coordinates they lie. */
  load(low: Float64Array, high: Float64Array, xyz: Float32Array, count: number): void {
    this.#count = count;
    this.#reserve(POINTS + (count + 3) * 12);
    const { memory, bounds } = this.#kernel;
    const points = new Float32Array(memory.buffer, POINTS, count * 3 + 9);
    points.set(xyz.subarray(0, count * 3));
    points.fill(Number.NaN, count * 3);
    bounds(POINTS, count, BOUNDS);
    const found = new Float32Array(memory.buffer, BOUNDS, 15);
    low.set(found.subarray(0, 3));
    high.set(found.subarray(12));
  }

  /** Marks the scan that was loaded, once. `origin` (float32, metres) must lie in the grid. */
  mark(grid: ScanGrid, origin: ArrayLike<number>, maxRangeM: number): void {
    const count = this.#count;
    const table = 2 ** Math.ceil(Math.log2(count * 2 + 1));
    const { words } = grid;
    // In the order of the addresses in the job: bytes of each.
    const lengths = [12 * count, 4 * count, 4 * count, 4 * count, 4 * count + 4, 16 * count + 16, 48 * count + 48];
    lengths.push(4 * table, 4 * words, 4 * words);
    const addresses: number[] = [];
    let end = POINTS;
    for (const length of lengths) {
      addresses.push(end);
      end += Math.ceil(length / 16) * 16;
    }
    this.#reserve(end);
    const { memory, mark } = this.#kernel;
    new Int32Array(memory.buffer, JOB, 12).set([...addresses, table, count + 1]);
    new Int32Array(memory.buffer, JOB + 64, 6).set([...grid.low, ...grid.size]);
    this.#setOrigin(memory.buffer, origin, grid.low);
    grid.place(memory.buffer, addresses[8]!, addresses[9]!);
    mark(JOB, count, maxRangeM);
  }

  /** Faces stand as OctoMap has them: half a cell in float32 from a cell's centre. */
  #setOrigin(memory: ArrayBuffer, origin: ArrayLike<number>, low: Int32Array): void {
    const res = this.#resolutionM;
    const home = new Int32Array(memory, JOB + 88, 3);
    const places = new Float64Array(memory, JOB + 112, 10);
    const half = Math.fround(res * 0.5);
    for (let a = 0; a < 3; a += 1) {
      const o = origin[a]!;
      const key = Math.floor((1 / res) * o);
      const centre = (key + 0.5) * res;
      home[a] = key + ROOT_KEY - low[a]!;
      places[a] = o;
      places[3 + a] = (o - (centre - half)) / res;
      places[6 + a] = (centre + half - o) / res;
    }
    places[9] = 1 / res;
  }

  #reserve(end: number): void {
    const { memory } = this.#kernel;
    const missing = end - memory.buffer.byteLength;
    // A quarter more, so that scans of like size do not grow it again and again.
    if (missing > 0) memory.grow(Math.ceil((missing + end / 4) / PAGE));
  }
}
