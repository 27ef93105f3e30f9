import { McapRecordBuilder, type McapTypes, Opcode } from "@mcap/core";
import { messageOf } from "../core/fault.ts";
import { type ChunkHead, chunkHeadOf, openChunk, recordHeadBytes, salvageChunk, viewOf } from "./mcap-chunk.ts";
import { McapIndexBuilder } from "./mcap-index-builder.ts";
import { type Patch, patchedReadable } from "./mcap-readable.ts";

type IReadable = McapTypes.IReadable;

/** What the scan of a file without (usable) index found. */
export interface RecoveredMcap {
  /** The file as an indexed one: same data, index laid behind it. */
  readonly readable: IReadable;
  readonly messageCount: number;
  /** How many there are by what the file has of message indexes; 0 when it has none or is cut off. */
  readonly promisedCount: number;
  /** Byte at which the file breaks off; undefined when it ends as it should. */
  readonly cutAt: number | undefined;
  /** Chunks that are damaged and left out. */
  readonly damaged: readonly { readonly offset: number; readonly bytes: number; readonly why: string }[];
}

/** Beyond any real file, below 2 ** 53. */
const patchBase = 1n << 50n;
const patchSpacing = 1n << 32n;
/** Messages outside of chunks are gathered into stretches of about this size. */
const runBytes = 1 << 20;
const salvageLimit = 1 << 28;

/**
 * Builds the index that a file lacks (unindexed, without chunks, cut off by a crash), so that @mcap/core's indexed
 * reader serves it in order of time and by topic like any other. One pass over the file, one chunk in memory; what
 * stays is 16 bytes a message. Messages outside of chunks, and those of a last, cut chunk (not of lz4), are shown as
 * chunks of their own. Format: https://mcap.dev/spec
 */
export async function recoverMcap(
  file: IReadable,
  decompressors: McapTypes.DecompressHandlers,
): Promise<RecoveredMcap> {
  const scan = new Scan(file, decompressors);
  await scan.run();
  return scan.result();
}

class Scan {
  readonly #file: IReadable;
  readonly #decompressors: McapTypes.DecompressHandlers;
  readonly #index = new McapIndexBuilder();
  readonly #patches: Patch[] = [];
  readonly #damaged: { offset: number; bytes: number; why: string }[] = [];
  #run: { offset: number; end: number } | undefined;
  /** Entries of the message indexes that the file does have. */
  #promised = 0;
  #cutAt: number | undefined;

  constructor(file: IReadable, decompressors: McapTypes.DecompressHandlers) {
    this.#file = file;
    this.#decompressors = decompressors;
  }

  async run(): Promise<void> {
    const size = Number(await this.#file.size());
    let offset = 8;
    let ended = false;
    while (!ended && offset + recordHeadBytes <= size) {
      const head = await this.#file.read(BigInt(offset), BigInt(recordHeadBytes));
      const opcode = head[0] as number;
      const length = Number(viewOf(head).getBigUint64(1, true));
      const end = offset + recordHeadBytes + length;
      // With their only possible lengths, lest a broken record head pass for the end.
      ended = (opcode === Opcode.DATA_END && length === 4) || (opcode === Opcode.FOOTER && length === 20);
      if (end > size || opcode === 0) {
        await this.#closeRun();
        if (opcode === Opcode.CHUNK) await this.#salvage(offset, size);
        break;
      }
      await this.#record(opcode, offset, end);
      offset = end;
    }
    await this.#closeRun();
    if (!ended) this.#cutAt = offset;
  }

  async #record(opcode: number, offset: number, end: number): Promise<void> {
    if (opcode === Opcode.SCHEMA || opcode === Opcode.CHANNEL || opcode === Opcode.MESSAGE) {
      this.#run ??= { offset, end };
      this.#run.end = end;
      if (end - this.#run.offset > runBytes) await this.#closeRun();
      return;
    }
    await this.#closeRun();
    if (opcode === Opcode.CHUNK) await this.#chunk(offset, end);
    if (opcode === Opcode.MESSAGE_INDEX) this.#promised += (end - offset - recordHeadBytes - 6) / 16;
  }

  async #chunk(offset: number, end: number): Promise<void> {
    let head: ChunkHead;
    try {
      const record = await this.#file.read(BigInt(offset), BigInt(end - offset));
      head = chunkHeadOf(record);
      const records = openChunk(record, head, this.#decompressors);
      this.#index.add(records, offset, end - offset, head);
    } catch (thrown) {
      this.#damaged.push({ offset, bytes: end - offset, why: messageOf(thrown) });
    }
  }

  /** The last chunk of a file that was cut: as much as can be had. */
  async #salvage(offset: number, size: number): Promise<void> {
    // A damaged length may claim the whole rest of a large file; no writer makes chunks of more than this.
    const bytes = Math.min(size - offset, salvageLimit);
    const record = await this.#file.read(BigInt(offset), BigInt(bytes));
    const records = salvageChunk(record);
    if (records === undefined) return;
    const inFile = records.buffer === record.buffer;
    const body = inFile ? { offset: offset + records.byteOffset - record.byteOffset, bytes: records.length } : records;
    this.#patch(records, body);
  }

  async #closeRun(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const bytes = run.end - run.offset;
    const records = await this.#file.read(BigInt(run.offset), BigInt(bytes));
    this.#patch(records, { offset: run.offset, bytes });
  }

  /** Shows loose records as an uncompressed chunk beyond the file. */
  #patch(records: Uint8Array, body: Patch["body"]): void {
    const builder = new McapRecordBuilder();
    builder.writeChunk({
      messageStartTime: 0n,
      messageEndTime: 0n,
      uncompressedSize: BigInt(records.length),
      uncompressedCrc: 0,
      compression: "",
      records: new Uint8Array(0),
    });
    const head = builder.buffer.slice();
    const view = viewOf(head);
    view.setBigUint64(1, view.getBigUint64(1, true) + BigInt(records.length), true);
    view.setBigUint64(head.length - 8, BigInt(records.length), true);
    const address = patchBase + patchSpacing * BigInt(this.#patches.length);
    const compressed = { compression: "", compressedBytes: records.length, uncompressedBytes: records.length };
    try {
      const found = this.#index.add(records, address, head.length + records.length, compressed);
      if (found) this.#patches.push({ address, head, body });
    } catch (thrown) {
      const offset = body instanceof Uint8Array ? 0 : body.offset;
      this.#damaged.push({ offset, bytes: records.length, why: messageOf(thrown) });
    }
  }

  result(): RecoveredMcap {
    const address = patchBase + patchSpacing * BigInt(this.#patches.length);
    const tail = this.#index.tail(address);
    const patches = [...this.#patches, { address, head: tail, body: new Uint8Array(0) }];
    return {
      readable: patchedReadable(this.#file, patches, address + BigInt(tail.length)),
      messageCount: this.#index.messageCount,
      promisedCount: this.#cutAt === undefined ? this.#promised : 0,
      cutAt: this.#cutAt,
      damaged: this.#damaged,
    };
  }
}
