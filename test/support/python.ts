import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * A Python interpreter that can import all of `modules`; undefined where there is none, so that `describe.skipIf` skips
 * with the reason printed. In CI absence is an error.
 */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const candidates = [process.env["VOXELGUARD_PYTHON"], join(root, ".venv/bin/python")];
  for (const python of candidates) {
    if (python === undefined || !existsSync(python)) continue;
    const { status } = spawnSync(python, ["-c", `import ${modules.join(", ")}`], { stdio: "ignore" });
    if (status === 0) return python;
  }
  const reason = `no Python has ${modules.join(", ")}: run \`npm run setup\``;
  if (process.env["CI"] === "true") throw new Error(`${reason}; in CI this test must run`);
  console.warn(`skipped: ${reason}`);
  return undefined;
}
