import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { someMessages, writeMcap } from "../../test/support/bag-fixtures.ts";
import { tempFolder } from "../../test/support/temp.ts";
import { bagCommand } from "./bag.ts";

const folder = tempFolder();
const source = await writeMcap(join(folder, "drive.mcap"), someMessages(20));
let printed = "";

beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function run(...args: string[]): Promise<string> {
  const command = bagCommand().exitOverride();
  for (const inner of command.commands) inner.exitOverride().configureOutput({ writeErr: () => {} });
  await command.parseAsync(args, { from: "user" });
  return printed;
}

describe("voxelguard bag", () => {
  it("info, for people", async () => {
    const text = await run("info", source);
    expect(text).toContain("mcap, 20 messages in 1.900 s");
    expect(text).toMatch(/\/a {2}std_msgs\/msg\/String {2}7\n/);
    expect(text).toMatch(/no stereo pair: TOPIC_MISSING/);
  });

  it("info --json", async () => {
    const info = JSON.parse(await run("info", source, "--json"));
    expect(info).toMatchObject({
      storage: "mcap",
      messageCount: 20,
      start_ns: "1000000000",
      stereo: { fault: { code: "TOPIC_MISSING" } },
    });
  });

  it("cut", async () => {
    const out = join(folder, "cut.mcap");
    expect(
      JSON.parse(await run("cut", source, out, "--from", "0.5", "--to", "1", "--topics", "/a", "/b", "--json")),
    ).toEqual({ out, messages: 6, faults: [] });
    printed = "";
    expect(await run("info", out)).toContain("6 messages");
  });

  it("faults reach the caller", async () => {
    await expect(run("info", join(folder, "nowhere"))).rejects.toMatchObject({ code: "BAG_NOT_A_BAG" });
    await expect(run("from-images", folder, "--out", "x.mcap")).rejects.toMatchObject({ code: "USAGE" });
    await expect(run("cut", source, "x.mcap", "--from", "noon")).rejects.toMatchObject({
      code: "commander.invalidArgument",
    });
  });

  it("help tells a newcomer what to type", () => {
    for (const inner of bagCommand().commands) {
      const help = inner.helpInformation();
      expect(help).toMatch(/Usage: .*bag|Usage: /);
      expect(help).toContain(inner.description());
    }
    expect(bagCommand().commands.map((inner) => inner.name())).toEqual(["info", "cut", "from-images"]);
  });
});
