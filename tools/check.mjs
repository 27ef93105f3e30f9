/**
 * `npm run check`: everything that is judged without running the project. All checks run, whatever fails, and what
 * failed is shown in full. `--report FILE` leaves the results as JSON.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const walled = ["src", "nodes"].filter((folder) => existsSync(join(root, folder)));
const checks = [
  { name: "format and lint", args: ["@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."] },
  { name: "types", args: ["typescript/bin/tsc", "-p", "."] },
  { name: "types of the viewer page", args: ["typescript/bin/tsc", "-p", "src/viewer"] },
  { name: "import walls", args: ["dependency-cruiser/bin/dependency-cruise.mjs", ...walled] },
  { name: "API reference", args: ["typedoc/bin/typedoc", "--emit", "none"] },
  { name: "generated files", args: ["tsx/dist/cli.mjs", "tools/generate.ts", "--check"] },
];

const results = checks.map(({ name, args: [script, ...args] }) => {
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const ok = status === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${stdout}${stderr}`.trim());
  return { name, ok };
});

const at = process.argv.indexOf("--report");
if (at !== -1) {
  const path = join(root, process.argv[at + 1]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(results, null, 2));
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
