import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs a program to its end in `root`; throws when it cannot start or ends badly.
 * @param {string} root @param {string} command @param {string[]} args @param {Record<string, string>} env
 */
export function runOrThrow(root, command, args, env) {
  // npm is a .cmd on Windows, which only a shell starts.
  const shell = process.platform === "win32" && command === "npm";
  // The child's chatter goes to stderr: stdout belongs to the command that follows.
  const { status, error, signal } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", process.stderr, process.stderr],
    shell,
  });
  if (error) throw new Error(`cannot start ${command}: ${error.message}`);
  if (status !== 0)
    throw new Error(`\`${[command, ...args].join(" ")}\` ended with ${signal ?? `code ${status}`}; see above`);
}

/** @param {string} name @returns whether `name` is a program on the PATH */
export function isOnPath(name) {
  return (process.env.PATH ?? "")
    .split(process.platform === "win32" ? ";" : ":")
    .some((folder) => existsSync(join(folder, name)));
}
