/**
 * `npm test`: the tests of the TypeScript code (vitest), then those of the training kit (pytest). `npm test -- src/io`
 * hands its words to vitest and leaves pytest out. `--report DIR` leaves vitest.json and pytest.xml there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2);
const at = words.indexOf("--report");
const report = at === -1 ? undefined : join(root, words.splice(at, 2)[1]);
if (report !== undefined) {
  mkdirSync(report, { recursive: true });
  // A report of an earlier run must not pass for one of this run.
  for (const name of ["vitest.json", "pytest.xml"]) rmSync(join(report, name), { force: true });
}

const python = [process.env.VOXELGUARD_PYTHON, ".venv/bin/python", ".venv/Scripts/python.exe"].find(
  (path) => path && existsSync(join(path.startsWith("/") ? "" : root, path)),
);

const run = (program, args) => spawnSync(program, args, { cwd: root, stdio: "inherit" }).status === 0;

const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", ...words];
if (report !== undefined) {
  vitest.push("--reporter=default", "--reporter=json", `--outputFile.json=${join(report, "vitest.json")}`);
}
let ok = run(process.execPath, vitest);
if (words.length === 0) {
  const pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "training/tests"];
  if (report !== undefined) pytest.push(`--junitxml=${join(report, "pytest.xml")}`);
  if (python === undefined) console.error("No Python for the tests of training/: run `npm run setup`.");
  ok = python !== undefined && run(python, pytest) && ok;
}
process.exitCode = ok ? 0 : 1;
