import { mkdirSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { describe, expect, it } from "vitest";
import { collect, readAll, someMessages, summary, writeDb3 } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { openBag } from "./bag.ts";

const folder = tempFolder();
const messages = someMessages(20);

function makeFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("sqlite3 files", () => {
  it("delivers everything in order of time, with and without an index", async () => {
    const shuffled = messages.map((_, at) => messages[(at * 7) % messages.length]!);
    for (const index of [true, false]) {
      const { got } = await readAll(writeDb3(join(folder, `index-${index}.db3`), shuffled, { index }));
      expect(summary(got)).toEqual(summary(messages));
    }
  });

  it("filters by topic and time", async () => {
    const bag = await openBag(writeDb3(join(folder, "filter.db3"), messages));
    const filter = { topics: new Set(["/a"]), fromNs: messages[3]!.timeNs, toNs: messages[9]!.timeNs };
    expect(summary(await collect(bag, filter))).toEqual(summary([3, 6, 9].map((at) => messages[at]!)));
    await bag.close();
  });

  it("leaves nothing beside the file, so that read-only bags open and readers do not shut each other out", async () => {
    const inner = makeFolder("alone");
    const path = writeDb3(join(inner, "x.db3"), messages);
    const [a, b] = [await openBag(path), await openBag(path)];
    for await (const message of a.messages()) {
      expect(message.topic).toBe("/a");
      expect(readdirSync(inner)).toEqual(["x.db3"]);
      break;
    }
    expect((await collect(b)).length).toBe(20);
    await a.close();
    await b.close();
  });

  it("reads what it can of a cut one", async () => {
    const recorded = someMessages(400, 2000);
    const path = writeDb3(join(folder, "cut.db3"), recorded);
    truncateSync(path, Math.floor(statSync(path).size * 0.6));
    const { got, faults } = await readAll(path);
    expect(got.length).toBeGreaterThan(150);
    expect(summary(got)).toEqual(summary(recorded.slice(0, got.length)));
    expect(faults.map(({ code }) => code)).toEqual(["BAG_TRUNCATED"]);
    expect(faults[0]!.remedy).toMatch(/\.recover/);
  });

  it("refuses a database that is no bag", async () => {
    const path = join(folder, "other.db3");
    const database = new sqlite.Database(path);
    database.exec("CREATE TABLE birds(name TEXT)");
    database.close();
    await expect(openBag(path)).rejects.toMatchObject({ code: "BAG_NOT_A_BAG" });
  });
});
