import { McapRecordBuilder, McapStreamReader, type McapTypes, Opcode } from "@mcap/core";
import { type ChunkHead, recordHeadBytes, viewOf } from "./mcap-chunk.ts";

/** How the records of a chunk are packed. */
type Packing = Pick<ChunkHead, "compression" | "compressedBytes" | "uncompressedBytes">;

/** The index and summary of an MCAP file, from its chunks as they are found; 16 bytes a message. */
export class McapIndexBuilder {
  readonly #schemas = new Map<number, McapTypes.Schema>();
  readonly #channels = new Map<number, McapTypes.Channel>();
  readonly #indexes = new McapRecordBuilder();
  readonly #chunks: McapTypes.ChunkIndex[] = [];
  readonly #counts = new Map<number, bigint>();
  #messageCount = 0;
  #firstNs = 1n << 64n;
  #lastNs = 0n;

  get messageCount(): number {
    return this.#messageCount;
  }

  /**
   * Notes where each message of a chunk (`records`: unpacked; it lies at `offset` and takes `bytes`) lies; false when it has none.
   * Throws when its records are broken.
   */
  add(records: Uint8Array, offset: number | bigint, bytes: number, head: Packing): boolean {
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
    this.#addChunk(times, BigInt(offset), bytes, head);
    return true;
  }

  #addChunk(
    times: ReadonlyMap<number, [bigint, bigint][]>,
    chunkStartOffset: bigint,
    bytes: number,
    head: Packing,
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

  /** Message indexes, end of data, summary and footer, as a writer would have put them at `address`. */
  tail(address: bigint): Uint8Array {
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
