import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FREE, OCCUPIED, type State } from "../../src/core/occupancy.ts";
import type { MapOptions } from "../../src/octree/map-options.ts";
import type { PointList } from "../../src/octree/points.ts";
import { ReferenceMap } from "../reference/reference-map.ts";
import { randomOf } from "./frames.ts";

/** What every store of occupancy must do with range scans. */
export interface ScannedMap {
  insertPoints(points: PointList, origin: ArrayLike<number>, stampNs: bigint, maxRangeM?: number): unknown;
  stateAt(x: number, y: number, z: number): State;
  logOddsAt(x: number, y: number, z: number): number | undefined;
  list(state: State): string[];
}

export function pointsOf(xyz: readonly number[]): PointList {
  return { count: xyz.length / 3, xyz: Float32Array.from(xyz), value: new Float32Array(xyz.length / 3) };
}

/** Points around `centre`, most of them within `reachM`, some far out, some level with the sensor, most in small clusters. */
export function randomScan(random: () => number, centre: readonly number[], reachM: number, count: number): PointList {
  let last = centre;
  const xyz = Array.from({ length: count }, () => {
    const far = random() < 0.05 ? 10 : 1;
    const isNear = random() < 0.7;
    last = isNear
      ? last.map((v) => v + (random() - 0.5) * 0.2)
      : centre.map((c) => c + (random() < 0.02 ? 0 : (random() * 2 - 1) * reachM * far));
    return last;
  });
  return pointsOf(xyz.flat());
}

export function scanContract(name: string, make: (options: Partial<MapOptions>) => ScannedMap): void {
  describe(`${name} and range scans`, () => {
    const hit = Math.log(0.7 / 0.3);
    const miss = Math.log(0.4 / 0.6);

    it("frees the way and occupies the end, each cell once, occupied before free", () => {
      const map = make({ resolutionM: 0.5 });
      // Two points in one cell, and one behind it: its ray passes the cell of the others.
      map.insertPoints(pointsOf([2.2, 0.1, 0.1, 2.3, 0.2, 0.1, 4.2, 0.1, 0.1]), [0.1, 0.1, 0.1], 0n);
      const along = Array.from({ length: 10 }, (_, n) => map.logOddsAt(0.25 + n * 0.5, 0.1, 0.1));
      for (const n of [0, 1, 2, 3, 5, 6, 7]) expect(along[n]).toBeCloseTo(miss, 3);
      for (const n of [4, 8]) expect(along[n]).toBeCloseTo(hit, 3);
      expect(along[9]).toBeUndefined();
      expect([map.list(OCCUPIED).length, map.list(FREE).length]).toEqual([2, 7]);
    });

    it("frees up to the range and hits nothing there", () => {
      const map = make({ resolutionM: 0.5 });
      map.insertPoints(pointsOf([9.2, 0.1, 0.1]), [0.1, 0.1, 0.1], 0n, 3);
      expect(map.list(OCCUPIED)).toEqual([]);
      expect(map.list(FREE)).toHaveLength(6);
    });

    it("skips points that are not finite and hears one in the sensor's own cell", () => {
      const map = make({ resolutionM: 0.5 });
      map.insertPoints(
        pointsOf([Number.NaN, 0, 0, 0, Number.POSITIVE_INFINITY, 0, 0.2, 0.2, 0.2]),
        [0.1, 0.1, 0.1],
        0n,
      );
      expect([map.list(OCCUPIED).length, map.list(FREE).length]).toEqual([1, 0]);
    });

    it("answers as the reference over random scans, ranges and windows", () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.constantFrom(0.5, 0.2, 0.7),
          fc.constantFrom(6, 30),
          fc.constantFrom(3, 8, Number.POSITIVE_INFINITY),
          (seed, resolutionM, windowM, maxRangeM) => {
            const random = randomOf(seed);
            const options = { resolutionM, windowM, decayAfterS: 0.1, decayPerS: 1, decayEveryFrames: 1 };
            const [map, reference] = [make(options), new ReferenceMap(options)];
            for (let n = 0; n < 3; n += 1) {
              const origin = [n * 1.7 - 0.03, random() * 2 - 1, random()];
              const scan = randomScan(random, origin, 6, 80);
              map.insertPoints(scan, origin, BigInt(n) * 200_000_000n, maxRangeM);
              reference.insertPoints(scan, origin, BigInt(n) * 200_000_000n, maxRangeM);
            }
            for (const state of [FREE, OCCUPIED] as const) expect(map.list(state)).toEqual(reference.list(state));
            for (let n = 0; n < 200; n += 1) {
              const p = [0, 0, 0].map(() => (random() - 0.5) * 12) as [number, number, number];
              const [one, other] = [map.logOddsAt(...p), reference.logOddsAt(...p)];
              if (one === undefined || other === undefined) expect(one).toBe(other);
              else expect(one).toBeCloseTo(other, 6);
            }
          },
        ),
        { numRuns: 20 },
      );
    });
  });
}
