import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const alive = new Set<string>();

/** A private folder for as long as something is open; `remove` it, or it goes when the process exits. */
export interface TempFolder {
  readonly path: string;
  remove(): void;
}

export async function makeTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), "voxelguard-"));
  if (alive.size === 0) process.once("exit", removeAll);
  alive.add(path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true });
      alive.delete(path);
      if (alive.size === 0) process.off("exit", removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of alive) rmSync(path, { recursive: true, force: true });
}
