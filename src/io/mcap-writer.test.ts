import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, stringMessage } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { openBag } from "./bag.ts";
import { McapSink, type McapSinkOptions } from "./mcap-writer.ts";

const folder = tempFolder();

async function writeSome(path: string, options: McapSinkOptions = {}): Promise<void> {
  const sink = await McapSink.open(path, options);
  sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");
  sink.addTopic("/words", "std_msgs/String");
  sink.addTopic("/map", "octomap_msgs/Octomap", { isLatched: true });
  for (let at = 0; at < 400; at += 1) {
    await sink.write("/words", BigInt(at) * 1_000_000n, stringMessage(`${at} ${"z".repeat(5000)}`));
  }
  await sink.close();
}

describe("what is written", () => {
  it.each(["zstd", "none"] as const)(
    "is the same bytes twice, and complete only at the end: %s",
    async (compression) => {
      const [a, b] = [join(folder, `a-${compression}.mcap`), join(folder, "new/folder", `b-${compression}.mcap`)];
      await writeSome(a, { compression });
      await writeSome(b, { compression });
      expect(Buffer.compare(readFileSync(a), readFileSync(b))).toBe(0);
      expect(existsSync(`${a}.part`)).toBe(false);
      const bag = await openBag(a);
      expect(bag.topics.map(({ name, type, count, isLatched }) => [name, type, count, isLatched])).toEqual([
        ["/map", "octomap_msgs/msg/Octomap", 0, true],
        ["/tf_static", "tf2_msgs/msg/TFMessage", 0, true],
        ["/words", "std_msgs/msg/String", 400, false],
      ]);
      expect(bag.topics[0]!.schema!.text).toContain("MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n");
      await bag.close();
    },
  );

  it("property: read(write(x)) = x, in order of time", async () => {
    const record = fc.record({
      topic: fc.constantFrom("/a", "/b/c", "/tf_static"),
      timeNs: fc.bigInt(0n, (1n << 63n) - 1n),
      // Any CDR begins with a zero byte.
      data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.of(0, 1, 0, 0, ...bytes)),
    });
    let run = 0;
    const property = fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (records) => {
      const path = join(folder, `property-${run}.mcap`);
      run += 1;
      const sink = await McapSink.open(path, { compression: run % 2 === 0 ? "zstd" : "none" });
      for (const { topic, timeNs, data } of records) {
        sink.addTopic(topic, "std_msgs/msg/String");
        const lent = data.slice();
        await sink.write(topic, timeNs, lent);
        lent.fill(0xff);
      }
      await sink.close();
      const bag = await openBag(path);
      const got = await collect(bag);
      await bag.close();
      expect(got).toEqual(records.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0)));
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("appears under its name on close; abandon leaves nothing, or the part", async () => {
    const path = join(folder, "later.mcap");
    for (const [end, left] of [
      [undefined, false],
      [{ keep: true }, true],
    ] as const) {
      const sink = await McapSink.open(path);
      sink.addTopic("/words", "std_msgs/msg/String");
      await sink.write("/words", 1n, stringMessage("hello"));
      expect(existsSync(path)).toBe(false);
      expect(existsSync(sink.partPath)).toBe(true);
      await sink.abandon(end);
      expect([existsSync(path), existsSync(sink.partPath)]).toEqual([false, left]);
    }
  });

  it("tells programmers of their errors", async () => {
    const sink = await McapSink.open(join(folder, "errors.mcap"));
    await expect(sink.write("/x", 1n, stringMessage(""))).rejects.toThrow("addTopic first");
    sink.addTopic("/x", "std_msgs/String");
    expect(() => sink.addTopic("/x", "sensor_msgs/Image")).toThrow("std_msgs/msg/String");
    const first = sink.write("/x", 1n, stringMessage(""));
    await expect(sink.write("/x", 2n, stringMessage(""))).rejects.toThrow("await");
    await first;
    await sink.close();
  });
});

describe("when the disk does not take it", () => {
  it.each([
    [
      "a file where a folder should be",
      "/dev/null/map.mcap",
      /Cannot write \/dev\/null\/map\.mcap \(.*(ENOTDIR|EEXIST)/,
    ],
    ["a place that takes no files", "/proc/map.mcap", /Cannot write \/proc\/map\.mcap/],
  ])("%s", async (_name, path, message) => {
    const wanted = { code: "OUTPUT_UNWRITABLE", message: expect.stringMatching(message) };
    await expect(McapSink.open(path)).rejects.toMatchObject(wanted);
  });

  it("a folder of that name", async () => {
    mkdirSync(join(folder, "taken.mcap"));
    const wanted = { code: "OUTPUT_UNWRITABLE", message: expect.stringMatching(/folder of this name/) };
    await expect(McapSink.open(join(folder, "taken.mcap"))).rejects.toMatchObject(wanted);
    expect(existsSync(join(folder, "taken.mcap.part"))).toBe(false);
  });

  it("a disk that is full", async () => {
    const path = join(folder, "full.mcap");
    symlinkSync("/dev/full", `${path}.part`);
    const wanted = {
      code: "OUTPUT_UNWRITABLE",
      message: expect.stringMatching(/ENOSPC/),
      remedy: expect.stringMatching(/full\.mcap\.part/),
    };
    await expect(McapSink.open(path)).rejects.toMatchObject(wanted);
    expect(existsSync(path)).toBe(false);
  });
});

it("a disk that fills up in the middle: the part can be read, an older file stays", async () => {
  const path = join(folder, "filled.mcap");
  writeFileSync(path, "older");
  const script = `
    import { McapSink } from ${JSON.stringify(new URL("./mcap-writer.ts", import.meta.url).href)};
    const sink = await McapSink.open(${JSON.stringify(path)}, { compression: "none" });
    sink.addTopic("/words", "std_msgs/msg/String");
    for (let at = 0; at < 1000; at += 1) {
      const data = new Uint8Array(10_000).fill(at);
      data.set([0, 1, 0, 0]);
      try {
        await sink.write("/words", BigInt(at), data);
      } catch (fault) {
        console.log(JSON.stringify({ at, fault }));
        await sink.abandon({ keep: true });
        break;
      }
    }`;
  // 3 MiB is all that this process may write to a file; the kernel then refuses as a full disk does.
  const shell = `trap '' XFSZ; ulimit -f 3072; exec "$0" --import tsx --input-type=module -e "$1"`;
  const { stdout } = spawnSync("bash", ["-c", shell, process.execPath, script], { encoding: "utf8" });
  const { at, fault } = JSON.parse(stdout) as { at: number; fault: { code: string; message: string } };
  expect(fault).toMatchObject({ code: "OUTPUT_UNWRITABLE", remedy: expect.stringMatching(/filled\.mcap\.part/) });
  expect(readFileSync(path, "utf8")).toBe("older");
  const bag = await openBag(`${path}.part`);
  const got = await collect(bag);
  expect(at).toBeGreaterThan(300);
  expect(got.length).toBeGreaterThan(200);
  expect(got.every(({ timeNs, data }, index) => timeNs === BigInt(index) && data[5_000] === index % 256)).toBe(true);
  await bag.close();
});

it("after kill -9 the part can be read up to its last chunk", async () => {
  const path = join(folder, "killed.mcap");
  const script = `
    import { McapSink } from ${JSON.stringify(new URL("./mcap-writer.ts", import.meta.url).href)};
    const sink = await McapSink.open(${JSON.stringify(path)}, { compression: "none" });
    sink.addTopic("/words", "std_msgs/msg/String");
    for (let at = 0; ; at += 1) {
      const data = new Uint8Array(10_000).fill(at);
      data.set([0, 1, 0, 0]);
      await sink.write("/words", BigInt(at), data);
      if (at === 500) process.stdout.write("far enough");
    }`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(path)).toBe(false);
  const bag = await openBag(`${path}.part`);
  const got = await collect(bag);
  expect(got.length).toBeGreaterThan(400);
  expect(got.every(({ timeNs, data }, at) => timeNs === BigInt(at) && data[5_000] === at % 256)).toBe(true);
  expect(bag.faults.map(({ code }) => code)).toEqual(["BAG_TRUNCATED"]);
  await bag.close();
});
