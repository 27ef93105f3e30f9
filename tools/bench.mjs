/**
 * `npm run bench`: every bench/*.bench.ts, one process each, and one table of what they found at the end. Exit code 1
 * where a limit is not met. `npm run bench -- map` runs only those whose name holds the word. Shorter runs: `--rounds N`
 * (stereo, octomap) and `--frames N` (replay); `--bag PATH` takes the images of another drive than the demo's. `--keep`
 * copies the reports to bench/results, from which `npm run generate` makes a part of docs/performance.md.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** The limits are for a machine of two cores; on a larger one the benches get two. */
const CORES = "0,1";
/** For one bench: a hang must end. */
const TIMEOUT_MS = 40 * 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals: words } = parseArgs({
  options: {
    frames: { type: "string" },
    rounds: { type: "string" },
    bag: { type: "string" },
    keep: { type: "boolean" },
  },
  allowPositionals: true,
});
const { keep = false, ...handedOn } = values;
const options = Object.entries(handedOn).map(([name, value]) => `--${name}=${value}`);
const all = readdirSync(join(root, "bench")).filter((name) => name.endsWith(".bench.ts"));
const chosen = all.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no bench is called ${words.join(" or ")}; there are ${all.join(", ")}`);
  process.exitCode = 1;
}
const hasTaskset = spawnSync("taskset", ["-c", CORES, "true"]).status === 0;
const pinned = availableParallelism() > 2 && hasTaskset ? ["taskset", "-c", CORES] : [];

const lines = [];
for (const name of chosen) {
  console.log(`\n== ${name}`);
  const report = join(root, "out/bench", name.replace(".bench.ts", ".json"));
  // What an earlier run left must not pass for this one's.
  rmSync(report, { force: true });
  const [program, ...args] = [...pinned, process.execPath, "--expose-gc", "--import", "tsx", join("bench", name)];
  const { status, signal } = spawnSync(program, [...args, ...options], {
    cwd: root,
    stdio: "inherit",
    timeout: TIMEOUT_MS,
  });
  if (status === 0 && existsSync(report)) {
    lines.push(...JSON.parse(readFileSync(report, "utf8")).summary);
    if (keep) cpSync(report, join(root, "bench/results", basename(report)));
  } else
    lines.push({
      name,
      ours: "",
      peer: "",
      value: "",
      limit: "",
      verdict: `failed (${signal ?? `exit code ${status}`})`,
    });
}

if (lines.length > 0) {
  const head = { name: "bench", ours: "ours", peer: "peer", value: "compared", limit: "wanted", verdict: "verdict" };
  const columns = Object.keys(head);
  const rule = Object.fromEntries(columns.map((column) => [column, "---"]));
  const width = (column) => Math.max(...[head, ...lines].map((line) => line[column].length));
  // Markdown, so that it can go into docs/performance.md as it is.
  console.log();
  for (const line of [head, rule, ...lines]) {
    console.log(`| ${columns.map((column) => line[column].padEnd(width(column))).join(" | ")} |`);
  }
  console.log("\nThe details lie in out/bench/*.json.");
}
if (lines.some(({ verdict }) => verdict !== "ok" && verdict !== "context")) process.exitCode = 1;
