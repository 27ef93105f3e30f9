import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { opticalPose, randomFrame, randomOf, randomPose } from "../../test/octree/frames.ts";
import { listOf } from "../../test/octree/map-under-test.ts";
import { FREE, OCCUPIED } from "../core/occupancy.ts";
import { keyOf } from "./key.ts";
import { replaceCells } from "./load.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { OctomapEncoder } from "./octomap.ts";
import { type OctomapFile, readOctomapFile, writeBt, writeOt } from "./octomap-file.ts";
import { FullOctomapEncoder } from "./octomap-full.ts";

function randomMap(seed: number, windowM = 60): OccupancyMap {
  const random = randomOf(seed);
  const map = new OccupancyMap({ windowM });
  for (let n = 0; n < 3; n += 1) map.insertFrame(randomFrame(random), randomPose(random, 8), BigInt(n));
  return map;
}

const otOf = (map: OccupancyMap) => readOctomapFile(writeOt(new FullOctomapEncoder().borrowFull(map), map.resolutionM));
const btOf = (map: OccupancyMap) => readOctomapFile(writeBt(new OctomapEncoder().borrowBinary(map), map.resolutionM));
/** All that a map holds, as bytes. */
const bytesOf = (map: OccupancyMap) => new FullOctomapEncoder().borrowFull(map).slice();
const leaf = (x: number, depth: number): OctomapFile => ({
  resolutionM: 0.5,
  leaves: { count: 1, keys: Uint16Array.of(x, 0, 0), depth: Uint8Array.of(depth), state: Uint8Array.of(1), nodes: 0 },
});

describe("replaceCells", () => {
  it("puts in the log-odds of a .ot file and nothing else, whatever was there", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        const [saved, map] = [randomMap(a), randomMap(b)];
        const { loaded, left } = replaceCells(map, otOf(saved));
        expect(bytesOf(map)).toEqual(bytesOf(saved));
        expect([loaded, left]).toEqual([listOf(saved, OCCUPIED).length + listOf(saved, FREE).length, 0]);
      }),
      { numRuns: 20 },
    );
  });

  it("puts in the states of a .bt file, as certain as a cell can be", () => {
    const [saved, map] = [randomMap(1), randomMap(2)];
    replaceCells(map, btOf(saved));
    for (const state of [FREE, OCCUPIED] as const) expect(listOf(map, state)).toEqual(listOf(saved, state));
    const levels = new Set(map.store.logOdds.subarray(0, map.store.count * 512));
    expect([...levels].sort((a, b) => a - b).slice(1)).toEqual([map.evidence.min, map.evidence.max]);
  });

  it("leaves out what lies outside the window, and says how much", () => {
    const saved = randomMap(5);
    const map = new OccupancyMap({ windowM: 8 });
    const [x, y, z] = listOf(saved, OCCUPIED)[0]!.split(" ").map(Number) as [number, number, number];
    map.insertFrame(randomFrame(randomOf(3)), opticalPose(x, y, z, 0), 0n);
    const { loaded, left } = replaceCells(map, otOf(saved));
    expect(loaded).toBeGreaterThan(10);
    expect(left).toBeGreaterThan(10);
    const { halfBricks, centreX, centreY, centreZ } = map.window;
    const isInside = (text: string) =>
      text.split(" ").every((at, a) => {
        const brick = keyOf(Number(at), 0.5) >> 3;
        return Math.abs(brick - [centreX, centreY, centreZ][a]!) <= halfBricks;
      });
    for (const state of [FREE, OCCUPIED] as const) {
      expect(listOf(map, state)).toEqual(listOf(saved, state).filter(isInside));
    }
    expect(loaded + left).toBe(listOf(saved, OCCUPIED).length + listOf(saved, FREE).length);
  });

  it.each([
    ["of another resolution", { ...otOf(randomMap(1)), resolutionM: 0.25 }, "MAP_MISMATCH", "0.25 m; wanted 0.5 m"],
    ["elsewhere", leaf(0, 16), "MAP_MISMATCH", "within 32 m of the robot"],
    ["that is empty", otOf(new OccupancyMap()), "MAP_MISMATCH", "is empty"],
    ["with more cells than there may be", leaf(0, 1), "MAP_FULL", "wanted at most 8192"],
  ] as const)("refuses a map %s and leaves the map as it was", (_, file, code, text) => {
    const map = new OccupancyMap({ windowM: 60, maxBricks: 16 });
    map.insertFrame(randomFrame(randomOf(4)), opticalPose(0, 0, 0, 0), 0n);
    const before = bytesOf(map);
    expect(before.length).toBeGreaterThan(1000);
    const message = expect.stringContaining(text);
    expect(() => replaceCells(map, file)).toThrow(expect.objectContaining({ code, message }));
    expect(bytesOf(map)).toEqual(before);
  });

  it("goes on from there: the next frame moves what was loaded", () => {
    const map = randomMap(6);
    const saved = randomMap(6);
    replaceCells(map, otOf(saved));
    const frame = randomFrame(randomOf(8));
    const moved = [map, saved].map((one) => one.insertFrame(frame, opticalPose(0, 0, 0, 0.3), 9n));
    expect(moved[0]).toEqual(moved[1]);
    expect(bytesOf(map)).toEqual(bytesOf(saved));
  });

  it("lets what was loaded decay as if it had just been seen", () => {
    const options = { windowM: 60, decayAfterS: 5, decayPerS: 0.5, decayEveryFrames: 1 };
    const [map, saved] = [new OccupancyMap(options), randomMap(9)];
    const nothing = randomFrame(randomOf(1));
    nothing.count = 0;
    map.insertFrame(nothing, opticalPose(0, 0, 0, 0), 0n);
    replaceCells(map, otOf(saved));
    map.insertFrame(nothing, opticalPose(0, 0, 0, 0), 4_900_000_000n);
    expect(bytesOf(map)).toEqual(bytesOf(saved));
    map.insertFrame(nothing, opticalPose(0, 0, 0, 0), 6_000_000_000n);
    expect(bytesOf(map)).not.toEqual(bytesOf(saved));
  });
});
