import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { McapTypes } from "@mcap/core";
import { loadDecompressHandlers } from "@mcap/support";
import { Decompress, decompress as decompressAny } from "fzstd";

/** Largest chunk or message that a header is believed to announce. */
const sizeLimit = 1 << 28;

/**
 * The decompressors of mcap chunks (zstd, lz4, bz2) by name. Sizes beyond all reason are refused: the WebAssembly below
 * does not check whether it got the memory.
 */
export async function loadDecompressors(): Promise<McapTypes.DecompressHandlers> {
  const handlers = await loadDecompressHandlers();
  return Object.fromEntries(
    Object.entries(handlers).map(([name, decompress]) => [
      name,
      (data, size) => {
        if (size > sizeLimit) throw new Error(`its header claims ${size} bytes`);
        return decompress(data, size);
      },
    ]),
  );
}

/** Zstandard frames begin with this; CDR messages begin with a zero byte, so the two cannot be mixed up. */
export function isZstd(data: Uint8Array): boolean {
  return data[0] === 0x28 && data[1] === 0xb5 && data[2] === 0x2f && data[3] === 0xfd;
}

/** Size of what one frame holds, if its header says so (RFC 8878, section 3.1.1.1). */
export function zstdContentSize(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? view.getUint8(at) : undefined;
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

/** Makes the decompressor of whole frames in memory: WebAssembly where the size is known, else fzstd. Throws on damage. */
export async function loadUnzstd(): Promise<(frame: Uint8Array) => Uint8Array> {
  const { zstd } = await loadDecompressors();
  return (frame) => {
    const size = zstdContentSize(frame);
    if (size === undefined || zstd === undefined) return decompressAny(frame);
    return zstd(frame, BigInt(size));
  };
}

/** What the intact blocks at the start of a cut or damaged frame hold. */
export function salvageZstd(frame: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  try {
    new Decompress((part) => parts.push(part.slice())).push(frame);
  } catch {
    // The blocks before the damage have been handed over.
  }
  return Buffer.concat(parts);
}

/** Decompresses a file piece by piece; memory does not grow with its size. Throws on damage, after writing what came before. */
export async function unzstdFile(from: string, to: string): Promise<void> {
  async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const parts: Uint8Array[] = [];
    const stream = new Decompress((part) => parts.push(part.slice()));
    for await (const piece of source) {
      try {
        stream.push(piece);
      } finally {
        yield* parts.splice(0);
      }
    }
    stream.push(new Uint8Array(0), true);
    yield* parts.splice(0);
  }
  await pipeline(createReadStream(from, { highWaterMark: 1 << 18 }), unzstd, createWriteStream(to));
}
