import { spawnSync } from "node:child_process";

/** Runs a script with arguments; its stdout. Throws with its stderr when it fails. */
export function runPython(python: string, script: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python, ["-c", script, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`python ended with ${status}: ${stderr}`);
  return stdout;
}
