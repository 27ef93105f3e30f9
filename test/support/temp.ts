import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * A folder for the files of one test file, gone when its tests are done. Not for files whose tests are
 * all skipped: vitest then runs no hooks.
 */
export function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "voxelguard-test-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
