import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { opticalPose, randomFrame, randomOf, randomPose } from "../../test/octree/frames.ts";
import { OCCUPIED } from "../core/occupancy.ts";
import { loadLeaves } from "./load.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { OctomapEncoder } from "./octomap.ts";
import { readOctomapFile, writeBt, writeOt } from "./octomap-file.ts";
import { FULL_NODE_BYTES, FullOctomapEncoder } from "./octomap-full.ts";
import { readOctomapBinary } from "./octomap-read.ts";
import { readOctomapFull } from "./octomap-read-full.ts";

function randomMap(seed: number): OccupancyMap {
  const random = randomOf(seed);
  const map = new OccupancyMap({ windowM: 60 });
  for (let n = 0; n < 3; n += 1) map.insertFrame(randomFrame(random), randomPose(random, 8), BigInt(n));
  return map;
}

describe("OctoMap binary", () => {
  it("keeps the state of every cell through pruning, writing and reading", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const map = randomMap(seed);
        const data = new OctomapEncoder().borrowBinary(map);
        const copy = new OccupancyMap({ windowM: 60 });
        loadLeaves(copy, readOctomapBinary(data));
        const random = randomOf(seed + 1);
        for (let n = 0; n < 500; n += 1) {
          const p = [0, 0, 0].map(() => (random() - 0.5) * 30) as [number, number, number];
          expect(copy.stateAt(...p)).toBe(map.stateAt(...p));
        }
        expect(new OctomapEncoder().borrowBinary(copy)).toEqual(data);
      }),
      { numRuns: 20 },
    );
  });

  it("writes one leaf for a block of equal cells", () => {
    const map = new OccupancyMap({ resolutionM: 1, windowM: 200 });
    const block = {
      keys: Uint16Array.of(32768, 32768, 32768),
      depth: Uint8Array.of(11),
      state: Uint8Array.of(OCCUPIED),
    };
    expect(loadLeaves(map, { ...block, count: 1, nodes: 0 })).toBe(32 ** 3);
    const leaves = readOctomapBinary(new OctomapEncoder().borrowBinary(map));
    expect(leaves).toMatchObject({ count: 1, nodes: 12 });
    expect([...leaves.keys.subarray(0, 3), leaves.depth[0], leaves.state[0]]).toEqual([
      32768,
      32768,
      32768,
      11,
      OCCUPIED,
    ]);
  });

  it("is empty for an empty map, and reads so", () => {
    expect(new OctomapEncoder().borrowBinary(new OccupancyMap())).toHaveLength(0);
    expect(readOctomapBinary(new Uint8Array(0)).count).toBe(0);
  });

  it("refuses a stream that is cut, too deep or too long", () => {
    const data = new OctomapEncoder().borrowBinary(randomMap(3)).slice();
    const corrupt = expect.objectContaining({ code: "MESSAGE_CORRUPT" });
    for (const length of [1, 2, 20, data.length - 2, data.length - 1]) {
      expect(() => readOctomapBinary(data.subarray(0, length))).toThrow(corrupt);
    }
    expect(() => readOctomapBinary(Uint8Array.of(...data, 0, 0))).toThrow(corrupt);
    expect(() => readOctomapBinary(new Uint8Array(100).fill(255))).toThrow(corrupt);
  });

  it("loads what lies in the window and under the cap", () => {
    const map = new OccupancyMap({ resolutionM: 1, windowM: 20, maxBricks: 30 });
    map.insertFrame(randomFrame(randomOf(1)), opticalPose(0, 0, 0, 0), 0n);
    const everything = { keys: Uint16Array.of(0, 0, 0), depth: Uint8Array.of(1), state: Uint8Array.of(1) };
    const set = loadLeaves(map, { ...everything, count: 1, nodes: 0 });
    expect(set).toBeGreaterThan(0);
    expect(map.store.count).toBeLessThanOrEqual(30);
  });
});

describe("OctoMap full", () => {
  it("reads the log-odds of every cell through pruning and writing", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const data = new FullOctomapEncoder().borrowFull(randomMap(seed)).slice();
        const copy = new OccupancyMap({ windowM: 60 });
        const leaves = readOctomapFull(data);
        loadLeaves(copy, leaves);
        expect(leaves.nodes).toBe(data.length / FULL_NODE_BYTES);
        expect(new FullOctomapEncoder().borrowFull(copy)).toEqual(data);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses a stream that is cut, too deep, too long or not of numbers", () => {
    const data = new FullOctomapEncoder().borrowFull(randomMap(3)).slice();
    const corrupt = expect.objectContaining({ code: "MESSAGE_CORRUPT" });
    for (const length of [1, 4, 6, 21, data.length - 5, data.length - 1]) {
      expect(() => readOctomapFull(data.subarray(0, length))).toThrow(corrupt);
    }
    expect(() => readOctomapFull(Uint8Array.of(...data, 0))).toThrow(corrupt);
    expect(() => readOctomapFull(new Uint8Array(200).fill(1))).toThrow(corrupt);
    const broken = data.slice();
    new DataView(broken.buffer).setFloat32(5, Number.NaN, true);
    expect(() => readOctomapFull(broken)).toThrow(corrupt);
  });
});

describe(".ot files", () => {
  const data = new FullOctomapEncoder().borrowFull(randomMap(9)).slice();

  it("come back as they were", () => {
    const file = readOctomapFile(writeOt(data, 0.05));
    expect(file.resolutionM).toBe(0.05);
    expect(file.leaves).toEqual(readOctomapFull(data));
  });

  it.each([1, 5, 100])("cut by %s bytes are refused", (bytes) => {
    expect(() => readOctomapFile(writeOt(data, 0.05).subarray(0, -bytes))).toThrow(
      expect.objectContaining({ code: "MESSAGE_CORRUPT" }),
    );
  });
});

describe(".bt files", () => {
  const data = new OctomapEncoder().borrowBinary(randomMap(9)).slice();

  it("come back as they were", () => {
    const file = readOctomapFile(writeBt(data, 0.05));
    expect(file.resolutionM).toBe(0.05);
    expect(file.leaves).toEqual(readOctomapBinary(data));
  });

  it.each([
    ["no OctoMap file", (text: string) => text.replace("Octomap", "Octopus")],
    ["another tree", (text: string) => text.replace("id OcTree", "id ColorOcTree")],
    ["a wrong node count", (text: string) => text.replace(/size \d+/, "size 7")],
    ["no resolution", (text: string) => text.replace(/res .*/, "res 0")],
    ["no data", (text: string) => text.slice(0, 100)],
    ["a cut stream", (text: string) => text.slice(0, -4)],
  ])("with %s are refused", (_, spoil) => {
    const text = Buffer.from(writeBt(data, 0.05)).toString("latin1");
    expect(() => readOctomapFile(Buffer.from(spoil(text), "latin1"))).toThrow(
      expect.objectContaining({ code: "MESSAGE_CORRUPT" }),
    );
  });
});
