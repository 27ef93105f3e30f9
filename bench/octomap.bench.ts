import { parseArgs } from "node:util";
import { castRay, makeRayHit } from "../src/octree/cast-ray.ts";
import { OccupancyMap } from "../src/octree/occupancy-map.ts";
import { RANGE_M, randomRays, type Scan, streetScans } from "../test/octree/scans.ts";
import { kittiLidar, kittiStereo } from "./support/kitti.ts";
import { type OctomapPeer, type OctomapRun, openOctomap } from "./support/octomap.ts";
import { machineNow, median, ms, type SummaryLine, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const RESOLUTIONS_M = [0.1, 0.2, 0.5];
const SCANS = 6;
const RAYS = 100_000;
const WANTED = { insert: 5, cast: 1, bytes: 0.5 };

const { values } = parseArgs({ options: { rounds: { type: "string" } }, strict: false });
/** In each, OctoMap and then we insert all scans into a new map. */
const rounds = Number(values["rounds"] ?? 3);

/** The same as octomap.cpp does, in the same order. */
function runOurs(scans: readonly Scan[], rays: Float32Array, resolutionM: number) {
  const map = new OccupancyMap({ resolutionM, windowM: 200, maxBricks: 1 << 17, decayPerS: 0 });
  const insertMs = scans.map((scan, n) => {
    const began = performance.now();
    map.insertPoints(scan, scan.origin, BigInt(n), RANGE_M);
    return performance.now() - began;
  });
  const hit = makeRayHit();
  const [origin, direction] = [new Float64Array(3), new Float64Array(3)];
  let hits = 0;
  let sum = 0;
  const began = performance.now();
  for (let i = 0; i < rays.length; i += 6) {
    for (let a = 0; a < 3; a += 1) {
      origin[a] = rays[i + a]!;
      direction[a] = rays[i + 3 + a]!;
    }
    if (castRay(hit, map, origin, direction, RANGE_M, false).kind !== "occupied") continue;
    hits += 1;
    sum += hit.x + hit.y + hit.z;
  }
  const castMs = performance.now() - began;
  const { store } = map;
  let cells = 0;
  for (let slot = 0; slot < store.count; slot += 1) cells += store.known[slot]!;
  return { insertMs, castMs, hits, sum, bytes: store.usedBytes, allocated: store.byteLength, cells };
}

function compare(peer: OctomapPeer | undefined, sensor: string, scans: readonly Scan[], resolutionM: number) {
  const rays = randomRays(scans, RAYS);
  // Warm: the first map of a process is inserted by code that is not yet compiled.
  runOurs(scans, rays, resolutionM);
  const ours = [];
  const theirs: OctomapRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (peer !== undefined) theirs.push(peer.run(scans, rays, resolutionM));
    ours.push(runOurs(scans, rays, resolutionM));
  }
  const [we, they] = [ours[0]!, theirs[0]];
  if (they !== undefined && they.cells !== we.cells) {
    throw new Error(`${sensor}, ${resolutionM} m: ${we.cells} cells, OctoMap has ${they.cells}: not the same work`);
  }
  if (they !== undefined && Math.abs(they.hits - we.hits) > RAYS / 1000) {
    throw new Error(`${sensor}, ${resolutionM} m: ${we.hits} rays hit, OctoMap's ${they.hits}: not the same work`);
  }
  return {
    points: median(scans.map(({ count }) => count)),
    cells: we.cells,
    hits: [we.hits, they?.hits ?? Number.NaN],
    ours: {
      insertMs: median(ours.flatMap((run) => run.insertMs)),
      castMs: median(ours.map((run) => run.castMs)),
      bytesPerCell: we.bytes / we.cells,
      allocatedBytesPerCell: we.allocated / we.cells,
    },
    peer: they && {
      insertMs: median(theirs.flatMap((run) => run.insertMs)),
      castMs: median(theirs.map((run) => run.castMs)),
      bytesPerCell: they.expandedBytes / they.cells,
      prunedBytesPerCell: they.bytes / they.cells,
    },
  };
}

type Comparison = ReturnType<typeof compare>;

function linesOf(what: string, { ours, peer }: Comparison): SummaryLine[] {
  const line = (name: string, one: string, other: string, value: number, limit: string, ok: boolean): SummaryLine => {
    if (peer === undefined) return { name, ours: one, peer: "", value: "", limit, verdict: "missing" };
    return { name, ours: one, peer: other, value: `${value.toFixed(2)}x`, limit, verdict: ok ? "ok" : "short" };
  };
  const bytes = (value = 0) => `${value.toFixed(1)} B`;
  const insert = (peer?.insertMs ?? 0) / ours.insertMs;
  const cast = (peer?.castMs ?? 0) / ours.castMs;
  const size = ours.bytesPerCell / (peer?.bytesPerCell ?? 1);
  const pruned = ours.bytesPerCell / (peer?.prunedBytesPerCell ?? 1);
  const time = (value = 0) => ms(value);
  return [
    line(`insert, ${what}`, time(ours.insertMs), time(peer?.insertMs), insert, ">= 5x", insert >= WANTED.insert),
    line(`100k rays, ${what}`, time(ours.castMs), time(peer?.castMs), cast, ">= 1x", cast >= WANTED.cast),
    line(
      `bytes a cell, ${what}, no pruning`,
      bytes(ours.bytesPerCell),
      bytes(peer?.bytesPerCell),
      size,
      "<= 0.5x",
      size <= WANTED.bytes,
    ),
    // Ours does not prune what it holds in memory; OctoMap does as it inserts.
    {
      name: `bytes a cell, ${what}, OctoMap pruned`,
      ours: bytes(ours.bytesPerCell),
      peer: peer ? bytes(peer.prunedBytesPerCell) : "",
      value: peer ? `${pruned.toFixed(2)}x` : "",
      limit: "",
      verdict: "context",
    },
  ];
}

const machine = machineNow();
const peer = openOctomap();
const results: Record<string, Comparison> = {};
const summary: SummaryLine[] = [];
const sets: Readonly<Record<string, Scan[] | undefined>> = {
  camera: streetScans("camera", SCANS),
  lidar: streetScans("lidar", SCANS),
  "KITTI stereo": kittiStereo(SCANS),
  "KITTI lidar": await kittiLidar(),
};
for (const [sensor, scans] of Object.entries(sets)) {
  if (scans === undefined) {
    console.log(`${sensor}: skipped, the reason stands above`);
    summary.push({ name: `octomap, ${sensor}`, ours: "", peer: "", value: "", limit: "", verdict: "missing" });
    continue;
  }
  for (const resolutionM of RESOLUTIONS_M) {
    const what = `${sensor} at ${resolutionM} m`;
    const result = compare(peer, sensor, scans, resolutionM);
    results[what] = result;
    const lines = linesOf(what, result);
    for (const { name, ours, peer: other, value } of lines)
      console.log(`${name}: ${ours} | OctoMap ${other} | ${value}`);
    console.log(`  ${result.points} points a scan, ${result.cells} cells; rays that hit: ${result.hits.join(", ")}`);
    summary.push(...lines);
  }
}
peer?.close();
writeReport("octomap", { machine, settings: { SCANS, RAYS, RANGE_M, rounds, RESOLUTIONS_M }, results }, summary);
