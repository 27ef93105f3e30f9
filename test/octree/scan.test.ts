import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FREE, UNKNOWN } from "../../src/core/occupancy.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { FullOctomapEncoder } from "../../src/octree/octomap-full.ts";
import { ReferenceMap } from "../reference/reference-map.ts";
import { randomOf } from "./frames.ts";
import { underTest } from "./map-under-test.ts";
import { pointsOf, randomScan, scanContract } from "./scan-contract.ts";

scanContract("OccupancyMap", underTest);
scanContract("ReferenceMap", (options) => new ReferenceMap(options));

const scan = randomScan(randomOf(1), [0, 0, 1], 8, 200);
const bytesOf = (map: OccupancyMap) => Array.from(new FullOctomapEncoder().borrowFull(map));

describe("a scan in the map", () => {
  it("says the same whatever the order of its points", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (by) => {
        const order = Array.from(by, (_, i) => i).sort((a, b) => by[a]! - by[b]! || b - a);
        const mixed = pointsOf(order.flatMap((i) => Array.from(scan.xyz.subarray(i * 3, i * 3 + 3))));
        const [one, other] = [new OccupancyMap({ resolutionM: 0.2 }), new OccupancyMap({ resolutionM: 0.2 })];
        expect(one.insertPoints(scan, [0, 0, 1], 0n, 10)).toEqual(other.insertPoints(mixed, [0, 0, 1], 0n, 10));
        expect(bytesOf(one)).toEqual(bytesOf(other));
      }),
      { numRuns: 10 },
    );
  });

  it("keeps to its cap, and to the same bricks whatever the order", () => {
    const reversed = pointsOf(
      Array.from({ length: 200 }, (_, i) => [0, 1, 2].map((a) => scan.xyz[(199 - i) * 3 + a]!)).flat(),
    );
    const maps = [scan, reversed].map((points) => {
      const map = new OccupancyMap({ resolutionM: 0.2, maxBricks: 60 });
      expect(map.insertPoints(points, [0, 0, 1], 0n)).toMatchObject({ full: { code: "MAP_FULL" } });
      expect(map.store.count).toBeLessThanOrEqual(60);
      expect(map.stateAt(0.1, 0.1, 1.1)).not.toBe(UNKNOWN);
      return map;
    });
    expect(bytesOf(maps[0]!)).toEqual(bytesOf(maps[1]!));
  });

  it("follows rays that leave the window and the key space up to the edge", () => {
    const map = new OccupancyMap({ resolutionM: 0.5, windowM: 20 });
    map.insertPoints(pointsOf([1000, 0.1, 0.1, -5000, 0.1, 0.1, 0.1, 1e6, 0.1]), [0.1, 0.1, 0.1], 0n);
    for (const x of [8, -8]) expect(map.stateAt(x, 0.1, 0.1)).toBe(FREE);
    // As OctoMap: a point outside the key space counts for nothing.
    expect(map.stateAt(0.1, 5, 0.1)).toBe(0);
    const edge = 32768 * 0.5 - 0.1;
    const atEdge = map.insertPoints(pointsOf([edge, edge, edge, edge - 3, edge, edge - 1]), [edge, edge, edge], 1n);
    expect(atEdge).toMatchObject({ kind: "inserted", occupiedCells: 2, freeCells: 7 });
  });

  it("goes on as a map of frames does: stamps, places and sizes are refused as values, misuse is a Fault", () => {
    const map = new OccupancyMap({ resolutionM: 0.01, windowM: Number.POSITIVE_INFINITY });
    map.insertPoints(pointsOf([0.5, 0.2, 0.1]), [0, 0, 0], 5n);
    const before = bytesOf(map);
    const refused = (code: string) => ({ kind: "rejected", reason: { code } });
    expect(map.insertPoints(scan, [0, 0, 0], 4n)).toMatchObject(refused("STAMP_BACKWARDS"));
    expect(map.insertPoints(scan, [0, Number.NaN, 0], 6n)).toMatchObject(refused("TF_INVALID"));
    expect(map.insertPoints(scan, [1e6, 0, 0], 6n)).toMatchObject(refused("TF_INVALID"));
    expect(map.insertPoints(pointsOf([200, 200, 200]), [0, 0, 0], 6n)).toMatchObject(refused("MAP_FULL"));
    expect(bytesOf(map)).toEqual(before);
    expect(map.insertPoints(pointsOf([200, 200, 200]), [0, 0, 0], 6n, 2)).toMatchObject({ kind: "inserted" });
    const usage = expect.objectContaining({ code: "USAGE" });
    expect(() => map.insertPoints(scan, [0, 0, 0], 7n, -1)).toThrow(usage);
    expect(() => map.insertPoints({ ...scan, count: 201 }, [0, 0, 0], 7n)).toThrow(usage);
  });
});
