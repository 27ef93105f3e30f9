import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs `work` while no other process works on the same checkout. The lock is a file that names its owner; an owner that
 * is gone loses it. It lives outside the checkout because `npm ci` empties node_modules.
 * @param {string} root @param {() => void} work
 */
export function withLock(root, work) {
  const path = join(tmpdir(), `voxelguard-setup-${createHash("sha256").update(root).digest("hex").slice(0, 16)}.lock`);
  let said = false;
  while (!take(path)) {
    if (!said) console.error("setup: another setup of this checkout is running; waiting for it");
    said = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  const release = () => rmSync(path, { force: true });
  process.on("exit", release);
  try {
    work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const owner = ownerOf(path);
  if (owner !== undefined && !isAlive(owner)) {
    const aside = `${path}.${process.pid}`;
    try {
      renameSync(path, aside);
      // Between the look and the move somebody else may have cleared the stale lock and taken a fresh one: give it back.
      if (ownerOf(aside) !== owner) renameSync(aside, path);
      else rmSync(aside, { force: true });
    } catch {
      // Somebody else moved it first: the next round of waiting sees to it.
    }
  }
  return false;
}

function ownerOf(path) {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
