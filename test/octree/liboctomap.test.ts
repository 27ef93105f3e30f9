import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { OCCUPIED, UNKNOWN } from "../../src/core/occupancy.ts";
import { loadLeaves } from "../../src/octree/load.ts";
import { LOG_ODDS_STEP } from "../../src/octree/log-odds.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { OctomapEncoder } from "../../src/octree/octomap.ts";
import { readOctomapFile, writeBt, writeOt } from "../../src/octree/octomap-file.ts";
import { FULL_NODE_BYTES, FullOctomapEncoder } from "../../src/octree/octomap-full.ts";
import { type OctomapLeaves, readOctomapBinary } from "../../src/octree/octomap-read.ts";
import { opticalPose, randomFrame, randomOf, randomPose } from "./frames.ts";
import { liboctomapProgram, runLiboctomap } from "./liboctomap.ts";
import { type Scan, streetScans } from "./scans.ts";
import { streetFrame } from "./street.ts";

const program = liboctomapProgram();
const folder = mkdtempSync(join(tmpdir(), "voxelguard-octomap-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A few frames of a drive: cells of all levels, all octants around the root. */
function driven(resolutionM: number): OccupancyMap {
  const map = new OccupancyMap({ resolutionM, windowM: 60, decayPerS: 0 });
  const random = randomOf(5);
  for (let n = 0; n < 5; n += 1) map.insertFrame(randomFrame(random), randomPose(random, 6), BigInt(n));
  map.insertFrame(streetFrame(), opticalPose(-7, 0, 1.6, 0.3), 6n);
  return map;
}

/** Every known cell as liboctomap.cpp prints it, from the map's own queries. */
function cellsOf(map: OccupancyMap): string[] {
  return linesOfCells(map, (k) => (map.stateOfKey(...k) === OCCUPIED ? "o" : "f"));
}

function linesOfCells(map: OccupancyMap, say: (key: readonly [number, number, number]) => string): string[] {
  const lines: string[] = [];
  const { store } = map;
  for (let slot = 0; slot < store.count; slot += 1) {
    for (let i = 0; i < 512; i += 1) {
      const brick = [store.bx[slot]! * 8, store.by[slot]! * 8, store.bz[slot]! * 8] as const;
      const k = [brick[0] + (i & 7), brick[1] + ((i >> 3) & 7), brick[2] + (i >> 6)] as const;
      if (map.stateOfKey(...k) !== UNKNOWN) lines.push(`${k.join(" ")} ${say(k)}`);
    }
  }
  return lines.sort();
}

function cellsOfLeaves({ count, keys, depth, state }: OctomapLeaves): string[] {
  const lines: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const edge = 2 ** (16 - depth[i]!);
    for (let x = 0; x < edge; x += 1) {
      for (let y = 0; y < edge; y += 1) {
        for (let z = 0; z < edge; z += 1) {
          const key = [keys[i * 3]! + x, keys[i * 3 + 1]! + y, keys[i * 3 + 2]! + z].join(" ");
          lines.push(`${key} ${state[i] === OCCUPIED ? "o" : "f"}`);
        }
      }
    }
  }
  return lines.sort();
}

/** Every `by`-th point of a scan. */
function thinned({ origin, xyz, count }: Scan, by: number): Scan {
  const few = xyz.filter((_, i) => Math.floor(i / 3) % by === 0);
  expect(few.length / 3).toBe(Math.ceil(count / by));
  return { origin, xyz: few, count: few.length / 3 };
}

const linesOf = (text: Buffer) => text.toString().split("\n").filter(Boolean).sort();

describe.skipIf(program === undefined)("exchange with liboctomap", () => {
  const exe = program as string;

  it("reads our message data: same occupied and free cells", () => {
    const map = driven(0.5);
    const cells = cellsOf(map);
    expect(cells.filter((line) => line.endsWith("o")).length).toBeGreaterThan(1000);
    expect(cells.filter((line) => line.endsWith("f")).length).toBeGreaterThan(10_000);
    expect(linesOf(runLiboctomap(exe, ["read-binary"], new OctomapEncoder().borrowBinary(map)))).toEqual(cells);
  });

  it("writes the same bytes again after pruning: ours are pruned as far as its own", () => {
    const data = new OctomapEncoder().borrowBinary(driven(0.3));
    expect(runLiboctomap(exe, ["rewrite-binary"], data).equals(data)).toBe(true);
  });

  // Log-odds are multiples of 2^-12: both sides print them exactly.
  const logOddsOf = (map: OccupancyMap) => linesOfCells(map, (k) => String(map.cellOfKey(...k) * LOG_ODDS_STEP));

  it("reads our full message data: the log-odds of every cell", () => {
    const map = driven(0.5);
    const cells = logOddsOf(map);
    expect(new Set(cells.map((line) => line.split(" ")[3])).size).toBeGreaterThan(20);
    const read = runLiboctomap(exe, ["read-full"], new FullOctomapEncoder().borrowFull(map));
    expect(linesOf(read)).toEqual(cells);
    expect(runLiboctomap(exe, ["read-full"], new FullOctomapEncoder().borrowFull(new OccupancyMap()))).toHaveLength(0);
  });

  it("writes the same full bytes after working out inner nodes and pruning anew", () => {
    const map = driven(0.3);
    // Seen often: clamped, so that equal cells are there to be pruned.
    for (let n = 0; n < 8; n += 1) map.insertFrame(streetFrame(), opticalPose(-7, 0, 1.6, 0.3), BigInt(7 + n));
    const data = new FullOctomapEncoder().borrowFull(map);
    expect(data.length / FULL_NODE_BYTES).toBeLessThan(0.6 * cellsOf(map).length);
    expect(runLiboctomap(exe, ["rewrite-full"], data).equals(data)).toBe(true);
  });

  it("reads our .ot file: tree type, resolution, node count and log-odds", () => {
    const map = driven(0.4);
    const file = join(folder, "ours.ot");
    const data = new FullOctomapEncoder().borrowFull(map);
    writeFileSync(file, writeOt(data, map.resolutionM));
    const [head, ...cells] = runLiboctomap(exe, ["read-ot", file]).toString().split("\n").filter(Boolean);
    expect(head).toBe(`OcTree 0.4 ${data.length / FULL_NODE_BYTES}`);
    expect(cells.sort()).toEqual(logOddsOf(map));
  });

  it("reads our .bt file: resolution, node count and cells", () => {
    const map = driven(0.4);
    const file = join(folder, "ours.bt");
    const data = new OctomapEncoder().borrowBinary(map);
    writeFileSync(file, writeBt(data, map.resolutionM));
    const [head, ...cells] = runLiboctomap(exe, ["read-bt", file]).toString().split("\n").filter(Boolean);
    expect(head).toBe(`0.4 ${readOctomapBinary(data).nodes}`);
    expect(cells.sort()).toEqual(cellsOf(map));
  });

  // An update is rounded to a step of ours, so that it is off by at most half a step; a clamped cell is so too.
  it.each([
    [0.1, 12, 30],
    [0.2, 9, 10],
    [0.5, -1, 1],
  ])(
    "inserts scans into the same cells of %s m, range %s m, every %s. point: log-odds within half a step a scan",
    (resolutionM, rangeM, by) => {
      const scans = streetScans("lidar", 3).map((scan) => thinned(scan, by));
      const input = Float32Array.from(scans.flatMap(({ origin, count, xyz }) => [...origin, count, ...xyz]));
      const theirs = runLiboctomap(exe, ["insert", String(resolutionM), String(rangeM)], new Uint8Array(input.buffer));
      const map = new OccupancyMap({ resolutionM, windowM: 150, maxBricks: 1 << 17, decayPerS: 0 });
      const maxRangeM = rangeM > 0 ? rangeM : Number.POSITIVE_INFINITY;
      for (const [n, scan] of scans.entries()) map.insertPoints(scan, scan.origin, BigInt(n), maxRangeM);
      const ours = logOddsOf(map).map((line) => line.split(" "));
      const cells = linesOf(theirs).map((line) => line.split(" "));
      expect(ours.map((line) => line.slice(0, 3).join(" "))).toEqual(cells.map((line) => line.slice(0, 3).join(" ")));
      expect(cells.length).toBeGreaterThan(10_000);
      const off = ours.map((line, i) => Math.abs(Number(line[3]) - Number(cells[i]![3])));
      expect(off.reduce((most, v) => Math.max(most, v), 0)).toBeLessThanOrEqual(
        (scans.length / 2) * LOG_ODDS_STEP + 1e-6,
      );
    },
  );

  it("writes what we read: .bt and message data of its own scans, then back as the same bytes", () => {
    for (const seed of [1, 2, 3]) {
      const [bt, raw] = [join(folder, `theirs${seed}.bt`), join(folder, `theirs${seed}.raw`)];
      const cells = linesOf(runLiboctomap(exe, ["scan", String(seed), bt, raw]));
      const data = readFileSync(raw);
      expect(cellsOfLeaves(readOctomapBinary(data))).toEqual(cells);
      const file = readOctomapFile(readFileSync(bt));
      expect(file.resolutionM).toBe(0.2);
      expect(cellsOfLeaves(file.leaves)).toEqual(cells);
      const map = new OccupancyMap({ resolutionM: 0.2, windowM: 200 });
      expect(loadLeaves(map, file.leaves)).toBe(cells.length);
      const ours = new OctomapEncoder().borrowBinary(map);
      expect(data.equals(ours)).toBe(true);
      expect(readFileSync(bt).equals(writeBt(ours, 0.2))).toBe(true);
    }
  });
});
