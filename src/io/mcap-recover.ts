import { McapRecordBuilder, McapStreamReader, type McapTypes, Opcode } from "@mcap/core";
import { messageOf } from "../core/fault.ts";
import { type ChunkHead, chunkHeadOf, openChunk, salvageChunk } from "./mcap-chunk.ts";
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
const recordHeadBytes = 9;
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
  readonly #schemas = new Map<number, McapTypes.Schema>();
  readonly #channels = new Map<number, McapTypes.Channel>();
  readonly #patches: Patch[] = [];
  readonly #indexes = new McapRecordBuilder();
  readonly #chunks: McapTypes.ChunkIndex[] = [];
  readonly #counts = new Map<number, bigint>();
  readonly #damaged: { offset: number; bytes: number; why: string }[] = [];
  #run: { offset: number; end: number } | undefined;
  #messageCount = 0;
  /** Entries of the message indexes that the file does have. */
  #promised = 0;
  #firstNs = 1n << 64n;
  #lastNs = 0n;
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
      this.#index(records, offset, end - offset, head);
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
      const found = this.#index(records, address, head.length + records.length, compressed);
      if (found) this.#patches.push({ address, head, body });
    } catch (thrown) {
      const offset = body instanceof Uint8Array ? 0 : body.offset;
      this.#damaged.push({ offset, bytes: records.length, why: messageOf(thrown) });
    }
  }

  /** Notes where each message of a chunk lies; false when it has none. Throws when its records are broken. */
  #index(
    records: Uint8Array,
    offset: number | bigint,
    bytes: number,
    head: Pick<ChunkHead, "compression" | "compressedBytes" | "uncompressedBytes">,
  ): boolean {
    const times = new Map<number, [bigint, bigint][]>();
    const view = viewOf(records);
    for (let at = 0; at + recordHeadBytes <= records.length; ) {
      const opcode = records[at];
      const end = at + recordHeadBytes + Number(view.getBigUint64(at + 1, true));
      if (end > records.length) break;
      if (opcode === Opcode.MESSAGE) {
        const channel = view.getUint16(at + 9, true);
        const entries = times.get(channel) ?? [];
        entries.push([view.getBigUint64(at + 15, true), BigInt(at)]);
        times.set(channel, entries);
      } else if (opcode === Opcode.SCHEMA || opcode === Opcode.CHANNEL) {
        this.#declare(records.subarray(at, end));
      }
      at = end;
    }
    if (times.size === 0) return false;
    this.#addChunkIndex(times, BigInt(offset), bytes, head);
    return true;
  }

  #addChunkIndex(
    times: ReadonlyMap<number, [bigint, bigint][]>,
    chunkStartOffset: bigint,
    bytes: number,
    head: Pick<ChunkHead, "compression" | "compressedBytes" | "uncompressedBytes">,
  ): void {
    const messageIndexOffsets = new Map<number, bigint>();
    const indexStart = this.#indexes.length;
    let [first, last] = [1n << 64n, 0n];
    for (const [channelId, records] of times) {
      messageIndexOffsets.set(channelId, BigInt(this.#indexes.length));
      this.#indexes.writeMessageIndex({ channelId, records });
      this.#counts.set(channelId, (this.#counts.get(channelId) ?? 0n) + BigInt(records.length));
      this.#messageCount += records.length;
      for (const [time] of records) {
        if (time < first) first = time;
        if (time > last) last = time;
      }
    }
    if (first < this.#firstNs) this.#firstNs = first;
    if (last > this.#lastNs) this.#lastNs = last;
    this.#chunks.push({
      messageStartTime: first,
      messageEndTime: last,
      chunkStartOffset,
      chunkLength: BigInt(bytes),
      messageIndexOffsets,
      messageIndexLength: BigInt(this.#indexes.length - indexStart),
      compression: head.compression,
      compressedSize: BigInt(head.compressedBytes),
      uncompressedSize: BigInt(head.uncompressedBytes),
    });
  }

  #declare(record: Uint8Array): void {
    const reader = new McapStreamReader({ noMagicPrefix: true });
    reader.append(record);
    const parsed = reader.nextRecord();
    if (parsed?.type === "Schema") this.#schemas.set(parsed.id, parsed);
    if (parsed?.type === "Channel") this.#channels.set(parsed.id, parsed);
  }

  result(): RecoveredMcap {
    const address = patchBase + patchSpacing * BigInt(this.#patches.length);
    const tail = this.#tail(address);
    const patches = [...this.#patches, { address, head: tail, body: new Uint8Array(0) }];
    return {
      readable: patchedReadable(this.#file, patches, address + BigInt(tail.length)),
      messageCount: this.#messageCount,
      promisedCount: this.#cutAt === undefined ? this.#promised : 0,
      cutAt: this.#cutAt,
      damaged: this.#damaged,
    };
  }

  /** Message indexes, end of data, summary and footer, as a writer would have put them at `address`. */
  #tail(address: bigint): Uint8Array {
    const summary = new McapRecordBuilder();
    summary.writeDataEnd({ dataSectionCrc: 0 });
    const summaryStart = address + BigInt(this.#indexes.length + summary.length);
    for (const schema of this.#schemas.values()) summary.writeSchema(schema);
    for (const channel of this.#channels.values()) summary.writeChannel(channel);
    summary.writeStatistics({
      messageCount: BigInt(this.#messageCount),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.size,
      attachmentCount: 0,
      metadataCount: 0,
      chunkCount: this.#chunks.length,
      messageStartTime: this.#messageCount === 0 ? 0n : this.#firstNs,
      messageEndTime: this.#lastNs,
      channelMessageCounts: this.#counts,
    });
    for (const chunk of this.#chunks) {
      const shifted = new Map([...chunk.messageIndexOffsets].map(([id, offset]) => [id, offset + address]));
      summary.writeChunkIndex({ ...chunk, messageIndexOffsets: shifted });
    }
    summary.writeFooter({ summaryStart, summaryOffsetStart: 0n, summaryCrc: 0 });
    summary.writeMagic();
    return Buffer.concat([this.#indexes.buffer, summary.buffer]);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
