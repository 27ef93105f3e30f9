import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { demoBag } from "../../bench/support/drive.ts";
import { root } from "../launch/support.ts";
import { sharedData } from "../support/shared-data.ts";
import { tempFolder } from "../support/temp.ts";
import { elsewhere } from "./elsewhere.ts";
import { writeFirstPair } from "./inputs.ts";
import { wrongName, wrongWith } from "./known.ts";
import { codeSpansOf, commandsOf, fencesOf, pages, shellLinesOf } from "./markdown.ts";

const lines = pages.flatMap(shellLinesOf);
/** What a page calls by npm in a clone is the same program. */
const asInstalled = (text: string) => text.replace(/^npm run -s voxelguard -- /, "voxelguard ");
const isOurs = ({ text }: { readonly text: string }) => asInstalled(text).startsWith("voxelguard ");
const isElsewhere = (text: string) => elsewhere.some(({ line }) => line.test(text));

describe("the reader of these pages", () => {
  it("takes a line apart as a shell does", () => {
    expect(commandsOf('cd x && a --b "c d" > out.txt | wc -l   # why')).toEqual([
      ["cd", "x"],
      ["a", "--b", "c d"],
      ["wc", "-l"],
    ]);
    expect(commandsOf("export P=$(ros2 pkg prefix voxelguard)/share")).toContainEqual([
      "ros2",
      "pkg",
      "prefix",
      "voxelguard",
    ]);
  });

  it("refuses what there is not", async () => {
    const wrong = [
      "voxelguard replay",
      "voxelguard replay a.mcap --speed 2",
      "voxelguard fly",
      "npm run fly",
      "npm run demo -- --fast",
      "npm run bench -- fly",
      "ros2 launch voxelguard stereo.launch.py eyes:=2",
      "ros2 param set /stereo_voxel_node eyes 2",
      "ros2 service call /stereo_voxel_node/reset std_srvs/srv/Trigger",
      "python -m voxeltrain.fly",
      "python -m voxeltrain.train --wings 2",
    ];
    for (const line of wrong) expect(await wrongWith(commandsOf(line)[0]!), line).toBeTruthy();
    expect(wrongName("voxelguard bag info --wings")).toBe("--wings");
    expect(wrongName("voxelguard bag info | cut")).toBeUndefined();
  });
});

describe("commands of the pages", () => {
  it("stand in fences that name their language", () => {
    expect(lines.length).toBeGreaterThan(40);
    for (const page of pages) {
      const languages = fencesOf(page).map(({ language }) => language);
      for (const language of languages) expect(["sh", "ts", "yaml", "json", "text"], page).toContain(language);
      // A block by indentation would go unseen.
      expect(readFileSync(join(root, page), "utf8"), page).not.toMatch(/\n\n {4}(npm|voxelguard|ros2|python|git) /);
    }
  });

  it.each(lines.map((line) => [line.place, line] as const))(
    "%s: names what there is",
    async (_, { text, commands }) => {
      for (const words of commands) expect(await wrongWith(words), text).toBeUndefined();
    },
  );

  it.each(pages)("%s: the running text names what there is", (page) => {
    for (const span of codeSpansOf(page)) expect(wrongName(span), `${page}: ${span}`).toBeUndefined();
  });

  it("are run here, or said to run elsewhere", () => {
    const unknown = lines.filter((line) => !isElsewhere(line.text) && !isOurs(line));
    expect(unknown.map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
    const idle = elsewhere.filter(({ line }) => !lines.some(({ text }) => line.test(text)));
    expect(idle, "reasons for lines that no page has").toEqual([]);
  });
});

describe("run as they stand", () => {
  const folder = tempFolder();
  const detector = existsSync(join(root, "build/centernet/model.onnx"));
  const tsx = join(root, "node_modules/tsx/dist/loader.mjs");
  const yolox = sharedData("open/peers/yolox_nano.onnx");
  const own = lines.filter((line) => !isElsewhere(line.text) && isOurs(line));
  // What several pages show runs once.
  const bare = ({ text }: { readonly text: string }) => asInstalled(text).replace(/ +#.*/, "");
  const here = own.filter((line, i) => own.findIndex((other) => bare(other) === bare(line)) === i);
  /** Why a line cannot run on this machine, if so. */
  const missing = (text: string): string | undefined => {
    if (/yolox/.test(text)) return yolox === undefined ? "the shared data holds no yolox_nano.onnx" : undefined;
    return /voxelguard detect|--detect/.test(text) && !detector
      ? "build/centernet is not made: npm run setup"
      : undefined;
  };

  // Names of inputs as the pages use them: the beginning of the demo's drive, its first images, the others' detector.
  beforeAll(async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const main = join(root, "src/cli/main.ts");
    writeFileSync(join(bin, "voxelguard"), `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${main}" "$@"\n`);
    chmodSync(join(bin, "voxelguard"), 0o755);
    expect(shell(folder, `voxelguard bag cut ${demoBag} drive.mcap --to 0.3`)).toMatchObject({ status: 0 });
    await writeFirstPair(folder);
    symlinkSync(join(root, "models"), join(folder, "models"));
    if (yolox !== undefined) symlinkSync(yolox, join(folder, "yolox_nano.onnx"));
    const inputs = readdirSync(folder);
    for (const page of pages) {
      mkdirSync(join(folder, page), { recursive: true });
      for (const name of inputs) symlinkSync(join(folder, name), join(folder, page, name));
    }
  }, 240_000);

  function shell(cwd: string, text: string): { status: number | null; said: string } {
    const PATH = `${join(folder, "bin")}:${process.env["PATH"]}`;
    const { status, stdout, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", text], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, PATH, CI: "" },
      timeout: 120_000,
    });
    return { status, said: `${stdout}${stderr}` };
  }

  it.each(here.map((line) => [`${line.place}: ${bare(line)}`, line] as const))(
    "%s",
    { timeout: 180_000 },
    (_name, { place, text }) => {
      const reason = missing(text);
      if (reason !== undefined) {
        if (process.env["CI"] === "true") throw new Error(`${reason}; in CI this line must run`);
        console.warn(`skipped: ${place}: ${reason}`);
        return;
      }
      const { status, said } = shell(join(folder, place.split(":")[0]!), asInstalled(text));
      // `doctor --ros` calls it a failure that ROS is missing; it must not fail in any other way.
      const allowed = /doctor --ros/.test(text) ? [0, 1] : [0];
      expect(allowed, said).toContain(status);
      expect(said).not.toMatch(/^\[(USAGE|INTERNAL)\]$/m);
    },
  );

  /** What the example of a page prints. */
  const prints: Record<string, RegExp> = {
    "docs/start-bag.md": /^\d+ pairs; \[\]$/m,
    "docs/map.md": /^2\.0 m to the post$/m,
  };
  const examples = pages.flatMap((page) => fencesOf(page).map((fence) => ({ page, ...fence })));
  it.each(examples.filter(({ language }) => language === "ts").map((one) => [`${one.page}:${one.line}`, one] as const))(
    "%s: code",
    { timeout: 180_000 },
    (_name, { page, line, lines: code }) => {
      const entry = JSON.stringify(join(root, "src/index.ts"));
      const file = join(folder, page, `example-${line}.mts`);
      writeFileSync(file, code.join("\n").replaceAll('"voxelguard"', entry));
      const { status, said } = shell(join(folder, page), `"${process.execPath}" --import "${tsx}" ${file}`);
      expect(said).toMatch(prints[page]!);
      expect(status).toBe(0);
    },
  );
});
