import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RANGE_M, type Scan } from "../../test/octree/scans.ts";

/** What bench/support/octomap.cpp prints. */
export interface OctomapRun {
  readonly insertMs: readonly number[];
  readonly castMs: number;
  /** Rays that met something, and the sum of all coordinates of the cells that they met. */
  readonly hits: number;
  readonly sum: number;
  /** `memoryUsage()` and leaves, as pruned by the inserting, and with every leaf of the finest level. */
  readonly bytes: number;
  readonly leaves: number;
  readonly expandedBytes: number;
  readonly cells: number;
}

export interface OctomapPeer {
  run(scans: readonly Scan[], rays: Float32Array, resolutionM: number): OctomapRun;
  close(): void;
}

/** OctoMap, compiled here at -O3 against the system's liboctomap. Undefined, with the reason printed, where it can't be. */
export function openOctomap(): OctomapPeer | undefined {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-bench-octomap-"));
  const program = join(folder, "octomap");
  const source = fileURLToPath(new URL("./octomap.cpp", import.meta.url));
  const built = spawnSync("g++", ["-O3", "-DNDEBUG", "-w", "-o", program, source, "-loctomap", "-loctomath"], {
    encoding: "utf8",
  });
  if (built.status !== 0) {
    const why = built.error?.message ?? built.stderr.split("\n")[0];
    console.log(`no peer: cannot build against liboctomap (apt install g++ liboctomap-dev): ${why}`);
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    run(scans, rays, resolutionM) {
      const file = join(folder, "scans");
      writeFileSync(file, bytesOf(scans, rays));
      const { status, stdout, stderr } = spawnSync(program, [file, String(resolutionM), String(RANGE_M)], {
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`bench/support/octomap.cpp: ${stderr}`);
      return JSON.parse(stdout) as OctomapRun;
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

function bytesOf(scans: readonly Scan[], rays: Float32Array): Uint8Array {
  const whole = (value: number) => Buffer.from(Int32Array.of(value).buffer);
  const floats = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const each = scans.flatMap(({ origin, xyz, count }) => [whole(count), floats(origin), floats(xyz)]);
  return Buffer.concat([whole(scans.length), ...each, whole(rays.length / 6), floats(rays)]);
}
