import { readFile } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import { Fault, messageOf } from "../core/fault.ts";

/** An array as NumPy saved it, C order: the last axis runs fastest. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint16Array | Uint8Array | Int32Array;
}

/**
 * The arrays of an `.npz` (a zip of `.npy` files, stored or deflated) by their names. Formats: PKWARE APPNOTE 4.3 and
 * numpy.lib.format. Throws `Fault` DATASET_INVALID.
 */
export async function readNpz(path: string): Promise<Map<string, NpyArray>> {
  const bytes = await readFile(path).catch((thrown: unknown) => {
    throw invalid(`Cannot read ${path} (${messageOf(thrown)})`);
  });
  const arrays = new Map<string, NpyArray>();
  for (const { name, content } of unzip(bytes, path)) {
    if (name.endsWith(".npy")) arrays.set(name.slice(0, -4), parseNpy(content, `${path}:${name}`));
  }
  return arrays;
}

/** The array `name` with `axes` axes. Throws `Fault` DATASET_INVALID, naming the arrays that are there. */
export function arrayOf(arrays: ReadonlyMap<string, NpyArray>, name: string, axes: number, path: string): NpyArray {
  const array = arrays.get(name);
  if (array === undefined) {
    throw invalid(`${path} has no array "${name}", only ${[...arrays.keys()].join(", ") || "nothing"}`);
  }
  if (array.shape.length !== axes) {
    throw invalid(`${path}: "${name}" has shape (${array.shape.join(", ")}), wanted ${axes} axes`);
  }
  return array;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const LARGEST = 1 << 30;

function* unzip(bytes: Buffer, path: string): Generator<{ name: string; content: Buffer }> {
  try {
    let end = bytes.length - 22;
    while (end >= 0 && bytes.readUInt32LE(end) !== END) end -= 1;
    if (end < 0) throw new Error("no end of central directory: it is no zip, or cut off");
    let at = bytes.readUInt32LE(end + 16);
    for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
      if (bytes.readUInt32LE(at) !== CENTRAL) throw new Error(`no directory entry at byte ${at}`);
      const method = bytes.readUInt16LE(at + 10);
      const packed = bytes.readUInt32LE(at + 20);
      const size = bytes.readUInt32LE(at + 24);
      const nameLength = bytes.readUInt16LE(at + 28);
      const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
      const local = bytes.readUInt32LE(at + 42);
      if (size > LARGEST) throw new Error(`${name} has ${size} bytes, wanted at most ${LARGEST}`);
      if (bytes.readUInt32LE(local) !== LOCAL) throw new Error(`no file at byte ${local}`);
      const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const raw = bytes.subarray(start, start + packed);
      if (method !== 0 && method !== 8) throw new Error(`${name} is compressed by method ${method}, wanted 0 or 8`);
      const content = method === 0 ? raw : inflateRawSync(raw, { maxOutputLength: Math.max(size, 1) });
      if (content.length !== size) throw new Error(`${name} has ${content.length} bytes of ${size}`);
      yield { name, content };
      at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    }
  } catch (thrown) {
    throw thrown instanceof Fault ? thrown : invalid(`${path} cannot be read as .npz (${messageOf(thrown)})`);
  }
}

const kinds: Readonly<Record<string, { bytes: number; make: (buffer: ArrayBuffer) => NpyArray["data"] }>> = {
  "<f4": { bytes: 4, make: (buffer) => new Float32Array(buffer) },
  "<f8": { bytes: 8, make: (buffer) => new Float64Array(buffer) },
  "<u2": { bytes: 2, make: (buffer) => new Uint16Array(buffer) },
  "<i4": { bytes: 4, make: (buffer) => new Int32Array(buffer) },
  "|u1": { bytes: 1, make: (buffer) => new Uint8Array(buffer) },
};

/** One `.npy`. Throws `Fault` DATASET_INVALID. */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < 12 || view.toString("latin1", 0, 6) !== "\x93NUMPY") throw invalid(`${where} is no .npy file`);
  const isLong = view[6]! >= 2;
  const start = isLong ? 12 : 10;
  const end = start + (isLong ? view.readUInt32LE(8) : view.readUInt16LE(8));
  const header = view.toString("latin1", start, end);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const axes = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || axes === undefined) {
    throw invalid(`${where} has a header that cannot be read: ${header.trim().slice(0, 100)}`);
  }
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined || order === "True") {
    const seen = order === "True" ? "column-major order" : `type ${type}`;
    throw invalid(`${where} has ${seen}, wanted row-major ${Object.keys(kinds).join(", ")}`);
  }
  const shape = axes.split(",").flatMap((axis) => (axis.trim() === "" ? [] : [Number(axis)]));
  const wanted = shape.reduce((product, axis) => product * axis, kind.bytes);
  if (view.length - end !== wanted) {
    throw invalid(`${where} of shape (${axes}) and type ${type} has ${view.length - end} bytes, wanted ${wanted}`);
  }
  return { shape, data: kind.make(Uint8Array.from(view.subarray(end)).buffer) };
}

function invalid(message: string): Fault {
  return new Fault(message, {
    code: "DATASET_INVALID",
    remedy: "Save it again with numpy.savez_compressed as little-endian float32, float64 or uint16.",
  });
}
