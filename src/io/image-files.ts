import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault, messageOf } from "../core/fault.ts";
import type { Transform } from "../core/transform.ts";

const imageFile = /\.(jpe?g|png)$/i;

/**
 * JPEG and PNG files that a folder holds or a pattern names (`*` and `?` in the last part of the path), in natural order
 * (`2.png` before `10.png`). Throws `Fault` USAGE when there is none.
 */
export async function listImages(where: string): Promise<string[]> {
  const isFolder = (await stat(where).catch(() => undefined))?.isDirectory() === true;
  const folder = isFolder ? where : dirname(where);
  const pattern = isFolder ? imageFile : patternOf(basename(where));
  const names = await readdir(folder).catch((thrown: unknown) => {
    throw usage(`Cannot list ${folder} (${messageOf(thrown)})`, "Check the path.");
  });
  const found = names.filter((name) => pattern.test(name) && imageFile.test(name));
  if (found.length === 0)
    throw usage(`${where} names no .jpg or .png file`, "Quote patterns: --left 'drive/*_left.png'.");
  found.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return found.map((name) => join(folder, name));
}

/** The places of the two eyes in a folder: `left/` and `right/` (or other usual names) or `*left*` and `*right*`. */
export async function findEyes(folder: string): Promise<{ left: string; right: string }> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    throw usage(`Cannot list ${folder} (${messageOf(thrown)})`, "Check the path.");
  });
  for (const [left, right] of eyeFolders) {
    if (names.includes(left) && names.includes(right)) return { left: join(folder, left), right: join(folder, right) };
  }
  const has = (word: string): boolean => names.some((name) => name.includes(word) && imageFile.test(name));
  if (has("left") && has("right")) return { left: join(folder, "*left*"), right: join(folder, "*right*") };
  throw usage(
    `${folder} has neither folders ${eyeFolders.map((pair) => pair.join(" and ")).join(", ")} nor *left* and *right* images`,
    "Say where they are: --left 'DIR/*_l.png' --right 'DIR/*_r.png'.",
  );
}

const eyeFolders = [
  ["left", "right"],
  ["image_0", "image_1"],
  ["image_00", "image_01"],
  ["cam0", "cam1"],
] as const;

function patternOf(glob: string): RegExp {
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`);
}

/** One time a line, seconds (`1403715273.262142897`, read exactly) or whole nanoseconds (16 digits or more). */
export async function readTimestamps(path: string): Promise<bigint[]> {
  return (await lines(path)).map((line, at) => {
    const match = /^(\d+)(?:\.(\d+))?$/.exec(line);
    if (match === null)
      throw usage(`${path}, line ${at + 1}: "${line}" is no time in seconds`, "Write one number a line.");
    const [, whole = "", fraction = ""] = match;
    if (fraction === "" && whole.length >= 16) return BigInt(whole);
    return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
  });
}

/** One row-major 3x4 matrix a line (KITTI's poses.txt): camera to the first camera's optical frame, metres. */
export async function readPoses(path: string): Promise<Transform[]> {
  return (await lines(path)).map((line, at) => {
    const numbers = line.split(/[\s,]+/).map(Number);
    if (numbers.length === 12 && numbers.every(Number.isFinite)) return Float64Array.from(numbers);
    throw usage(
      `${path}, line ${at + 1} holds ${numbers.length} numbers, wanted 12`,
      "Write a 3x4 matrix a line, row by row.",
    );
  });
}

async function lines(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    throw usage(`Cannot read ${path} (${messageOf(thrown)})`, "Check the path.");
  });
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

export function usage(message: string, remedy: string): Fault {
  return new Fault(message, { code: "USAGE", remedy });
}
