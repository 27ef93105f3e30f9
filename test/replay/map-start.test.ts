import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { openModel } from "../../src/cli/model-folder.ts";
import { replay } from "../../src/cli/replay-run.ts";
import { Health } from "../../src/core/health.ts";
import { readOctomapFile } from "../../src/octree/octomap-file.ts";
import { readOctomapBinary } from "../../src/octree/octomap-read.ts";
import { mapFile } from "../../src/pipeline/map-file.ts";
import { tempFolder } from "../support/temp.ts";
import { drive, writeBag } from "./drive.ts";
import { refusal, voxelguard } from "./program.ts";
import { readMap } from "./read-map.ts";
import { config } from "./steps.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const folder = tempFolder();
const at = (name: string) => join(folder, name);

describe("replay --map", () => {
  let whole: Uint8Array;

  beforeAll(async () => {
    const bag = await writeBag(at("whole.mcap"), await drive({ pairs: 8 }));
    const model = await openModel(config);
    try {
      const onStep = ({ map }: Parameters<NonNullable<Parameters<typeof replay>[0]["onStep"]>>[0]) => {
        whole = mapFile("whole.ot", map);
      };
      await replay({ bag, topics: {}, config, model, health: new Health(), onStep });
    } finally {
      await model.close();
    }
    writeFileSync(at("whole.ot"), whole);
    await writeBag(at("short.mcap"), await drive({ pairs: 2 }));
  });

  it("goes on from a saved map", async () => {
    const { code, err } = await voxelguard("replay", at("short.mcap"), "--map", at("whole.ot"), "--out", at("on.mcap"));
    expect(code, err).toBe(0);
    const alone = await voxelguard("replay", at("short.mcap"), "--out", at("alone.mcap"));
    expect(alone.code, alone.err).toBe(0);
    const cellsOf = async (path: string) => {
      const { messages } = await readMap(path);
      const [, steps] = [...messages].find(([topic]) => topic.endsWith("octomap_binary"))!;
      return readOctomapBinary(steps[0]!.message["data"] as Int8Array).count;
    };
    expect(await cellsOf(at("on.mcap"))).toBeGreaterThan(await cellsOf(at("alone.mcap")));
  });

  it.each([
    [
      "of another resolution",
      (file: Buffer) => replaced(file, "res 0.5", "res 0.1"),
      "MAP_MISMATCH",
      "0.1 m; wanted 0.5",
      1,
    ],
    ["that is cut", (file: Buffer) => file.subarray(0, -3), "MESSAGE_CORRUPT", "inside the tree", 1],
    ["that is not there", undefined, "USAGE", "cannot be read", 2],
  ])("refuses a map %s", async (_, spoil, code, text, exit) => {
    const path = at(`${code}.ot`);
    if (spoil !== undefined) writeFileSync(path, spoil(Buffer.from(whole)));
    const said = await refusal(at("short.mcap"), "--map", path);
    expect(said).toMatchObject({ exit, code, message: expect.stringContaining(text) });
    expect(said.message).toContain(path);
  });

  it("is of use: the saved map holds what the drive saw", () => {
    expect(readOctomapFile(whole).leaves.count).toBeGreaterThan(100);
  });
});

function replaced(file: Buffer, from: string, to: string): Buffer {
  return Buffer.from(file.toString("latin1").replace(from, to), "latin1");
}
