import { Fault } from "../core/fault.ts";
import { BASE, compileKernel, type Kernel, reserve, startKernel } from "./kernel-module.ts";
import { KernelThreads } from "./kernel-threads.ts";

const MAX_PIXELS = 2 ** 24;
const MAX_SIDE = 2 ** 14;

/** What the matching kernel exports; assembly/matcher.ts says what each does. */
export interface MatcherKernel extends Kernel {
  bytesNeeded(width: number, height: number): number;
  leftAt(base: number): number;
  rightAt(base: number, width: number, height: number): number;
  evidenceAt(base: number, width: number, height: number): number;
  matchAt(base: number, width: number, height: number): number;
  priorAt(base: number, width: number, height: number): number;
  run(base: number, width: number, height: number): void;
}

/** What the matching kernel found (layout: assembly/matcher/cells.ts). Valid until the next run. */
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

export interface Matcher {
  /** left, right: rectified grey images, rows packed, width * height bytes each. Blocks the calling thread. */
  (left: Uint8Array, right: Uint8Array, width: number, height: number): Evidence;
  /** Ends the helper threads, if any. */
  close(): Promise<void>;
}

/** The next multiple of 32: the network halves five times. */
export function padded(pixels: number): number {
  return (pixels + 31) & ~31;
}

/**
 * Starts the kernel from its bytes on the calling thread and `threads - 1` helpers; the bytes of the evidence do not
 * depend on `threads`. Throws MODEL_CORRUPT when they are no such module. A run throws WORKER_DIED when a helper died;
 * the next one starts afresh.
 */
export function makeMatcher(wasm: Uint8Array, threads = 1): Matcher {
  return threads > 1 ? onThreads(wasm, threads) : onOne(startKernel<MatcherKernel>(compileKernel(wasm, false)));
}

function onOne(kernel: MatcherKernel): Matcher {
  const match = (left: Uint8Array, right: Uint8Array, width: number, height: number) => {
    const w = padded(width);
    const h = padded(height);
    place(kernel, left, right, width, height);
    kernel.run(BASE, w, h);
    return evidenceIn(kernel.memory.buffer, 0, kernel, w, h);
  };
  return Object.assign(match, { close: async () => {} });
}

function onThreads(wasm: Uint8Array, count: number): Matcher {
  const threads = new KernelThreads<MatcherKernel>("matching kernel", wasm, count);
  let copy = new Uint8Array(0);
  const match = (left: Uint8Array, right: Uint8Array, width: number, height: number) => {
    const { kernel } = threads;
    const w = padded(width);
    const h = padded(height);
    place(kernel, left, right, width, height);
    threads.run(w, h);
    // onnxruntime refuses views of shared memory. Evidence, match and prior lie in this order, nearly side by side.
    const from = kernel.evidenceAt(BASE, w, h);
    const bytes = kernel.priorAt(BASE, w, h) + priorBytes(w, h) - from;
    if (copy.length !== bytes) copy = new Uint8Array(bytes);
    copy.set(new Uint8Array(kernel.memory.buffer, from, bytes));
    return evidenceIn(copy.buffer, from, kernel, w, h);
  };
  return Object.assign(match, { close: () => threads.close() });
}

function priorBytes(w: number, h: number): number {
  return (w / 8) * (h / 8) * 48;
}

/** buffer: the kernel's memory from the address `from` on. */
function evidenceIn(buffer: ArrayBuffer, from: number, kernel: MatcherKernel, w: number, h: number): Evidence {
  const rows = h / 4;
  const columns = w / 4;
  const view = (at: number, bytes: number) => new Uint8Array(buffer, at - from, bytes);
  return {
    rows,
    columns,
    cells: view(kernel.evidenceAt(BASE, w, h), rows * columns * 128),
    match: view(kernel.matchAt(BASE, w, h), rows * columns * 16),
    prior: view(kernel.priorAt(BASE, w, h), priorBytes(w, h)),
  };
}

/** Lets the kernel's memory hold a pair of this (padded) size; throws IMAGE_SHAPE where that cannot be. */
export function makeRoom(kernel: MatcherKernel, width: number, height: number): void {
  const refuse = (why: string, cause?: unknown) =>
    new Fault(`A pair of ${width}x${height} pixels (padded) is too large for the matching kernel: ${why}.`, {
      code: "IMAGE_SHAPE",
      remedy: "Give it smaller images (binning), or free some memory.",
      cause,
    });
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw refuse(`it takes ${MAX_SIDE} a side and ${MAX_PIXELS} in all at most`);
  }
  const bytes = kernel.bytesNeeded(width, height);
  try {
    reserve(kernel, BASE + bytes);
  } catch (cause) {
    throw refuse(`there are no ${Math.ceil(bytes / 2 ** 20)} MiB of memory for it`, cause);
  }
}

/** Puts both images, padded, where the kernel reads them. */
function place(kernel: MatcherKernel, left: Uint8Array, right: Uint8Array, width: number, height: number): void {
  const w = padded(width);
  const h = padded(height);
  makeRoom(kernel, w, h);
  const memory = new Uint8Array(kernel.memory.buffer);
  copyPadded(memory, kernel.leftAt(BASE), left, width, height, w, h);
  copyPadded(memory, kernel.rightAt(BASE, w, h), right, width, height, w, h);
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
