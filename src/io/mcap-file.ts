import { type FileHandle, open } from "node:fs/promises";
import { McapIndexedReader, type McapTypes } from "@mcap/core";
import { Fault, messageOf } from "../core/fault.ts";
import { fullTypeName } from "../msg/definitions.ts";
import { type BagFile, type BagMessage, type BagTopic, isLatchedBy, type MessageFilter } from "./bag-file.ts";
import { indexedTimes } from "./mcap-index.ts";
import { fileReadable } from "./mcap-readable.ts";
import { type RecoveredMcap, recoverMcap } from "./mcap-recover.ts";
import { loadDecompressors } from "./zstd.ts";

type Channels = ReadonlyMap<number, { readonly topic: string; readonly type: string }>;

/**
 * Opens an mcap file. An indexed file costs its summary; any other is read through once to index it (`recoverMcap`).
 * Throws `Fault` BAG_NOT_A_BAG when not even the header is there.
 */
export async function openMcapFile(path: string, label: string): Promise<BagFile> {
  const handle = await open(path, "r");
  try {
    return await McapFile.open(handle, label);
  } catch (thrown) {
    await handle.close();
    if (thrown instanceof Fault) throw thrown;
    throw new Fault(`${label} begins like an mcap file but is none (${messageOf(thrown)})`, {
      code: "BAG_NOT_A_BAG",
      remedy: "Copy the file again from where it was recorded; not even its header is whole.",
      cause: thrown,
    });
  }
}

class McapFile implements BagFile {
  readonly storage = "mcap";
  readonly topics: readonly BagTopic[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly faults: Fault[];
  readonly #handle: FileHandle;
  readonly #label: string;
  readonly #decompressors: McapTypes.DecompressHandlers;
  readonly #channels: Channels;
  #reader: McapIndexedReader;
  /** Where the reader's index lies: the file, or what `recoverMcap` made of it. */
  #readable: McapTypes.IReadable;
  #recovered: boolean;

  private constructor(
    handle: FileHandle,
    label: string,
    decompressors: McapTypes.DecompressHandlers,
    reader: McapIndexedReader,
    recovered: RecoveredMcap | undefined,
    listed = 0,
  ) {
    this.#readable = recovered?.readable ?? fileReadable(handle);
    this.#handle = handle;
    this.#label = label;
    this.#decompressors = decompressors;
    this.#reader = reader;
    this.#recovered = recovered !== undefined;
    this.faults = recovered === undefined ? [] : recoveryFaults(label, recovered, listed);
    const { channels, topics, strangers } = channelsOf(reader);
    if (strangers.length > 0) this.faults.push(unsupported(label, strangers));
    this.#channels = channels;
    this.topics = topics;
    const { statistics } = reader;
    const isEmpty = statistics === undefined || topics.every(({ count }) => count === 0);
    this.startNs = isEmpty ? 0n : statistics.messageStartTime;
    this.endNs = isEmpty ? -1n : statistics.messageEndTime;
  }

  static async open(handle: FileHandle, label: string): Promise<McapFile> {
    const decompressors = await loadDecompressors();
    const file = fileReadable(handle);
    let reader: McapIndexedReader | undefined;
    try {
      reader = await McapIndexedReader.Initialize({ readable: file, decompressHandlers: decompressors });
    } catch {
      // No summary, or a broken one: the scan tells which.
    }
    if (reader !== undefined) checkCompression(reader, decompressors, label);
    if (reader !== undefined && isFullyIndexed(reader))
      return new McapFile(handle, label, decompressors, reader, undefined);
    const listed = Number(reader?.statistics?.messageCount ?? 0n);
    const recovered = await recoverMcap(file, decompressors);
    reader = await McapIndexedReader.Initialize({ readable: recovered.readable, decompressHandlers: decompressors });
    return new McapFile(handle, label, decompressors, reader, recovered, listed);
  }

  async *messages(filter: MessageFilter): AsyncGenerator<BagMessage> {
    let last = filter.fromNs;
    let atLast = 0;
    let resumed = 0;
    let delivered = 0;
    for (;;) {
      const reader = this.#reader;
      try {
        for await (const message of reader.readMessages(readerOptions(filter, last))) {
          const channel = this.#channels.get(message.channelId);
          if (channel === undefined) continue;
          if (resumed > 0 && message.logTime === last) {
            resumed -= 1;
            continue;
          }
          atLast = message.logTime === last ? atLast + 1 : 1;
          last = message.logTime;
          delivered += 1;
          yield { ...channel, logTimeNs: message.logTime, data: message.data };
        }
        this.#checkCount(filter, delivered);
        return;
      } catch (thrown) {
        // A damaged chunk: index the file anew without it and go on after what has been delivered.
        if (reader === this.#reader) await this.#recover(thrown);
        resumed = atLast;
      }
    }
  }

  /** The reader passes over a message index whose record head is broken without a word. */
  #checkCount(filter: MessageFilter, delivered: number): void {
    if (filter.fromNs !== undefined || filter.toNs !== undefined || this.faults.length > 0) return;
    const wanted = this.topics.filter(({ name }) => filter.topics?.has(name) ?? true);
    const expected = wanted.reduce((sum, { count }) => sum + count, 0);
    if (delivered < expected) this.faults.push(lossOf(this.#label, delivered, expected));
  }

  async #recover(why: unknown): Promise<void> {
    if (this.#recovered) {
      const detail = { code: "MESSAGE_CORRUPT", remedy: "Check the disk that the bag is on.", cause: why } as const;
      throw new Fault(`${this.#label} cannot be read on (${messageOf(why)})`, detail);
    }
    const recovered = await recoverMcap(fileReadable(this.#handle), this.#decompressors);
    this.#recovered = true;
    const listed = Number(this.#reader.statistics?.messageCount ?? 0n);
    this.faults.push(...recoveryFaults(this.#label, recovered, listed));
    this.#readable = recovered.readable;
    this.#reader = await McapIndexedReader.Initialize({
      readable: recovered.readable,
      decompressHandlers: this.#decompressors,
    });
  }

  async times(topic: string): Promise<bigint[]> {
    const ids = [...this.#channels].filter(([, channel]) => channel.topic === topic).map(([id]) => id);
    return await indexedTimes(this.#readable, this.#reader.chunkIndexes, ids);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Whether the summary alone finds every message: not so for files without chunks or without message indexes. */
function isFullyIndexed(reader: McapIndexedReader): boolean {
  const { statistics, chunkIndexes, channelsById } = reader;
  if (statistics === undefined) return false;
  if (statistics.messageCount === 0n) return true;
  const indexed = chunkIndexes.every((chunk) => chunk.messageIndexLength > 0n || chunk.messageEndTime === 0n);
  return channelsById.size > 0 && chunkIndexes.length > 0 && chunkIndexes.length === statistics.chunkCount && indexed;
}

function checkCompression(reader: McapIndexedReader, known: McapTypes.DecompressHandlers, label: string): void {
  const strange = reader.chunkIndexes.find(
    ({ compression }) => compression !== "" && !Object.hasOwn(known, compression),
  );
  if (strange === undefined) return;
  const names = Object.keys(known).join(", ");
  throw new Fault(`${label} is compressed with "${strange.compression}", wanted none or one of ${names}`, {
    code: "BAG_UNSUPPORTED",
    remedy: "Rewrite it with `mcap compress --compression zstd`.",
  });
}

function readerOptions(
  filter: MessageFilter,
  fromNs: bigint | undefined,
): Parameters<McapIndexedReader["readMessages"]>[0] {
  return {
    ...(filter.topics === undefined ? {} : { topics: [...filter.topics] }),
    ...(fromNs === undefined ? {} : { startTime: fromNs }),
    ...(filter.toNs === undefined ? {} : { endTime: filter.toNs }),
  };
}

function channelsOf(reader: McapIndexedReader): {
  channels: Channels;
  topics: readonly BagTopic[];
  strangers: readonly string[];
} {
  const channels = new Map<number, { topic: string; type: string }>();
  const topics = new Map<string, BagTopic>();
  const strangers: string[] = [];
  for (const { id, topic, schemaId, messageEncoding, metadata } of reader.channelsById.values()) {
    if (messageEncoding !== "cdr") {
      strangers.push(`${topic} (${messageEncoding || "no encoding"})`);
      continue;
    }
    const schema = reader.schemasById.get(schemaId);
    const type = fullTypeName(schema?.name ?? "");
    channels.set(id, { topic, type });
    const count = Number(reader.statistics?.channelMessageCounts.get(id) ?? 0n);
    const text = schema === undefined ? "" : new TextDecoder().decode(schema.data);
    topics.set(topic, {
      name: topic,
      type,
      count: count + (topics.get(topic)?.count ?? 0),
      schema: text === "" || schema === undefined ? undefined : { encoding: schema.encoding, text },
      isLatched: isLatchedBy(metadata.get("offered_qos_profiles")),
    });
  }
  return { channels, topics: [...topics.values()], strangers };
}

function unsupported(label: string, strangers: readonly string[]): Fault {
  return new Fault(`${label} has topics that are not in CDR, the encoding of ROS 2: ${strangers.join(", ")}`, {
    code: "BAG_UNSUPPORTED",
    remedy: "Convert the bag to ROS 2 (for example with `rosbags-convert`); these topics are left out.",
  });
}

/** `listed`: how many messages the summary speaks of, 0 where there is none. */
function recoveryFaults(label: string, recovered: RecoveredMcap, listed: number): Fault[] {
  const faults: Fault[] = [];
  const [first] = recovered.damaged;
  if (first !== undefined) {
    const others = recovered.damaged.length > 1 ? ` (and in ${recovered.damaged.length - 1} other places)` : "";
    const message = `${label} is damaged at byte ${first.offset}${others}: ${first.bytes} bytes left out, because ${first.why}`;
    const remedy = "Copy the file again from where it was recorded; everything around the damage is read.";
    faults.push(new Fault(message, { code: "MESSAGE_CORRUPT", remedy }));
  }
  if (recovered.cutAt !== undefined) {
    const message = `${label} breaks off at byte ${recovered.cutAt}: ${recovered.messageCount} messages before it are read`;
    const remedy = "Copy the file again, or go on with this part; `voxelguard bag cut` writes it as a whole bag.";
    faults.push(new Fault(message, { code: "BAG_TRUNCATED", remedy }));
  }
  // A broken record head makes a chunk look like something to be skipped.
  const expected = Math.max(listed, recovered.promisedCount);
  if (faults.length === 0 && recovered.messageCount < expected) {
    faults.push(lossOf(label, recovered.messageCount, expected));
  }
  return faults;
}

function lossOf(label: string, found: number, expected: number): Fault {
  return new Fault(`${label} is damaged: ${found} of ${expected} messages can be found`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Copy the file again from where it was recorded; what can be found is read.",
  });
}
