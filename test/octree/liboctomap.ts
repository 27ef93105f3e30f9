import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("./liboctomap.cpp", import.meta.url));

/**
 * Path of the program in liboctomap.cpp, built on first use; undefined where g++ or liboctomap is absent, with the
 * reason printed. In CI absence is an error.
 */
export function liboctomapProgram(): string | undefined {
  const name = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), "voxelguard-liboctomap");
  const program = join(folder, name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  // Built under another name: a second test process may be building too.
  const partial = `${program}.${process.pid}`;
  const built = spawnSync("g++", ["-O1", "-w", "-o", partial, source, "-loctomap", "-loctomath"], { encoding: "utf8" });
  if (built.status === 0) {
    renameSync(partial, program);
    return program;
  }
  const why = built.error?.message ?? built.stderr.split("\n")[0];
  const reason = `cannot build against liboctomap (apt install g++ liboctomap-dev): ${why}`;
  if (process.env["CI"] === "true") throw new Error(`${reason}; in CI this test must run`);
  console.warn(`skipped: ${reason}`);
  return undefined;
}

/** Runs it; the input goes to its standard input, the result is its standard output. */
export function runLiboctomap(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`liboctomap: ${stderr.toString()}`);
  return stdout;
}
