import { Fault } from "../core/fault.ts";

/** What the matching kernel found (layout: assembly/matcher.ts). Views into its memory, valid until the next run. */
export interface Evidence {
  /** Cells of 4x4 pixels of the padded image. */
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns, 128] */
  readonly cells: Uint8Array;
  /** [16, rows, columns] */
  readonly match: Uint8Array;
  /** [48, rows / 2, columns / 2] */
  readonly prior: Uint8Array;
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  bytesNeeded(width: number, height: number): number;
  leftAt(base: number): number;
  rightAt(base: number, width: number, height: number): number;
  evidenceAt(base: number, width: number, height: number): number;
  matchAt(base: number, width: number, height: number): number;
  priorAt(base: number, width: number, height: number): number;
  run(base: number, width: number, height: number): void;
}

const BASE = 4096;
const PAGE = 65536;

/** The next multiple of 32: the network halves five times. */
export function padded(pixels: number): number {
  return (pixels + 31) & ~31;
}

/** Instantiates the kernel from its bytes; throws MODEL_CORRUPT when they are no such module. */
export function makeMatcher(
  wasm: Uint8Array,
): (left: Uint8Array, right: Uint8Array, width: number, height: number) => Evidence {
  let kernel: Kernel;
  try {
    kernel = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as Kernel;
  } catch (cause) {
    throw new Fault("The matching kernel is no WebAssembly module with SIMD.", {
      code: "MODEL_CORRUPT",
      remedy: "run `voxelguard models verify`, reinstall voxelguard, and use Node 20 or later",
      cause,
    });
  }
  let memory = new Uint8Array(kernel.memory.buffer);

  return (left, right, width, height) => {
    const w = padded(width);
    const h = padded(height);
    const missing = BASE + kernel.bytesNeeded(w, h) - memory.length;
    if (missing > 0) {
      kernel.memory.grow(Math.ceil(missing / PAGE));
      memory = new Uint8Array(kernel.memory.buffer);
    }
    copyPadded(memory, kernel.leftAt(BASE), left, width, height, w, h);
    copyPadded(memory, kernel.rightAt(BASE, w, h), right, width, height, w, h);
    kernel.run(BASE, w, h);
    const rows = h / 4;
    const columns = w / 4;
    const view = (at: number, bytes: number) => new Uint8Array(memory.buffer, at, bytes);
    return {
      rows,
      columns,
      cells: view(kernel.evidenceAt(BASE, w, h), rows * columns * 128),
      match: view(kernel.matchAt(BASE, w, h), rows * columns * 16),
      prior: view(kernel.priorAt(BASE, w, h), (rows / 2) * (columns / 2) * 48),
    };
  };
}

/** Copies a packed grey image to out[at..], repeating its last column and row up to w x h. */
function copyPadded(
  out: Uint8Array,
  at: number,
  image: Uint8Array,
  width: number,
  height: number,
  w: number,
  h: number,
): void {
  for (let y = 0; y < height; y += 1) {
    const row = at + y * w;
    out.set(image.subarray(y * width, (y + 1) * width), row);
    out.fill(out[row + width - 1]!, row + width, row + w);
  }
  const last = at + (height - 1) * w;
  for (let y = height; y < h; y += 1) out.copyWithin(at + y * w, last, last + w);
}
