import { Fault } from "../core/fault.ts";

/** What a kernel exports whose work is cut into items, so that threads can share it. Addresses are bytes of its memory. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** How many threads may run items at once. */
  readonly PARTS: { readonly value: number };
  /** Items of a phase of a job; 0 after the last phase. A phase begins when the one before is done. */
  items(height: number, phase: number): number;
  /** Runs one; `part` is the thread's own number, below PARTS. */
  runItem(base: number, width: number, height: number, phase: number, item: number, part: number): void;
}

/** Where the kernel may begin: the first page holds its own data, if any. */
export const BASE = 4096;
const PAGE = 65536;
/** 1 GiB of address space; only what a job needs is ever used. */
const SHARED_PAGES = 16384;

const MAGIC_BYTES = 8;
const section = { type: 1, import: 2, memory: 5 };
const SHARED_WITH_MAXIMUM = 3;

/** Compiles the kernel; shared: for `startKernel` with a shared memory. Throws MODEL_CORRUPT when the bytes are no kernel. */
export function compileKernel(wasm: Uint8Array, shared: boolean): WebAssembly.Module {
  try {
    return new WebAssembly.Module(shared ? withSharedMemory(wasm) : wasm);
  } catch (cause) {
    throw new Fault("A kernel of the model is no WebAssembly module with SIMD.", {
      code: "MODEL_CORRUPT",
      remedy: "Run `voxelguard models verify`, reinstall voxelguard, and use Node 20 or later.",
      cause,
    });
  }
}

/** Instantiates the kernel, with a memory of its own or with the given shared one. */
export function startKernel<K extends Kernel>(module: WebAssembly.Module, memory?: WebAssembly.Memory): K {
  const imports = memory === undefined ? {} : { env: { memory } };
  return new WebAssembly.Instance(module, imports).exports as unknown as K;
}

export function makeSharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: SHARED_PAGES, shared: true });
}

/** Grows the kernel's memory to `end` bytes; views made before are void. Throws RangeError where there is none. */
export function reserve(kernel: Kernel, end: number): void {
  const missing = end - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
}

/**
 * The same module, with a shared memory that is imported as env.memory in place of its own: the code that several threads
 * run is the code that one thread runs, to the byte. Only the two sections that declare the memory differ (WebAssembly
 * core specification 2.0, chapter 5.5; shared limits: threads proposal).
 */
function withSharedMemory(wasm: Uint8Array): Uint8Array {
  const parts = [wasm.subarray(0, MAGIC_BYTES)];
  let at = MAGIC_BYTES;
  let replaced = false;
  while (at < wasm.length) {
    const id = wasm[at]!;
    const [size, body] = readUnsigned(wasm, at + 1);
    const end = body + size;
    if (id === section.import) throw new Error("the module imports something already");
    if (id === section.memory) replaced = true;
    else parts.push(wasm.subarray(at, end));
    if (id === section.type) parts.push(memoryImport());
    at = end;
  }
  if (!replaced) throw new Error("the module has no memory");
  return new Uint8Array(Buffer.concat(parts));
}

function memoryImport(): Uint8Array {
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const limits = [SHARED_WITH_MAXIMUM, ...unsigned(1), ...unsigned(SHARED_PAGES)];
  const body = [1, ...name("env"), ...name("memory"), 2, ...limits];
  return Uint8Array.from([section.import, body.length, ...body]);
}

/** LEB128 -> the number and where it ends. */
function readUnsigned(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error("the module ends within a number");
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
  throw new Error("a number of the module is too long");
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
