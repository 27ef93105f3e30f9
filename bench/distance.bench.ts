import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DistanceField } from "../src/octree/distance.ts";
import { OccupancyMap } from "../src/octree/occupancy-map.ts";
import { GRID_OCCUPIED, makeProjection, type Projection, projectInto } from "../src/octree/project.ts";
import { opticalPose } from "../test/octree/frames.ts";
import { streetFrame, streetGrid } from "../test/octree/street.ts";
import { machineNow, median, ms, type SummaryLine, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const FRAMES = 200;
const STEP_M = 0.02;
const REACH_M = 5;
const ROUNDS = 3;

/** Grids of a slow drive, within one place of the rolling window: the same grid all the time, as an update has it mostly. */
function drive(): Projection[] {
  const map = new OccupancyMap({ resolutionM: streetGrid.voxelSizeM, windowM: 100 });
  const grids: Projection[] = [];
  for (let n = 0; n < FRAMES; n += 1) {
    map.insertFrame(
      streetFrame(Math.sin(n) * 2),
      opticalPose(1 + n * STEP_M * 0.5, 0.1, 1.6, 0.4 * Math.sin(n / 40)),
      BigInt(n) * 100_000_000n,
    );
    const grid = makeProjection();
    projectInto(grid, map, 0.3, 2);
    grids.push(grid);
  }
  return grids;
}

interface PeerRun {
  readonly updateMs: readonly number[];
  readonly sum: number;
}

/** OctoMap's dynamicEDT3D (Lau, Sprunk, Burgard 2013), compiled here at -O3. Undefined, with the reason printed, where not. */
function runPeer(grids: readonly Projection[], reach: number): PeerRun | undefined {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-bench-distance-"));
  try {
    const program = join(folder, "distance");
    const source = fileURLToPath(new URL("./support/distance.cpp", import.meta.url));
    const built = spawnSync("g++", ["-O3", "-DNDEBUG", "-w", "-o", program, source, "-ldynamicedt3d"], {
      encoding: "utf8",
    });
    if (built.status !== 0) {
      const why = built.error?.message ?? built.stderr.split("\n")[0];
      console.log(`no peer: cannot build against dynamicEDT3D (apt install g++ libdynamicedt3d-dev): ${why}`);
      return undefined;
    }
    const { width, height } = grids[0]!;
    const head = Buffer.from(Int32Array.of(width, height, grids.length, reach).buffer);
    const cells = grids.map(({ data }) =>
      Uint8Array.from(data.subarray(0, width * height), (v) => (v === GRID_OCCUPIED ? 1 : 0)),
    );
    writeFileSync(join(folder, "grids"), Buffer.concat([head, ...cells]));
    const { status, stdout, stderr } = spawnSync(program, [join(folder, "grids")], { encoding: "utf8" });
    if (status !== 0) throw new Error(`bench/support/distance.cpp: ${stderr}`);
    return JSON.parse(stdout) as PeerRun;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function timed(
  grids: readonly Projection[],
  make: (field: DistanceField | undefined) => DistanceField,
): { ms: number[]; field: DistanceField } {
  let field: DistanceField | undefined;
  const times = grids.map((grid) => {
    const began = performance.now();
    field = make(field);
    field.update(grid);
    return performance.now() - began;
  });
  return { ms: times, field: field! };
}

const machine = machineNow();
const grids = drive();
const { width, height, resolutionM, originXM } = grids[0]!;
if (grids.some((grid) => grid.originXM !== originXM))
  throw new Error("the window moved: not the same grid all the time");
const cells = width * height;
const reach = Math.ceil(REACH_M / resolutionM);
const changes = grids.slice(1).map((grid, n) => {
  let count = 0;
  for (let i = 0; i < cells; i += 1) {
    if ((grid.data[i] === GRID_OCCUPIED) !== (grids[n]!.data[i] === GRID_OCCUPIED)) count += 1;
  }
  return count;
});
const fresh: number[] = [];
const ours: number[] = [];
const theirs: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  fresh.push(...timed(grids, () => new DistanceField(REACH_M)).ms.slice(1));
  const kept = timed(grids, (field) => field ?? new DistanceField(REACH_M));
  ours.push(...kept.ms.slice(1));
  const peer = runPeer(grids, reach);
  if (peer === undefined) continue;
  theirs.push(...peer.updateMs.slice(1));
  const sum = kept.field.squared
    .subarray(0, cells)
    .reduce((total, squared) => total + Math.min(squared, reach * reach), 0);
  if (sum !== peer.sum)
    throw new Error(`${sum} is the sum of squares, dynamicEDT3D's ${peer.sum}: not the same distances`);
}
console.log(
  `${width} x ${height} cells of ${resolutionM} m, reach ${reach} cells, ${median(changes)} cells change a frame (median)`,
);
const peerMs = theirs.length > 0 ? median(theirs) : undefined;
console.log(
  `from scratch ${ms(median(fresh))}, update ${ms(median(ours))}, dynamicEDT3D ${peerMs === undefined ? "missing" : ms(peerMs)}`,
);
const line = (name: string, peer: string, value: string, verdict: SummaryLine["verdict"]): SummaryLine => ({
  name,
  ours: ms(median(ours)),
  peer,
  value,
  limit: "",
  verdict,
});
const ratio = (other: number) => `${(other / median(ours)).toFixed(2)}x`;
writeReport(
  "distance",
  {
    machine,
    settings: { FRAMES, STEP_M, REACH_M, ROUNDS },
    results: { cells, changes: median(changes), freshMs: median(fresh), updateMs: median(ours), peerMs },
  },
  [
    line("distance field, update against from scratch", ms(median(fresh)), ratio(median(fresh)), "context"),
    peerMs === undefined
      ? line("distance field, update against dynamicEDT3D", "", "", "missing")
      : line("distance field, update against dynamicEDT3D", ms(peerMs), ratio(peerMs), "context"),
  ],
);
