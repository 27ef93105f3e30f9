import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openBag } from "../../src/io/bag.ts";
import { collect, stringMessage, summary } from "../support/bag-fixtures.ts";
import { pythonWith } from "../support/python.ts";
import { runPython } from "../support/run-python.ts";
import { tempFolder } from "../support/temp.ts";

const python = pythonWith("mcap", "lz4", "rosbags", "sqlite3");
const folder = python === undefined ? "" : tempFolder();
const count = 30;
const wanted = Array.from({ length: count }, (_, at) => ({
  topic: at % 2 === 0 ? "/even" : "/odd",
  timeNs: 1_700_000_000_000_000_000n + BigInt(at) * 1_000_000_007n,
  data: Uint8Array.from(stringMessage(`number ${at} ${"y".repeat(400)}`)),
}));

/** The same 30 messages by the `mcap` and the `rosbags` package, in every form that they can write. */
const script = `
import sys
from pathlib import Path
from mcap.writer import Writer, CompressionType, IndexType
from rosbags.rosbag2 import Writer as Bag, CompressionMode, CompressionFormat, StoragePlugin
from rosbags.typesys import Stores, get_typestore
folder = Path(sys.argv[1]); count = int(sys.argv[2])
store = get_typestore(Stores.ROS2_HUMBLE)
String = store.types["std_msgs/msg/String"]
def messages():
    for at in range(count):
        raw = bytes(store.serialize_cdr(String(data=f"number {at} " + "y" * 400), "std_msgs/msg/String"))
        yield ("/even" if at % 2 == 0 else "/odd"), 1700000000000000000 + at * 1000000007, raw
def mcap(name, **options):
    with open(folder / f"{name}.mcap", "wb") as stream:
        writer = Writer(stream, chunk_size=2000, **options)
        writer.start("ros2", "python")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\\n")
        ids = {topic: writer.register_channel(topic, "cdr", schema) for topic in ("/even", "/odd")}
        for topic, time, raw in messages():
            writer.add_message(ids[topic], time, raw, time)
        writer.finish()
for compression in CompressionType:
    mcap(f"chunks-{compression.name}", compression=compression)
    mcap(f"unindexed-{compression.name}", compression=compression, index_types=IndexType.NONE)
mcap("no-chunks", use_chunking=False)
mcap("bare", use_chunking=False, index_types=IndexType.NONE, use_statistics=False, use_summary_offsets=False, repeat_channels=False, repeat_schemas=False)
for plugin in StoragePlugin:
    for mode in CompressionMode:
        if plugin == StoragePlugin.SQLITE3 and mode == CompressionMode.STORAGE: continue
        bag = Bag(folder / f"bag-{plugin.name}-{mode.name}", version=9, storage_plugin=plugin)
        if mode != CompressionMode.NONE: bag.set_compression(mode, CompressionFormat.ZSTD)
        with bag:
            connections = {topic: bag.add_connection(topic, "std_msgs/msg/String", typestore=store) for topic in ("/even", "/odd")}
            for topic, time, raw in messages(): bag.write(connections[topic], time, raw)
`;

/** A recording that was killed: rosbag2's "resilient" preset leaves the messages in the write-ahead log. */
const walScript = `
import sys, sqlite3, os
base = sqlite3.connect(sys.argv[1]); base.execute("PRAGMA journal_mode=WAL"); base.execute("PRAGMA wal_autocheckpoint=0")
base.execute("CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, offered_qos_profiles TEXT)")
base.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)")
base.execute("INSERT INTO topics VALUES (1, '/even', 'std_msgs/msg/String', 'cdr', '')")
base.executemany("INSERT INTO messages(topic_id, timestamp, data) VALUES (1, ?, ?)", [(at + 5, b"\\0\\1\\0\\0" + bytes(50)) for at in range(100)])
base.commit(); sys.stdout.flush(); os._exit(0)
`;

describe.skipIf(python === undefined)("bags by Python's writers", () => {
  beforeAll(() => {
    runPython(python as string, script, folder, String(count));
  });

  it.each([
    "chunks-NONE.mcap",
    "chunks-LZ4.mcap",
    "chunks-ZSTD.mcap",
    "unindexed-NONE.mcap",
    "unindexed-LZ4.mcap",
    "unindexed-ZSTD.mcap",
    "no-chunks.mcap",
    "bare.mcap",
    "bag-SQLITE3-NONE",
    "bag-SQLITE3-FILE",
    "bag-SQLITE3-MESSAGE",
    "bag-MCAP-NONE",
    "bag-MCAP-FILE",
    "bag-MCAP-MESSAGE",
    "bag-MCAP-STORAGE",
  ])("%s", async (name) => {
    expect(existsSync(join(folder, name))).toBe(true);
    const bag = await openBag(join(folder, name));
    expect(bag.topics.map((topic) => [topic.name, topic.type, topic.count])).toEqual([
      ["/even", "std_msgs/msg/String", 15],
      ["/odd", "std_msgs/msg/String", 15],
    ]);
    const got = await collect(bag);
    expect(summary(got)).toEqual(summary(wanted));
    expect(got.every(({ data }, at) => Buffer.compare(data, wanted[at]!.data) === 0)).toBe(true);
    expect(bag.faults).toEqual([]);
    await bag.close();
  });

  it("a database with a write-ahead log that was never merged", async () => {
    mkdirSync(join(folder, "wal"));
    const path = join(folder, "wal", "x.db3");
    runPython(python as string, walScript, path);
    expect(existsSync(`${path}-wal`)).toBe(true);
    const bag = await openBag(path);
    expect((await collect(bag)).length).toBe(100);
    await bag.close();
  });
});
