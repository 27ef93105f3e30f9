import { compress, isLoaded } from "@foxglove/wasm-zstd";
import { McapWriter } from "@mcap/core";
import { fullTypeName, schemaText } from "../msg/definitions.ts";
import { offeredQosProfiles } from "../msg/qos.ts";
import type { BagTopic } from "./bag-file.ts";
import { OutputFile } from "./output-file.ts";

/** rosbag2's own chunk size: what a crash can cost. */
const chunkBytes = 768 * 1024;

/** How the file is written. */
export interface McapSinkOptions {
  /** Of chunks; `none` suits messages that are compressed already. */
  readonly compression?: "zstd" | "none";
}

/** What a reader should know of a topic. */
export interface SinkTopicOptions {
  /** Transient local when replayed; /tf_static is so without being told. */
  readonly isLatched?: boolean;
  /** Definition to store where this project knows none of that type. */
  readonly schema?: BagTopic["schema"];
}

/**
 * Writes a ROS 2 mcap file: profile `ros2`, CDR messages, `ros2msg` schemas, chunks with indexes. The same calls give
 * the same bytes. The file appears under its name on `close`; until then, and after a crash, `<path>.part` can be read
 * up to its last chunk. Await each call before the next. Throws `Fault` OUTPUT_UNWRITABLE when the disk refuses; then
 * only `abandon` is left to call.
 */
export class McapSink {
  readonly #file: OutputFile;
  readonly #writer: McapWriter;
  readonly #topics = new Map<string, SinkTopic>();
  readonly #schemaIds = new Map<string, number>();
  #busy = false;

  private constructor(file: OutputFile, writer: McapWriter) {
    this.#file = file;
    this.#writer = writer;
  }

  /** Begins a file. Throws `Fault` where it cannot be written. */
  static async open(path: string, options: McapSinkOptions = {}): Promise<McapSink> {
    await isLoaded;
    const file = await OutputFile.open(path);
    const compressChunk = (data: Uint8Array): { compression: string; compressedData: Uint8Array } => ({
      compression: "zstd",
      compressedData: compress(data, 1),
    });
    const writer = new McapWriter({
      writable: file,
      chunkSize: chunkBytes,
      ...(options.compression === "none" ? {} : { compressChunk }),
    });
    const sink = new McapSink(file, writer);
    try {
      await writer.start({ profile: "ros2", library: "voxelguard" });
    } catch (thrown) {
      await file.abandon({ keep: true });
      throw thrown;
    }
    return sink;
  }

  /** Where the bytes go until `close`. */
  get partPath(): string {
    return this.#file.partPath;
  }

  /** Declares a topic; a topic without messages is listed in the file, too. Twice the same is fine. */
  addTopic(name: string, typeName: string, options: SinkTopicOptions = {}): void {
    const type = fullTypeName(typeName);
    const before = this.#topics.get(name);
    if (before !== undefined && before.type !== type) throw new Error(`${name} is ${before.type}, not ${type}`);
    if (before === undefined) this.#topics.set(name, { type, options, channelId: undefined, sequence: 0 });
  }

  /** `data`: CDR with its 4-byte header, copied before this returns control to others. */
  async write(name: string, logTimeNs: bigint, data: Uint8Array): Promise<void> {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new Error(`No topic ${name}: call addTopic first`);
    await this.#step(async () => {
      if (topic.channelId === undefined) await this.#register();
      const channelId = topic.channelId as number;
      const sequence = topic.sequence;
      topic.sequence += 1;
      await this.#writer.addMessage({ channelId, sequence, logTime: logTimeNs, publishTime: logTimeNs, data });
    });
  }

  /** Ends the file and gives it its name. */
  async close(): Promise<void> {
    await this.#step(async () => {
      await this.#register();
      await this.#writer.end();
      await this.#file.finish();
    });
  }

  /** Gives up: closes and removes the part, or keeps it with `keep`. For use after a fault as well. */
  async abandon(options: { readonly keep: boolean } = { keep: false }): Promise<void> {
    await this.#file.abandon(options);
  }

  /** Topics become channels in the order in which they were added, whatever is written first. */
  async #register(): Promise<void> {
    for (const [name, topic] of this.#topics) {
      if (topic.channelId !== undefined) continue;
      const isLatched = topic.options.isLatched ?? name.endsWith("/tf_static");
      topic.channelId = await this.#writer.registerChannel({
        schemaId: await this.#schemaId(topic),
        topic: name,
        messageEncoding: "cdr",
        metadata: new Map([["offered_qos_profiles", offeredQosProfiles(isLatched)]]),
      });
    }
  }

  async #schemaId({ type, options }: SinkTopic): Promise<number> {
    const before = this.#schemaIds.get(type);
    if (before !== undefined) return before;
    const { encoding, text } = options.schema ?? { encoding: "ros2msg", text: schemaText(type) ?? "" };
    const id = await this.#writer.registerSchema({ name: type, encoding, data: new TextEncoder().encode(text) });
    this.#schemaIds.set(type, id);
    return id;
  }

  async #step(act: () => Promise<void>): Promise<void> {
    if (this.#busy) throw new Error("McapSink: await the call before");
    this.#busy = true;
    try {
      await act();
    } finally {
      this.#busy = false;
    }
  }
}

interface SinkTopic {
  readonly type: string;
  readonly options: SinkTopicOptions;
  channelId: number | undefined;
  sequence: number;
}
