import type { FileHandle } from "node:fs/promises";
import type { McapTypes } from "@mcap/core";

type IReadable = McapTypes.IReadable;

/** Small reads (record heads, indexes) are served from a block of this size. */
const blockBytes = 1 << 18;
const readLimit = 2 ** 31 - 1;

/**
 * Random reads of a file. Unlike @mcap/nodejs's FileHandleReadable each large read gets a buffer of its own, so that
 * several iterations may run over one file. The result of a small read is shared and must not be written to.
 */
export function fileReadable(handle: FileHandle): IReadable {
  let block: Uint8Array = new Uint8Array(0);
  let blockAt = 0;
  let fileBytes: number | undefined;
  return {
    async size() {
      return BigInt((await handle.stat()).size);
    },
    async read(offset, size) {
      const [from, bytes] = [Number(offset), Number(size)];
      // A damaged length may claim anything; Node ends the whole process when asked to read more than 2 GiB.
      fileBytes ??= (await handle.stat()).size;
      if (!(from >= 0 && bytes >= 0 && from + bytes <= fileBytes)) {
        throw new Error(`wanted ${bytes} bytes at ${from}, but the file has ${fileBytes}`);
      }
      if (bytes > readLimit) throw new Error(`a record claims ${bytes} bytes`);
      if (bytes > blockBytes / 4) return readFully(handle, from, new Uint8Array(bytes), bytes);
      if (from < blockAt || from + bytes > blockAt + block.length) {
        const fresh = await readFully(handle, from, new Uint8Array(blockBytes), bytes);
        [block, blockAt] = [fresh, from];
        return fresh.subarray(0, bytes);
      }
      return block.subarray(from - blockAt, from - blockAt + bytes);
    },
  };
}

/** Fills `into` from `offset` as far as the file goes; fewer than `least` bytes are an error. */
async function readFully(handle: FileHandle, offset: number, into: Uint8Array, least: number): Promise<Uint8Array> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  if (done < least) throw new Error(`read ${done} bytes at ${offset}, wanted ${least}`);
  return into.subarray(0, done);
}

/** A stretch of bytes that the reader sees at an address beyond the file. */
export interface Patch {
  readonly address: bigint;
  readonly head: Uint8Array;
  /** Follows `head`: a stretch of the file, or bytes in memory. */
  readonly body: Uint8Array | { readonly offset: number; readonly bytes: number };
}

/** The file with patches laid behind it; `size` is what the reader is told. A read must not straddle two patches. */
export function patchedReadable(file: IReadable, patches: readonly Patch[], size: bigint): IReadable {
  return {
    async size() {
      return size;
    },
    async read(offset, bytes) {
      const patch = patches.findLast((candidate) => candidate.address <= offset);
      if (patch === undefined) return file.read(offset, bytes);
      const { head, body } = patch;
      const from = Number(offset - patch.address);
      if (from + Number(bytes) <= head.length) return head.subarray(from, from + Number(bytes));
      const content = body instanceof Uint8Array ? body : await file.read(BigInt(body.offset), BigInt(body.bytes));
      return Buffer.concat([head, content]).subarray(from, from + Number(bytes));
    },
  };
}
