import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, someMessages, stringMessage, summary, writeMcap } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { Fault } from "../core/fault.ts";
import { openBag } from "./bag.ts";
import { bagInfo, cutBag } from "./bag-tools.ts";
import { McapSink } from "./mcap-writer.ts";

const folder = tempFolder();
const messages = someMessages(20);
const source = await writeMcap(join(folder, "source.mcap"), messages);

async function contents(path: string): Promise<string[]> {
  const bag = await openBag(path);
  const got = summary(await collect(bag));
  await bag.close();
  return got;
}

it("info: storage, span, topics, and why there is no pair", async () => {
  const info = await bagInfo(source);
  expect(info).toMatchObject({
    storage: "mcap",
    startNs: 1_000_000_000n,
    endNs: 2_900_000_000n,
    messageCount: 20,
    faults: [],
  });
  expect(info.topics).toEqual([
    { name: "/a", type: "std_msgs/msg/String", count: 7 },
    { name: "/b", type: "std_msgs/msg/String", count: 13 },
  ]);
  expect(info.stereo).toBeInstanceOf(Fault);
});

describe("cut", () => {
  it("copies a stretch unchanged, both ends included, with the bag's own schema", async () => {
    const out = join(folder, "stretch.mcap");
    const result = await cutBag(source, out, { fromS: 0.5, toS: 1.2 });
    expect(result).toEqual({ messageCount: 8, faults: [] });
    expect(await contents(out)).toEqual(summary(messages.slice(5, 13)));
    const [before, after] = [await openBag(source), await openBag(out)];
    expect(after.topics[0]!.schema).toEqual(before.topics[0]!.schema);
    await before.close();
    await after.close();
  });

  it("copies chosen topics", async () => {
    const out = join(folder, "topics.mcap");
    await cutBag(source, out, { topics: ["/a"] });
    expect(await contents(out)).toEqual(summary(messages.filter(({ topic }) => topic === "/a")));
  });

  it("makes a whole bag of one that breaks off", async () => {
    const broken = await writeMcap(join(folder, "broken.mcap"), messages);
    truncateSync(broken, 1500);
    const out = join(folder, "mended.mcap");
    const { messageCount, faults } = await cutBag(broken, out);
    expect(faults.map(({ code }) => code)).toEqual(["BAG_TRUNCATED"]);
    expect(messageCount).toBeGreaterThan(5);
    const bag = await openBag(out);
    expect([bag.faults, summary(await collect(bag))]).toEqual([[], summary(messages.slice(0, messageCount))]);
    await bag.close();
  });

  it("keeps static transforms from before the stretch", async () => {
    const path = join(folder, "static.mcap");
    const sink = await McapSink.open(path);
    sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");
    sink.addTopic("/b", "std_msgs/msg/String");
    await sink.write("/tf_static", 0n, stringMessage("static"));
    for (let s = 0; s < 5; s += 1) await sink.write("/b", BigInt(s) * 1_000_000_000n, stringMessage(`second ${s}`));
    await sink.close();
    const out = join(folder, "static-cut.mcap");
    await cutBag(path, out, { fromS: 2.5 });
    expect(await contents(out)).toEqual([
      "/tf_static 2500000000 static\0",
      "/b 3000000000 second 3\0",
      "/b 4000000000 second 4\0",
    ]);
    const bag = await openBag(out);
    expect(bag.topics.map(({ name, isLatched }) => [name, isLatched])).toEqual([
      ["/b", false],
      ["/tf_static", true],
    ]);
    await bag.close();
  });

  it.each([
    ["a stretch beyond the end", { fromS: 50 }, "BAG_EMPTY", /from 50 s/],
    ["a topic that is not there", { topics: ["/a", "/x"] }, "TOPIC_MISSING", /no topic \/x; it has \/a, \/b/],
  ])("%s: says so and leaves no file", async (_name, options, code, message) => {
    const out = join(folder, "none.mcap");
    await expect(cutBag(source, out, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, false]);
  });

  it("a full disk: leaves an older file as it was", async () => {
    const big = await writeMcap(join(folder, "big.mcap"), someMessages(200, 20_000));
    const out = join(folder, "full.mcap");
    writeFileSync(out, "older");
    symlinkSync("/dev/full", `${out}.part`);
    await expect(cutBag(big, out)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(readFileSync(out, "utf8")).toBe("older");
  });
});
