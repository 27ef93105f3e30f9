import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, readAll, someMessages, summary, writeMcap, zstdChunks } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { openBag } from "./bag.ts";

const folder = tempFolder();
const messages = someMessages(20);

describe("mcap files", () => {
  it.each([
    ["indexed", {}],
    ["zstd chunks", zstdChunks],
    ["one chunk", { chunkSize: 1 << 20 }],
    ["without summary", { useChunkIndex: false, useStatistics: false, repeatChannels: false, repeatSchemas: false }],
    ["without message indexes", { useMessageIndex: false }],
    ["without chunks, as rosbag2's fastwrite preset", { useChunks: false }],
    ["without statistics", { useStatistics: false }],
    ["without channels in the summary", { repeatChannels: false }],
  ])("delivers everything: %s", async (name, options) => {
    const path = await writeMcap(join(folder, `${name.replace(/\W/g, "")}.mcap`), messages, options);
    const bag = await openBag(path);
    expect(await bag.times("/b")).toEqual(messages.filter(({ topic }) => topic === "/b").map(({ timeNs }) => timeNs));
    await bag.close();
    const { got, faults } = await readAll(path);
    expect(got).toEqual(messages.map((message) => ({ ...message, data: Uint8Array.from(message.data) })));
    expect(faults).toEqual([]);
  });

  it("orders by log time what was written out of order, indexed or not", async () => {
    const shuffled = messages.map((_, at) => messages[(at * 7) % messages.length]!);
    for (const [name, options] of [
      ["indexed", {}],
      ["loose", { useChunks: false }],
      ["bare", { useMessageIndex: false }],
    ] as const) {
      const { got } = await readAll(await writeMcap(join(folder, `shuffled-${name}.mcap`), shuffled, options));
      expect(summary(got)).toEqual(summary(messages));
    }
  });

  it("filters by topic and time, both ends included", async () => {
    const bag = await openBag(await writeMcap(join(folder, "filter.mcap"), messages));
    const filter = { topics: new Set(["/b"]), fromNs: messages[4]!.timeNs, toNs: messages[10]!.timeNs };
    const wanted = messages.filter(({ topic }, at) => topic === "/b" && at >= 4 && at <= 10);
    expect(summary(await collect(bag, filter))).toEqual(summary(wanted));
    expect(summary(await collect(bag, { topics: new Set() }))).toEqual([]);
    await bag.close();
  });

  it("lists topics with counts and the time span", async () => {
    const bag = await openBag(await writeMcap(join(folder, "topics.mcap"), messages, { useChunks: false }));
    expect(bag.topics.map(({ name, type, count }) => [name, type, count])).toEqual([
      ["/a", "std_msgs/msg/String", 7],
      ["/b", "std_msgs/msg/String", 13],
    ]);
    expect([bag.startNs, bag.endNs]).toEqual([messages[0]!.timeNs, messages.at(-1)!.timeNs]);
    await bag.close();
  });

  it("serves two iterations at once", async () => {
    const bag = await openBag(await writeMcap(join(folder, "twice.mcap"), messages));
    const [a, b] = await Promise.all([collect(bag), collect(bag)]);
    expect(summary(a)).toEqual(summary(messages));
    expect(summary(b)).toEqual(summary(messages));
    await bag.close();
  });
});

describe("cut mcap files", () => {
  // A cut at every byte from the end of the first chunk on: what is delivered must only grow, and never be wrong.
  it.each([
    ["uncompressed", {}, true],
    ["zstd", zstdChunks, false],
    ["without chunks", { useChunks: false }, true],
  ])("delivers everything before the cut: %s", async (name, options, insideChunk) => {
    const path = await writeMcap(join(folder, `cut-${name}.mcap`), messages, options);
    const whole = readFileSync(path);
    const counts: number[] = [];
    for (let size = whole.length - 1; size > 500; size -= 61) {
      truncateSync(path, size);
      const { got, faults } = await readAll(path);
      expect(summary(got)).toEqual(summary(messages.slice(0, got.length)));
      if (insideChunk) expect(got.length).toBe(wholeMessagesIn(whole.subarray(0, size)));
      expect(faults.map(({ code }) => code).filter((code) => code !== "BAG_TRUNCATED")).toEqual([]);
      counts.push(got.length);
    }
    expect(counts[0]).toBe(messages.length);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(Math.min(...counts)).toBeLessThan(8);
  });

  /** Message texts end in a run of x and a NUL; one is whole when that is there. */
  function wholeMessagesIn(bytes: Buffer): number {
    return bytes.toString("latin1").split(/message \d+ x{50}\0/).length - 1;
  }

  it("saves the whole blocks of a cut zstd chunk", async () => {
    let seed = 1;
    const random = (): number => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return seed & 0xff;
    };
    const noise = Array.from({ length: 8 }, (_, at) => {
      const data = Uint8Array.from({ length: 100_000 }, random);
      data.set([0, 1, 0, 0]);
      return { topic: "/a", timeNs: BigInt(at + 1), data };
    });
    const path = await writeMcap(join(folder, "block.mcap"), noise, { ...zstdChunks, chunkSize: 1 << 22 });
    truncateSync(path, 650_000);
    const { got, faults } = await readAll(path);
    // 650,000 bytes hold four whole blocks of 128 KiB.
    expect(got.length).toBe(5);
    expect(got.every(({ data }, at) => Buffer.compare(data, noise[at]!.data) === 0)).toBe(true);
    expect(faults[0]).toMatchObject({ code: "BAG_TRUNCATED" });
    expect(faults[0]!.message).toMatch(/breaks off at byte \d+: 5 messages before it are read/);
  });

  it("takes zeros after a power cut for the end", async () => {
    const path = await writeMcap(join(folder, "zeros.mcap"), messages);
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole.subarray(0, 1500), Buffer.alloc(5000)]));
    const { got, faults } = await readAll(path);
    expect(got.length).toBeGreaterThan(5);
    expect(summary(got)).toEqual(summary(messages.slice(0, got.length)));
    expect(faults.map(({ code }) => code)).toEqual(["BAG_TRUNCATED"]);
  });

  it("goes on after a damaged chunk in the middle, indexed or not", async () => {
    for (const options of [{}, { useMessageIndex: false }]) {
      const path = await writeMcap(join(folder, "damaged.mcap"), messages, options);
      const bytes = readFileSync(path);
      const at = bytes.indexOf("message 9 ");
      bytes.write("MESSAGE", at);
      writeFileSync(path, bytes);
      const { got, faults } = await readAll(path);
      const wanted = summary(messages);
      expect(wanted).toEqual(expect.arrayContaining(summary(got)));
      expect(got.length).toBeGreaterThanOrEqual(15);
      expect(got.length).toBeLessThan(20);
      expect(summary(got).at(-1)).toBe(wanted.at(-1));
      expect(faults.map(({ code }) => code)).toEqual(["MESSAGE_CORRUPT"]);
      expect(faults[0]!.message).toMatch(/checksum/);
    }
  });
});
