import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pythonWith } from "../../test/support/python.ts";
import { root } from "./report.ts";

/** What to tell who has no graph to compare with. */
export const noBaseline = `The reference graph is not there and cannot be made: that takes a Python with torch, onnx, onnxscript and
onnxruntime. Run \`npm run setup\` (it makes .venv with all of them; 3.11 or newer is wanted), or let VOXELGUARD_PYTHON name
an interpreter that has the packages of training/requirements-test.txt, and run \`npm run bench -- stereo\` again.`;

/**
 * The reference network as ONNX with random weights, made on demand from training/baseline and kept in
 * ~/.cache/voxelguard; the name holds the hash of its sources. Undefined where no Python can make it.
 */
export function baselineGraph(): string | undefined {
  const folder = join(root, "training/baseline");
  const hash = createHash("sha256");
  const sources = readdirSync(folder).filter((name) => name.endsWith(".py"));
  for (const name of sources.sort()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  const cache = join(homedir(), ".cache/voxelguard");
  const path = join(cache, `baseline-${hash.digest("hex").slice(0, 12)}.onnx`);
  if (existsSync(path)) return path;

  const python = pythonWith("torch", "onnx", "onnxscript", "onnxruntime");
  if (python === undefined) return undefined;
  console.log(`making ${path} (half a minute) ...`);
  mkdirSync(cache, { recursive: true });
  const { status, stderr } = spawnSync(python, ["-m", "baseline.export", "--out", path], {
    cwd: join(root, "training"),
    encoding: "utf8",
    stdio: ["ignore", "inherit", "pipe"],
  });
  if (status !== 0 || !existsSync(path))
    throw new Error(`training/baseline/export.py ended with ${status}:\n${stderr}`);
  return path;
}
