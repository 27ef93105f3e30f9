import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compress } from "@foxglove/wasm-zstd";
import { McapWriter, type McapWriterOptions, TempBuffer } from "@mcap/core";
import sqlite from "node-sqlite3-wasm";
import type { Fault } from "../../src/core/fault.ts";
import { type Bag, openBag } from "../../src/io/bag.ts";
import type { BagMessage, MessageFilter } from "../../src/io/bag-file.ts";

export interface Recorded {
  readonly topic: string;
  readonly timeNs: bigint;
  readonly data: Uint8Array;
}

/** CDR of std_msgs/String. */
export function stringMessage(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\0`);
  const head = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** Strings of `count` messages on two topics, 0.1 s apart, each long enough that a few fill a small chunk. */
export function someMessages(count: number, padding = 50): Recorded[] {
  return Array.from({ length: count }, (_, at) => ({
    topic: at % 3 === 0 ? "/a" : "/b",
    timeNs: 1_000_000_000n + 100_000_000n * BigInt(at),
    data: stringMessage(`message ${at} ${"x".repeat(padding)}`),
  }));
}

/** An mcap file by @mcap/core's own writer with any options; the path. */
export async function writeMcap(
  path: string,
  messages: readonly Recorded[],
  options: Partial<McapWriterOptions> & { readonly encoding?: string } = {},
): Promise<string> {
  const buffer = new TempBuffer();
  const { encoding = "cdr", ...rest } = options;
  const writer = new McapWriter({ writable: buffer, chunkSize: 300, ...rest });
  await writer.start({ profile: "ros2", library: "test" });
  const data = new TextEncoder().encode("string data\n");
  const schemaId = await writer.registerSchema({ name: "std_msgs/msg/String", encoding: "ros2msg", data });
  const ids = new Map<string, number>();
  for (const topic of new Set(messages.map((message) => message.topic))) {
    const channel = { schemaId, topic, messageEncoding: encoding, metadata: new Map<string, string>() };
    ids.set(topic, await writer.registerChannel(channel));
  }
  for (const { topic, timeNs, data: bytes } of messages) {
    const channelId = ids.get(topic)!;
    await writer.addMessage({ channelId, sequence: 0, logTime: timeNs, publishTime: timeNs, data: bytes });
  }
  await writer.end();
  writeFileSync(path, buffer.get());
  return path;
}

/** All that a bag delivers, copied at once; what is lent is overwritten afterwards, so that a reader who keeps it is found out. */
export async function collect(bag: Bag, filter?: MessageFilter): Promise<Recorded[]> {
  const all: Recorded[] = [];
  for await (const message of bag.messages(filter)) all.push(copyOf(message));
  return all;
}

function copyOf({ topic, logTimeNs, data }: BagMessage): Recorded {
  const copy = { topic, timeNs: logTimeNs, data: Uint8Array.from(data) };
  data.fill(0xff);
  return copy;
}

/** For comparing without walls of bytes. */
export function summary(messages: readonly Recorded[]): string[] {
  return messages.map(
    ({ topic, timeNs, data }) => `${topic} ${timeNs} ${Buffer.from(data).toString("latin1").slice(8, 22)}`,
  );
}

/** Opens, collects, closes. */
export async function readAll(path: string): Promise<{ got: Recorded[]; faults: readonly Fault[] }> {
  const bag = await openBag(path);
  try {
    const got = await collect(bag);
    return { got, faults: bag.faults };
  } finally {
    await bag.close();
  }
}

/** A rosbag2 database of strings; the path. */
export function writeDb3(
  path: string,
  recorded: readonly Recorded[],
  options: { format?: string; index?: boolean } = {},
): string {
  const database = new sqlite.Database(path);
  database.exec(
    "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, offered_qos_profiles TEXT);" +
      "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);",
  );
  if (options.index !== false) database.exec("CREATE INDEX timestamp_idx ON messages (timestamp ASC)");
  const names = [...new Set(recorded.map(({ topic }) => topic))];
  for (const [at, name] of names.entries()) {
    database.run("INSERT INTO topics VALUES (?, ?, 'std_msgs/msg/String', ?, '')", [
      at + 1,
      name,
      options.format ?? "cdr",
    ]);
  }
  database.exec("BEGIN");
  for (const { topic, timeNs, data } of recorded) {
    const row = [names.indexOf(topic) + 1, timeNs, data];
    database.run("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", row);
  }
  database.exec("COMMIT");
  database.close();
  return path;
}

/** metadata.yaml as rosbag2 writes it, less what nobody reads; the folder. */
export function writeMetadata(path: string, files: readonly string[], storage: string, mode = ""): string {
  const lines = [
    "rosbag2_bagfile_information:",
    "  version: 5",
    `  storage_identifier: ${storage}`,
    `  compression_format: "${mode === "" ? "" : "zstd"}"`,
    `  compression_mode: "${mode}"`,
    "  relative_file_paths:",
    ...files.map((file) => `    - ${file}`),
  ];
  writeFileSync(join(path, "metadata.yaml"), `${lines.join("\n")}\n`);
  return path;
}

/** For `writeMcap`. */
export const zstdChunks = {
  compressChunk: (data: Uint8Array) => ({ compression: "zstd", compressedData: compress(data, 1) }),
};
