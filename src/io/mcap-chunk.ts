import { crc32 } from "node:zlib";
import type { McapTypes } from "@mcap/core";
import { salvageZstd } from "./zstd.ts";

/** Opcode and length of any record. */
export const recordHeadBytes = 9;

/** The fields of a Chunk record before its content. */
export interface ChunkHead {
  readonly compression: string;
  readonly uncompressedBytes: number;
  readonly uncompressedCrc: number;
  /** Where the content begins in the record (its 9-byte record head included), and how long it should be. */
  readonly contentAt: number;
  readonly compressedBytes: number;
}

/** From the bytes of a Chunk record; throws `RangeError` when they end too early. */
export function chunkHeadOf(record: Uint8Array): ChunkHead {
  const view = viewOf(record);
  const nameBytes = view.getUint32(recordHeadBytes + 28, true);
  const nameAt = recordHeadBytes + 32;
  const contentAt = nameAt + nameBytes + 8;
  return {
    uncompressedBytes: Number(view.getBigUint64(recordHeadBytes + 16, true)),
    uncompressedCrc: view.getUint32(recordHeadBytes + 24, true),
    compression: Buffer.from(record.subarray(nameAt, nameAt + nameBytes)).toString("utf8"),
    compressedBytes: Number(view.getBigUint64(contentAt - 8, true)),
    contentAt,
  };
}

/** The records inside a whole chunk; throws when it is damaged. */
export function openChunk(
  record: Uint8Array,
  head: ChunkHead,
  decompressors: McapTypes.DecompressHandlers,
): Uint8Array {
  const content = record.subarray(head.contentAt, head.contentAt + head.compressedBytes);
  if (content.length < head.compressedBytes) throw new Error(`chunk holds fewer bytes than it claims`);
  let records = content;
  if (head.compression !== "" && content.length > 0) {
    const decompress = decompressors[head.compression];
    if (decompress === undefined) throw new Error(`compression "${head.compression}" is not known`);
    records = decompress(content, BigInt(head.uncompressedBytes));
  }
  if (head.uncompressedCrc !== 0 && crc32(records) !== head.uncompressedCrc) throw new Error("its checksum is wrong");
  return records;
}

/**
 * What can be had of a chunk whose record is cut off: of an uncompressed one all that is there (a view), of a zstd one
 * its whole blocks. undefined when nothing (an lz4 frame cannot be opened in part here).
 */
export function salvageChunk(record: Uint8Array): Uint8Array | undefined {
  let head: ChunkHead;
  try {
    head = chunkHeadOf(record);
  } catch {
    return undefined;
  }
  const content = record.subarray(head.contentAt);
  if (head.compression === "") return content;
  return head.compression === "zstd" ? salvageZstd(content) : undefined;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
