/**
 * Remembers what a step was made from: a step is done while its inputs hash to what they did when it last ran and its
 * outputs exist. The stamps live in node_modules, so a removed node_modules forgets them.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @typedef {{ name: string, inputs: readonly string[], outputs: readonly string[] }} Stamped
 *   inputs are files or folders, outputs files or folders, all relative to the root
 */

const stampPath = (root, name) =>
  join(root, "node_modules/.cache/voxelguard", `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.stamp`);

/** @param {string} root @param {Stamped} step */
export function isDone(root, step) {
  if (!step.outputs.every((path) => existsSync(join(root, path)))) return false;
  const stamp = stampPath(root, step.name);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOf(root, step.inputs);
}

/** @param {string} root @param {Stamped} step */
export function remember(root, step) {
  const stamp = stampPath(root, step.name);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(`${stamp}.${process.pid}.tmp`, hashOf(root, step.inputs));
  renameSync(`${stamp}.${process.pid}.tmp`, stamp);
}

/** sha256 over the names and contents of the files below `inputs`; a missing one counts as such. Tests do not count. */
function hashOf(root, inputs) {
  const hash = createHash("sha256");
  for (const path of inputs.flatMap((input) => filesBelow(root, input)).sort()) {
    hash.update(`${path}\n`);
    hash.update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

function filesBelow(root, path) {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute)
    .filter((name) => !name.endsWith(".test.ts"))
    .flatMap((name) => filesBelow(root, `${path}/${name}`));
}
