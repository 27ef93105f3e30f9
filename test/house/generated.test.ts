import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "generated-"));
  for (const path of [
    "package.json",
    "tools/generate.ts",
    "tools/bench-page.ts",
    "bench/results",
    "docs/performance.md",
    "src/config",
    "src/core",
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true }));

function generate(...words: string[]): { status: number | null; stderr: string } {
  const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
  return spawnSync(process.execPath, [tsx, join(copy, "tools/generate.ts"), ...words], { cwd: "/", encoding: "utf8" });
}

it("writes the generated files and notices when one drifts", () => {
  expect(generate("--check")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("launch/params/stereo.yaml"),
  });
  expect(generate().status).toBe(0);
  expect(generate("--check")).toMatchObject({ status: 0, stderr: "" });
  writeFileSync(join(copy, "docs/parameters.md"), "edited by hand\n");
  const { status, stderr } = generate("--check");
  expect(status).toBe(1);
  expect(stderr).toContain(
    "docs/parameters.md is not what the schemas (or bench/results) say. Line 1:\n- edited by hand\n+ # Parameters\n",
  );
});
