/** `npm run bench`: every bench/*.bench.ts, one process each; `npm run bench -- map` only those whose name holds the word. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2);
const all = readdirSync(join(root, "bench")).filter((name) => name.endsWith(".bench.ts"));
const chosen = all.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no bench is called ${words.join(" or ")}; there are ${all.join(", ")}`);
  process.exitCode = 1;
}
for (const name of chosen) {
  console.log(`\n${name}`);
  const args = ["--expose-gc", "--import", "tsx", join("bench", name)];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
