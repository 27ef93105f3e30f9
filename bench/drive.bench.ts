/**
 * Ten thousand frames through a street without an end: what a frame costs a map that has driven for long, against the first
 * frames of the drive and against a new map in turns with it (the machine is then the same for both), and the memory.
 */
import { do_not_optimize } from "mitata";
import { OccupancyMap } from "../src/octree/occupancy-map.ts";
import { OctomapEncoder } from "../src/octree/octomap.ts";
import { makeProjection, projectInto } from "../src/octree/project.ts";
import { endlessDrive, PERIOD, STEP_M } from "../test/octree/endless.ts";
import { machineNow, ms, type SummaryLine, spreadOf, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const FRAMES = 10_000;
const SPAN = 1000;
const FRAME_NS = 100_000_000n;
const MAX_GROWTH = 1.1;
/** As it ships, and with no reason to forget but the cap of memory. */
const maps = {
  "default options": {},
  "at its cap of 2,048 bricks": { windowM: Number.POSITIVE_INFINITY, decayPerS: 0, maxBricks: 2048 },
};

const drive = endlessDrive();
for (let n = 0; n < PERIOD; n += 1) drive(n);

/** A map that drives, and what each frame of it takes: inserted, projected, and written as OctoMap's binary. */
class Driver {
  readonly map: OccupancyMap;
  readonly #encoder = new OctomapEncoder();
  readonly #grid = makeProjection();
  evicted = 0;
  #n = 0;

  constructor(options: (typeof maps)[keyof typeof maps]) {
    this.map = new OccupancyMap(options);
  }

  /** Milliseconds. */
  step(): number {
    const { frame, pose } = drive(this.#n);
    const began = performance.now();
    const result = this.map.insertFrame(frame, pose, BigInt(this.#n) * FRAME_NS);
    projectInto(this.#grid, this.map, -1, 2);
    do_not_optimize(this.#encoder.borrowBinary(this.map));
    const tookMs = performance.now() - began;
    if (result.kind !== "inserted" || result.occupiedCells < 300)
      throw new Error(`unexpected: ${JSON.stringify(result)}`);
    this.evicted += result.evicted;
    this.#n += 1;
    return tookMs;
  }
}

const machine = machineNow();
const warm = new Driver({});
for (let n = 0; n < 300; n += 1) warm.step();

const results: Record<string, object> = {};
const summary: SummaryLine[] = [];
for (const [what, options] of Object.entries(maps)) {
  const old = new Driver(options);
  const first: number[] = [];
  const last: number[] = [];
  const fresh: number[] = [];
  let bytesThen = 0;
  let mostBricks = 0;
  const another = new Driver(options);
  for (let n = 0; n < FRAMES; n += 1) {
    const tookMs = old.step();
    if (n < SPAN) first.push(tookMs);
    if (n === SPAN - 1) bytesThen = old.map.store.byteLength;
    if (n >= FRAMES - SPAN) {
      last.push(tookMs);
      fresh.push(another.step());
    }
    mostBricks = Math.max(mostBricks, old.map.store.count);
  }
  const [one, other, turns] = [spreadOf(first), spreadOf(last), spreadOf(fresh)];
  const bytes = old.map.store.byteLength;
  const growth = other.p50 / turns.p50;
  const megabytes = (value: number) => `${(value / 2 ** 20).toFixed(2)} MiB`;
  results[what] = { first: one, last: other, newMap: turns, bytesThen, bytes, mostBricks, evicted: old.evicted };
  console.log(`${what}: ${FRAMES} frames, ${(FRAMES * STEP_M) / 1000} km; p50 of the first ${SPAN} ${ms(one.p50)}, of the last ${ms(other.p50)},
  of the first ${SPAN} of a new map in turns with the last ${ms(turns.p50)}; most bricks ${mostBricks}, evicted ${old.evicted}`);
  const peer = { ours: ms(other.p50), value: `${growth.toFixed(3)}x`, limit: "<= 1.1x" } as const;
  summary.push(
    {
      name: `drive of 10,000 frames, ${what}: last 1,000, in turns with a new map's first`,
      ...peer,
      peer: ms(turns.p50),
      verdict: growth <= MAX_GROWTH ? "ok" : "short",
    },
    {
      name: `drive of 10,000 frames, ${what}: last 1,000 and first 1,000 of the same drive`,
      ours: ms(other.p50),
      peer: ms(one.p50),
      value: `${(other.p50 / one.p50).toFixed(3)}x`,
      limit: "",
      verdict: "context",
    },
    {
      name: `drive of 10,000 frames, ${what}: bytes of the map, after 10,000 and after 1,000`,
      ours: megabytes(bytes),
      peer: megabytes(bytesThen),
      value: `${(bytes / bytesThen).toFixed(3)}x`,
      limit: "<= 1x",
      verdict: bytes <= bytesThen ? "ok" : "short",
    },
  );
}
writeReport("drive", { machine, settings: { FRAMES, SPAN, STEP_M }, results }, summary);
