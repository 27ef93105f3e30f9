import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { stereoModelFolder } from "../../src/cli/model-folder.ts";
import { tempFolder } from "../support/temp.ts";
import { drive, writeBag } from "./drive.ts";
import { refusal } from "./program.ts";
import { countsOf, readMap } from "./read-map.ts";

// Each is a process that loads the network: slow where other work fills the machine.
vi.setConfig({ testTimeout: 240_000 });

const folder = tempFolder();
const at = (name: string) => join(folder, name);
const model = stereoModelFolder(undefined);

describe.concurrent("outputs and models", () => {
  it("an output below a file", async () => {
    const bag = await writeBag(at("w1.mcap"), await drive({ pairs: 1 }));
    writeFileSync(at("file"), "in the way");
    const answer = await refusal(bag, "--out", at("file/map.mcap"));
    expect(answer).toMatchObject({ exit: 1, code: "OUTPUT_UNWRITABLE" });
    expect(answer.message).toMatch(/Cannot write .*file\/map\.mcap \(.*ENOTDIR|EEXIST/);
    expect(answer.remedy).toContain("Choose another place");
  });

  it.each([["--report"], ["--preview"]])("%s below a file: the map is there, and what is not is said", async (flag) => {
    const name = `w2${flag}`;
    const bag = await writeBag(at(`${name}.mcap`), await drive({ pairs: 2 }));
    writeFileSync(at(`${name}.file`), "in the way");
    const answer = await refusal(bag, "--out", at(`${name}.out.mcap`), flag, at(`${name}.file/x`));
    expect(answer).toMatchObject({ exit: 1, code: "OUTPUT_UNWRITABLE" });
    expect((await countsOf(at(`${name}.out.mcap`)))["points"]).toBe(2);
  });

  it("a full disk", async () => {
    const bag = await writeBag(at("w3.mcap"), await drive({ pairs: 2 }));
    // Bytes for the output go where there is never room.
    symlinkSync("/dev/full", at("full.mcap.part"));
    const answer = await refusal(bag, "--out", at("full.mcap"));
    expect(answer).toMatchObject({ exit: 1, code: "OUTPUT_UNWRITABLE" });
    expect(answer.message).toMatch(/full\.mcap.*ENOSPC/);
    expect(answer.remedy).toMatch(/Make room/);
    expect(existsSync(at("full.mcap"))).toBe(false);
  });

  it("a disk that gets full on the way: what was written before is readable", async (context) => {
    const disk = at("small-disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=192k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      console.warn("skipped: mounting a small disk needs root");
      return context.skip();
    }
    try {
      const bag = await writeBag(at("w4.mcap"), await drive({ pairs: 60, width: 480, height: 320 }));
      const answer = await refusal(bag, "--out", join(disk, "map.mcap"), "--voxel-size", "0.1");
      expect(answer).toMatchObject({ exit: 1, code: "OUTPUT_UNWRITABLE" });
      expect(answer.message).toMatch(/map\.mcap.*ENOSPC/);
      expect(answer.remedy).toContain("map.mcap.part");
      expect(existsSync(join(disk, "map.mcap"))).toBe(false);
      const { messages, faults } = await readMap(join(disk, "map.mcap.part"));
      expect(faults.length).toBeGreaterThan(0);
      expect(messages.get("points")!.length).toBeGreaterThan(0);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("the bag itself as the output: refused, and the bag is whole", async () => {
    const bag = await writeBag(at("self.mcap"), await drive({ pairs: 2 }));
    const before = readFileSync(bag);
    const answer = await refusal(bag, "--out", bag);
    expect(answer).toMatchObject({ exit: 2, code: "USAGE" });
    expect(readFileSync(bag).equals(before)).toBe(true);
  });

  it("no model", async () => {
    const bag = await writeBag(at("m1.mcap"), await drive({ pairs: 1 }));
    const answer = await refusal(bag, "--model-path", at("no-model"));
    expect(answer).toMatchObject({ exit: 1, code: "MODEL_MISSING" });
    expect(answer.message).toMatch(/no model in .*no-model: .*manifest\.json cannot be read/);
  });

  it.each([
    ["graph", "MODEL_CORRUPT", /SHA-256 is \w+… \(\d+ bytes\), the manifest wants/],
    ["manifest", "MODEL_CORRUPT", /manifest\.json is no model manifest: keep: /],
  ] as const)("a corrupt %s", async (part, code, message) => {
    const bag = await writeBag(at(`m2-${part}.mcap`), await drive({ pairs: 1 }));
    const copy = at(`model-${part}`);
    cpSync(model, copy, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(copy, "manifest.json"), "utf8"));
    if (part === "manifest") writeFileSync(join(copy, "manifest.json"), JSON.stringify({ ...manifest, keep: [0.5] }));
    else {
      const bytes = readFileSync(join(copy, manifest.graph.file));
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(join(copy, manifest.graph.file), bytes);
    }
    const answer = await refusal(bag, "--model-path", copy);
    expect(answer).toMatchObject({ exit: 1, code });
    expect(answer.message).toMatch(message);
    expect(answer.remedy).toContain("Reinstall voxelguard");
  });

  it("a viewer port that is taken ends the program, and does not hang it", async () => {
    const bag = await writeBag(at("v1.mcap"), await drive({ pairs: 1 }));
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as { port: number };
    const answer = await refusal(bag, "--view", "--port", String(port));
    server.close();
    expect(answer).toMatchObject({ exit: 1, code: "PORT_UNAVAILABLE" });
  });
});
