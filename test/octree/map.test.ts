import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FREE, makeOctreeFrame, OCCUPIED } from "../../src/core/occupancy.ts";
import { BrickStore } from "../../src/octree/bricks.ts";
import { castRay, makeRayHit } from "../../src/octree/cast-ray.ts";
import { FrameTimes } from "../../src/octree/decay.ts";
import { occupiedInto } from "../../src/octree/leaves.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { OctomapEncoder } from "../../src/octree/octomap.ts";
import { makePointList } from "../../src/octree/points.ts";
import { ReferenceMap } from "../reference/reference-map.ts";
import { addCell, opticalPose, randomFrame, randomOf, randomPose, shuffled } from "./frames.ts";
import { mapContract } from "./map-contract.ts";
import { listOf, underTest } from "./map-under-test.ts";

mapContract("OccupancyMap", underTest);
mapContract("ReferenceMap", (options) => new ReferenceMap(options));

const ascending = (a: number, b: number) => a - b;
const descending = (a: number, b: number) => b - a;
const second = 1_000_000_000n;

describe("one frame in the map", () => {
  it("says the same whatever the order of its cells", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomOf(seed);
        const frame = randomFrame(random);
        const pose = randomPose(random, 5);
        const [one, other] = [new OccupancyMap(), new OccupancyMap()];
        one.insertFrame(frame, pose, 0n);
        other.insertFrame(shuffled(frame, random), pose, 0n);
        const [a, b] = [new OctomapEncoder().borrowBinary(one), new OctomapEncoder().borrowBinary(other)];
        expect(Array.from(a)).toEqual(Array.from(b));
        for (let n = 0; n < 300; n += 1) {
          const p = [0, 0, 0].map(() => (random() - 0.5) * 20) as [number, number, number];
          expect(one.logOddsAt(...p)).toBe(other.logOddsAt(...p));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("never lets a free cell erase an occupied one, and keeps every occupied cell's centre occupied", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.25, 0.5, 1.3), (seed, resolutionM) => {
        const random = randomOf(seed);
        const frame = randomFrame(random);
        const pose = randomPose(random, 5);
        const map = new OccupancyMap({ resolutionM });
        map.insertFrame(frame, pose, 0n);
        for (let i = 0; i < frame.count; i += 1) {
          if (frame.state[i] !== OCCUPIED) continue;
          const { origin, voxelSizeM } = frame.grid;
          const c = [frame.x[i]!, frame.y[i]!, frame.z[i]!].map((k, a) => (k + origin[a]! + 0.5) * voxelSizeM);
          const at = [0, 4, 8].map(
            (r) => pose[r]! * c[0]! + pose[r + 1]! * c[1]! + pose[r + 2]! * c[2]! + pose[r + 3]!,
          );
          expect(map.stateAt(at[0]!, at[1]!, at[2]!)).toBe(OCCUPIED);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("keeps a wall closed under any rotation: no ray from one side reaches the other", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.5, 0.35, 0.2), (seed, resolutionM) => {
        const random = randomOf(seed);
        const pose = randomPose(random, 3);
        const map = new OccupancyMap({ resolutionM });
        map.insertFrame(wall(), pose, 0n);
        const hit = makeRayHit();
        const carry = (p: readonly number[], w: number) =>
          [0, 4, 8].map((r) => pose[r]! * p[0]! + pose[r + 1]! * p[1]! + pose[r + 2]! * p[2]! + w * pose[r + 3]!);
        for (let n = 0; n < 200; n += 1) {
          const from = [(random() - 0.5) * 4, (random() - 0.5) * 4, 1];
          const to = [(random() - 0.5) * 4, (random() - 0.5) * 4, 8];
          const way = to.map((v, a) => v - from[a]!);
          const length = Math.hypot(...way);
          castRay(hit, map, carry(from, 1), carry(way, 0), length, false);
          expect(hit.kind).toBe("occupied");
        }
      }),
      { numRuns: 40 },
    );
  });

  it("fills a coarse free cell without holes", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomOf(seed);
        const pose = randomPose(random, 3);
        const frame = makeOctreeFrame({ voxelSizeM: 0.5, origin: [-4, -4, 0], size: [8, 8, 8], levels: 4 }, 1);
        addCell(frame, 0, 0, 0, 0, FREE, 0.1);
        const map = new OccupancyMap();
        map.insertFrame(frame, pose, 0n);
        // Half a cell's diagonal inside the cube every point's map cell has its centre inside.
        for (let n = 0; n < 300; n += 1) {
          const p = [-2, -2, 0].map((low) => low + 0.45 + random() * 3.1);
          const at = [0, 4, 8].map(
            (r) => pose[r]! * p[0]! + pose[r + 1]! * p[1]! + pose[r + 2]! * p[2]! + pose[r + 3]!,
          );
          expect(map.stateAt(at[0]!, at[1]!, at[2]!)).toBe(FREE);
        }
        expect(listOf(map, FREE).length).toBeGreaterThan(430);
        expect(listOf(map, FREE).length).toBeLessThan(600);
      }),
      { numRuns: 30 },
    );
  });
});

describe("memory", () => {
  it("holds the cap, drops the farthest, says MAP_FULL", () => {
    const frame = makeOctreeFrame({ voxelSizeM: 0.5, origin: [-32, -32, 0], size: [64, 64, 64], levels: 4 }, 512);
    for (let i = 0; i < 512; i += 1) addCell(frame, 0, i & 7, (i >> 3) & 7, i >> 6, FREE, 0.1);
    const roomy = new OccupancyMap({ resolutionM: 1, windowM: 100 });
    const tight = new OccupancyMap({ resolutionM: 1, windowM: 100, maxBricks: 50 });
    const pose = opticalPose(0.3, 0.2, 0.1, 0.2);
    expect(roomy.insertFrame(frame, pose, 0n)).toMatchObject({ kind: "inserted", full: undefined });
    const result = tight.insertFrame(frame, pose, 0n);
    expect(result).toMatchObject({ kind: "inserted", full: { code: "MAP_FULL" } });
    expect(tight.store.count).toBeLessThanOrEqual(50);
    expect(tight.store.count).toBeGreaterThan(15);
    const kept = new Set(listOf(tight, FREE));
    // The camera is in brick (0, 0, 0); bricks of 8 m.
    const distances = (names: string[]) =>
      names.map((name) => Math.hypot(...name.split(" ").map((v) => Math.floor(+v / 8))));
    const lost = listOf(roomy, FREE).filter((name) => !kept.has(name));
    const [farthestKept, nearestLost] = [
      distances([...kept]).sort(descending)[0]!,
      distances(lost).sort(ascending)[0]!,
    ];
    expect(farthestKept).toBeLessThan(nearestLost);
    expect(tight.stateAt(2, 0, 0)).toBe(FREE);
  });

  it("gives up nothing for what is farther still, frame after frame", () => {
    const grid = { voxelSizeM: 1, origin: [-32, -32, 0], size: [64, 64, 64], levels: 4 } as const;
    const frame = makeOctreeFrame(grid, 512);
    for (let i = 0; i < 512; i += 1) addCell(frame, 0, i & 7, (i >> 3) & 7, i >> 6, FREE, 0.1);
    const map = new OccupancyMap({ resolutionM: 1, windowM: 200, maxBricks: 50 });
    const results = [0n, 1n, 2n].map((n) => map.insertFrame(frame, opticalPose(0.3, 0.2, 0.1, 0.2), n));
    expect(results[0]).toMatchObject({ kind: "inserted", full: { code: "MAP_FULL" } });
    for (const result of results.slice(1)) {
      expect(result).toMatchObject({
        kind: "inserted",
        evicted: 0,
        full: { code: "MAP_FULL" },
        bricks: map.store.count,
      });
    }
    // The robot moves on: the map follows, at its cap.
    map.insertFrame(frame, opticalPose(40.3, 0.2, 0.1, 0.2), 3n);
    expect(map.stateAt(45, 0, 0)).toBe(FREE);
    expect(map.store.count).toBeLessThanOrEqual(50);
  });

  it("does the same in every run", () => {
    const drive = () => {
      const random = randomOf(7);
      const map = new OccupancyMap({ windowM: 20, maxBricks: 40, decayAfterS: 0.5 });
      for (let n = 0; n < 40; n += 1) {
        map.insertFrame(randomFrame(random), opticalPose(n * 0.5, 0, 0, n * 0.05), BigInt(n) * (second / 10n));
      }
      const points = makePointList();
      occupiedInto(points, map);
      return [Array.from(points.xyz.subarray(0, points.count * 3)), Array.from(new OctomapEncoder().borrowBinary(map))];
    };
    const [one, other] = [drive(), drive()];
    expect(one[0]!.length).toBeGreaterThan(100);
    expect(one).toEqual(other);
  });

  it("goes on after its 8-bit frame numbers are used up", () => {
    const map = new OccupancyMap({ decayAfterS: 1e9, decayPerS: 1 });
    const empty = makeOctreeFrame({ voxelSizeM: 0.5, origin: [0, 0, 0], size: [8, 8, 8], levels: 1 }, 1);
    const cell = makeOctreeFrame(empty.grid, 1);
    addCell(cell, 0, 0, 0, 4, OCCUPIED, 0.6);
    const pose = opticalPose(0, 0, 0, 0);
    const at = () => map.logOddsAt(2.25, -0.25, -0.25) ?? Number.NaN;
    for (let n = 0; n < 250; n += 1) map.insertFrame(empty, pose, BigInt(n));
    for (let n = 250; n < 260; n += 1) {
      const last = at();
      map.insertFrame(cell, pose, BigInt(n));
      if (n > 250 && n < 258) expect(at()).toBeGreaterThan(last);
    }
    expect(at()).toBeGreaterThan(3.5);
  });

  it("knows the age of a cell to 1/16 of it, and never says older", () => {
    const store = new BrickStore(64);
    for (let slot = 0; slot < 64; slot += 1) store.add(slot, 0, 0, 0);
    const times = new FrameTimes();
    const frames = 30_000;
    const ageSaid = (cell: number) => frames - 1 - times.timeS(store.seen[cell]!);
    for (let n = 0; n < frames; n += 1) {
      times.next(n, store);
      if (n > 0 && store.seen[n - 1] === times.now) throw new Error(`frame ${n} has the number of the frame before it`);
      store.seen[n] = times.now;
    }
    for (let n = 0; n < frames; n += 1) {
      const age = frames - 1 - n;
      expect(ageSaid(n)).toBeLessThanOrEqual(age);
      expect(ageSaid(n)).toBeGreaterThanOrEqual(age * (15 / 16));
    }
  });
});

describe("what the map refuses", () => {
  const frame = randomFrame(randomOf(3));
  const pose = opticalPose(0, 0, 1, 0);

  it.each([
    ["NaN", Float64Array.from(pose, (v, i) => (i === 3 ? Number.NaN : v))],
    ["a scaled rotation", Float64Array.from(pose, (v) => v * 1.1)],
    ["a place beyond the key space", opticalPose(20_000, 0, 0, 0)],
  ])("a pose with %s", (_, broken) => {
    const map = new OccupancyMap();
    map.insertFrame(frame, pose, 0n);
    const before = listOf(map, OCCUPIED);
    expect(map.insertFrame(frame, broken, 1n)).toMatchObject({ kind: "rejected", reason: { code: "TF_INVALID" } });
    expect(listOf(map, OCCUPIED)).toEqual(before);
  });

  it("a stamp that goes backwards", () => {
    const map = new OccupancyMap();
    map.insertFrame(frame, pose, 10n);
    const result = map.insertFrame(frame, pose, 9n);
    expect(result).toMatchObject({ kind: "rejected", reason: { code: "STAMP_BACKWARDS" } });
  });

  it.each([
    { resolutionM: 0 },
    { windowM: -1 },
    { maxBricks: 3 },
    { hit: 0.4 },
    { clampMax: 0.5 },
    { clampMin: 0.6, occupancyThreshold: 0.7 },
    { decayAfterS: Number.NaN },
  ])("options %o", (options) => {
    expect(() => new OccupancyMap(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  it("keeps to the key space at its very edge", () => {
    const map = new OccupancyMap();
    const edge = 32768 * 0.5 - 1;
    expect(map.insertFrame(frame, opticalPose(edge, -edge, edge, 0.4), 0n)).toMatchObject({ kind: "inserted" });
    expect(listOf(map, FREE).length).toBeGreaterThan(0);
    expect(map.stateAt(1e9, 0, 0)).toBe(0);
    expect(map.stateAt(Number.NaN, 0, 0)).toBe(0);
  });
});

/** 12 x 12 occupied leaves, 4.5 m ahead. */
function wall() {
  const frame = makeOctreeFrame({ voxelSizeM: 0.5, origin: [-8, -8, 0], size: [16, 16, 16], levels: 1 }, 256);
  for (let x = 0; x < 16; x += 1) for (let y = 0; y < 16; y += 1) addCell(frame, 0, x, y, 8, OCCUPIED, 0.9);
  return frame;
}
