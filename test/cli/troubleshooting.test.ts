import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeProgram } from "../../src/cli/program.ts";
import { stereoNodeSchema } from "../../src/config/stereo-node-schema.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| "/.test(line))
  .map((line) => line.split(" | "));
/** Text of the code, test code left out, by folder of src/. */
const sources = readdirSync(join(root, "src"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name: folder }) => folder)
  .map((folder) =>
    readdirSync(join(root, "src", folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
      .map((path) => readFileSync(join(root, "src", folder, path), "utf8"))
      .join("\n"),
  );

it("quotes what the code says, under the code's own fault codes", () => {
  expect(rows.length).toBeGreaterThanOrEqual(15);
  const codes = readFileSync(join(root, "src/core/fault.ts"), "utf8");
  for (const [quoted, code] of rows) {
    const text = /^\| "(.+)"$/.exec(quoted!)?.[1];
    const said = sources.filter((source) => source.includes(text!));
    expect(said, `"${text}" is said nowhere in src/`).not.toHaveLength(0);
    expect(codes).toContain(`  | "${code}"`);
    expect(
      said.some((source) => source.includes(`"${code}"`)),
      `${code} is not in the folder that says "${text}"`,
    ).toBe(true);
  }
});

it("names commands, options and parameters that there are", () => {
  const commands = makeProgram().commands;
  const options = commands.flatMap((command) => [command, ...command.commands]).flatMap(({ options: all }) => all);
  const known = new Set(options.map(({ long }) => long));
  const named = [...page.matchAll(/`[^`\n]*`/g)].map(([text]) => text);
  for (const text of named) {
    for (const [, command] of text.matchAll(/voxelguard (\w+)/g)) {
      expect(
        commands.map((one) => one.name()),
        text,
      ).toContain(command);
    }
  }
  // Of other programs.
  const foreign = ["--stereo", "--clock"];
  for (const [option] of page.matchAll(/--[a-z][a-z-]+/g))
    if (!foreign.includes(option)) expect(known).toContain(option);
  const parameters = named
    .map((text) => text.slice(1, -1))
    .filter((text) => /^(map\.|sync_|approximate_|voxel_)\w+$/.test(text));
  expect(parameters.length).toBeGreaterThan(3);
  for (const name of parameters) expect(Object.keys({ ...stereoNodeSchema, ...stereoSchema })).toContain(name);
});
