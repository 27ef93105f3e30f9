import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compress } from "@foxglove/wasm-zstd";
import { describe, expect, it } from "vitest";
import {
  collect,
  readAll,
  someMessages,
  stringMessage,
  summary,
  writeDb3,
  writeMcap,
  writeMetadata,
} from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { openBag } from "./bag.ts";

const folder = tempFolder();
const messages = someMessages(20);
function makeFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("rosbag2 folders", () => {
  const parts = [messages.slice(0, 8), messages.slice(8, 15), messages.slice(15)];

  it.each(["mcap", "sqlite3"])("joins split files in order: %s", async (storage) => {
    const path = makeFolder(`split-${storage}`);
    const suffix = storage === "mcap" ? "mcap" : "db3";
    // The order of the list is not the order of time.
    for (const [at, part] of [parts[2]!, parts[0]!, parts[1]!].entries()) {
      const file = join(path, `drive_${at}.${suffix}`);
      if (storage === "mcap") await writeMcap(file, part);
      else writeDb3(file, part);
    }
    writeMetadata(
      path,
      [0, 1, 2].map((at) => `drive_${at}.${suffix}`),
      storage,
    );
    const bag = await openBag(path);
    expect(bag.storage).toBe(storage);
    expect(bag.topics.map(({ count }) => count)).toEqual([7, 13]);
    expect(summary(await collect(bag))).toEqual(summary(messages));
    expect(summary(await collect(bag, { fromNs: messages[10]!.timeNs }))).toEqual(summary(messages.slice(10)));
    expect(await bag.times("/b")).toEqual(messages.filter(({ topic }) => topic === "/b").map(({ timeNs }) => timeNs));
    expect(await bag.times("/none")).toEqual([]);
    await bag.close();
  });

  it("merges files that overlap in time", async () => {
    const path = makeFolder("overlap");
    await writeMcap(
      join(path, "a.mcap"),
      messages.filter((_, at) => at % 2 === 0),
    );
    await writeMcap(
      join(path, "b.mcap"),
      messages.filter((_, at) => at % 2 === 1),
    );
    const { got } = await readAll(writeMetadata(path, ["a.mcap", "b.mcap"], "mcap"));
    expect(summary(got)).toEqual(summary(messages));
  });

  it("reads a folder whose recording broke off before metadata.yaml, in natural order", async () => {
    const path = makeFolder("crashed");
    const same = messages.map((message) => ({ ...message, timeNs: 5n }));
    await writeMcap(join(path, "drive_10.mcap"), same.slice(10));
    await writeMcap(join(path, "drive_2.mcap"), same.slice(0, 10));
    const { got } = await readAll(path);
    expect(summary(got)).toEqual(summary(same));
  });

  it("reports a missing split file and reads the others", async () => {
    const path = makeFolder("missing");
    await writeMcap(join(path, "drive_0.mcap"), parts[0]!);
    await writeMcap(join(path, "drive_2.mcap"), parts[2]!);
    const { got, faults } = await readAll(
      writeMetadata(path, ["drive_0.mcap", "drive_1.mcap", "drive_2.mcap"], "mcap"),
    );
    expect(summary(got)).toEqual(summary([...parts[0]!, ...parts[2]!]));
    expect(faults.map(({ code }) => code)).toEqual(["BAG_TRUNCATED"]);
    expect(faults[0]!.message).toMatch(/lacks drive_1.mcap.*file 2 of 3/);
  });

  it("reports a split file that is damaged and reads the others", async () => {
    const path = makeFolder("broken-split");
    await writeMcap(join(path, "drive_0.mcap"), parts[0]!);
    writeFileSync(join(path, "drive_1.mcap"), "rubbish rubbish rubbish");
    const { got, faults } = await readAll(writeMetadata(path, ["drive_0.mcap", "drive_1.mcap"], "mcap"));
    expect(summary(got)).toEqual(summary(parts[0]!));
    expect(faults[0]!.message).toMatch(/drive_1.mcap is neither mcap nor sqlite3/);
  });

  it.each(["mcap", "sqlite3"])("unpacks compression_mode FILE and leaves no temporary files: %s", async (storage) => {
    const path = makeFolder(`file-${storage}`);
    const plain = join(folder, `plain-${storage}`);
    if (storage === "mcap") await writeMcap(plain, messages);
    else writeDb3(plain, messages);
    const name = `drive_0.${storage === "mcap" ? "mcap" : "db3"}.zstd`;
    writeFileSync(join(path, name), compress(readFileSync(plain), 3));
    const { got } = await readAll(writeMetadata(path, [name], storage, "FILE"));
    expect(summary(got)).toEqual(summary(messages));
    expect(await ownTempFolders()).toEqual([]);
  });

  it("unpacks compression_mode MESSAGE, and skips a frame that is damaged", async () => {
    const path = makeFolder("message-mode");
    const packed = messages.map((message) => ({ ...message, data: compress(message.data, 1) as Uint8Array }));
    packed[4] = { ...packed[4]!, data: packed[4]!.data.slice(0, 20) };
    writeDb3(join(path, "drive_0.db3"), packed);
    const { got, faults } = await readAll(writeMetadata(path, ["drive_0.db3"], "sqlite3", "MESSAGE"));
    expect(summary(got)).toEqual(summary(messages.filter((_, at) => at !== 4)));
    expect(faults.map(({ code }) => code)).toEqual(["MESSAGE_CORRUPT"]);
  });

  async function ownTempFolders(): Promise<string[]> {
    const { readdirSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const { makeTempFolder } = await import("./temp.ts");
    const probe = await makeTempFolder();
    const mine = readdirSync(tmpdir()).filter((name) => /^voxelguard-[^-]{6}$/.test(name));
    probe.remove();
    // Other tests may run beside this one; only folders that hold an unpacked bag of ours count.
    return mine.filter((name) => {
      try {
        return readdirSync(join(tmpdir(), name)).includes("plain");
      } catch {
        return false;
      }
    });
  }
});

describe("what is no bag", () => {
  it.each([
    [
      "random bytes",
      Buffer.from("This is not the file that you are looking for."),
      "BAG_NOT_A_BAG",
      /neither mcap nor sqlite3.*54686973/,
    ],
    ["an empty file", Buffer.alloc(0), "BAG_EMPTY", /0 bytes/],
    ["one byte", Buffer.of(0x89), "BAG_NOT_A_BAG", /neither/],
    ["mcap's magic alone", Buffer.from("\x89MCAP0\r\n", "latin1"), "BAG_NOT_A_BAG", /begins like an mcap/],
    ["sqlite3's magic alone", Buffer.from("SQLite format 3\0"), "BAG_NOT_A_BAG", /not a readable rosbag2 database/],
    [
      "sqlite3's magic and rubbish",
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(9000, 0x5a)]),
      "BAG_NOT_A_BAG",
      /not a readable/,
    ],
    ["zstd of rubbish", compress(Buffer.from("not a bag, packed")), "BAG_NOT_A_BAG", /neither/],
  ])("%s", async (name, bytes, code, message) => {
    const path = join(folder, name.replace(/\W/g, ""));
    writeFileSync(path, bytes);
    await expect(openBag(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("a path that is not there", async () => {
    await expect(openBag(join(folder, "nowhere"))).rejects.toMatchObject({ code: "BAG_NOT_A_BAG" });
  });

  it("a folder without a bag", async () => {
    const path = makeFolder("pictures");
    writeFileSync(join(path, "cat.jpg"), "");
    await expect(openBag(path)).rejects.toMatchObject({ message: expect.stringMatching(/without a bag.*cat\.jpg/) });
  });

  it("a folder whose files are all gone", async () => {
    const path = writeMetadata(makeFolder("gone"), ["a.mcap"], "mcap");
    await expect(openBag(path)).rejects.toMatchObject({
      code: "BAG_NOT_A_BAG",
      message: expect.stringMatching(/a\.mcap/),
    });
  });

  it("a bag without messages", async () => {
    const mcap = await writeMcap(join(folder, "silent.mcap"), []);
    await expect(openBag(mcap)).rejects.toMatchObject({ code: "BAG_EMPTY" });
    const db3 = writeDb3(join(folder, "silent.db3"), []);
    await expect(openBag(db3)).rejects.toMatchObject({
      code: "BAG_EMPTY",
      message: expect.stringMatching(/no topics/),
    });
  });

  it("messages that are not CDR", async () => {
    const mcap = await writeMcap(join(folder, "ros1.mcap"), messages, { encoding: "ros1" });
    await expect(openBag(mcap)).rejects.toMatchObject({
      code: "BAG_UNSUPPORTED",
      message: expect.stringMatching(/\/a \(ros1\)/),
    });
    const db3 = writeDb3(join(folder, "json.db3"), messages, { format: "json" });
    await expect(openBag(db3)).rejects.toMatchObject({ code: "BAG_UNSUPPORTED" });
  });

  it("chunk compression that nobody knows", async () => {
    const compressChunk = (data: Uint8Array) => ({ compression: "snappy", compressedData: data });
    const path = await writeMcap(join(folder, "snappy.mcap"), messages, { compressChunk });
    const wanted = {
      code: "BAG_UNSUPPORTED",
      message: expect.stringMatching(/compressed with "snappy", wanted none or/),
    };
    await expect(openBag(path)).rejects.toMatchObject(wanted);
  });

  it("a metadata.yaml that is broken: reads the files, says so", async () => {
    const path = makeFolder("bad-yaml");
    copyFileSync(await writeMcap(join(folder, "for-yaml.mcap"), messages), join(path, "x.mcap"));
    writeFileSync(join(path, "metadata.yaml"), "rosbag2_bagfile_information: {relative_file_paths: 7}");
    const { got, faults } = await readAll(path);
    expect(got.length).toBe(20);
    expect(faults[0]!.message).toMatch(/cannot be understood/);
  });
});

it("does not take a plain message for a compressed one", async () => {
  const path = await writeMcap(join(folder, "plain.mcap"), [
    { topic: "/a", timeNs: 1n, data: stringMessage("(\u00b5/\u00fd") },
  ]);
  expect((await readAll(path)).faults).toEqual([]);
});
