import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = process.env["VOXELGUARD_DATA"] ?? resolve(root, "../shared/data");

/**
 * Path of a file or folder of the shared data, which is no part of the repository; undefined where it is absent, so
 * that `describe.skipIf(path === undefined)` skips with the reason printed. In CI absence is an error.
 */
export function sharedData(...path: readonly string[]): string | undefined {
  const absolute = join(folder, ...path);
  if (existsSync(absolute)) return absolute;
  const reason = `${absolute} is absent (VOXELGUARD_DATA names another folder)`;
  if (process.env["CI"] === "true") throw new Error(`${reason}; in CI this test must run`);
  console.warn(`skipped: ${reason}`);
  return undefined;
}
