import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OCCUPIED, type OctreeFrame, type State, UNKNOWN } from "../../src/core/occupancy.ts";
import type { Transform } from "../../src/core/transform.ts";
import type { MapOptions } from "../../src/octree/map-options.ts";
import { ReferenceMap } from "../reference/reference-map.ts";
import { addCell, opticalPose, randomFrame, randomOf, randomPose, smallGrid } from "./frames.ts";

/** What every store of occupancy must do. */
export interface MapUnderTest {
  insertFrame(frame: OctreeFrame, T_map_camera: Transform, stampNs: bigint): unknown;
  stateAt(x: number, y: number, z: number): State;
  logOddsAt(x: number, y: number, z: number): number | undefined;
  clearBox(min: ArrayLike<number>, max: ArrayLike<number>): number;
  reset(): void;
  /** Centres of all cells of a state, as `textOf`, sorted. */
  list(state: State): string[];
  /** State and log-odds (NaN = unknown) of the cells around many points. */
  query(xyz: Float64Array): { state: ArrayLike<number>; logOdds: ArrayLike<number> };
  /** Known cells with their centres in a box: centre as `textOf` and probability to two places, sorted. */
  box(min: ArrayLike<number>, max: ArrayLike<number>): string[];
}

const second = 1_000_000_000n;
const ahead = opticalPose(0, 0, 0, 0);

/** One leaf at the camera's height, 2.25 m ahead: map cell around (2.25, -0.25, -0.25) under the pose `ahead`. */
function oneCell(state: number, p: number): OctreeFrame {
  const frame = randomFrame(randomOf(1));
  frame.count = 0;
  addCell(frame, 2, 4, 5, 3, state, p);
  return frame;
}

export function mapContract(name: string, make: (options: Partial<MapOptions>) => MapUnderTest): void {
  describe(`${name} as a map`, () => {
    it("is unknown at first and after reset", () => {
      const map = make({});
      expect(map.stateAt(2.25, -0.25, -0.25)).toBe(UNKNOWN);
      map.insertFrame(oneCell(OCCUPIED, 0.9), ahead, 5n);
      expect(map.stateAt(2.25, -0.25, -0.25)).toBe(OCCUPIED);
      map.reset();
      expect(map.list(OCCUPIED)).toEqual([]);
      map.insertFrame(oneCell(OCCUPIED, 0.9), ahead, 1n);
      expect(map.list(OCCUPIED)).toHaveLength(1);
    });

    it("adds OctoMap's evidence and clamps it", () => {
      const map = make({ decayPerS: 0 });
      const at = () => map.logOddsAt(2.25, -0.25, -0.25) ?? Number.NaN;
      map.insertFrame(oneCell(OCCUPIED, 0.95), ahead, 0n);
      expect(at()).toBeCloseTo(Math.log(0.7 / 0.3), 3);
      map.insertFrame(oneCell(1, 0.01), ahead, 0n);
      expect(at()).toBeCloseTo(Math.log(0.7 / 0.3) + Math.log(0.4 / 0.6), 3);
      for (let i = 0; i < 10; i += 1) map.insertFrame(oneCell(OCCUPIED, 1), ahead, 0n);
      expect(at()).toBeCloseTo(Math.log(0.971 / 0.029), 3);
      for (let i = 0; i < 30; i += 1) map.insertFrame(oneCell(1, 0), ahead, 0n);
      expect(at()).toBeCloseTo(Math.log(0.1192 / 0.8808), 3);
      map.insertFrame(oneCell(UNKNOWN, 0.5), ahead, 0n);
      expect(at()).toBeCloseTo(Math.log(0.1192 / 0.8808), 3);
    });

    it("hears an unsure cell less, but hears it", () => {
      const first = (p: number) => {
        const map = make({});
        map.insertFrame(oneCell(OCCUPIED, p), ahead, 0n);
        return map.logOddsAt(2.25, -0.25, -0.25) ?? Number.NaN;
      };
      expect(first(0.6)).toBeLessThan(first(0.7));
      expect(first(0.6)).toBeCloseTo(Math.log(0.6 / 0.4), 1);
      expect(first(0.3)).toBeGreaterThan(0.2);
    });

    it("decays what is not seen, first to less, then to unknown", () => {
      const map = make({ decayAfterS: 2, decayPerS: 0.5, decayEveryFrames: 1 });
      const elsewhere = oneCell(UNKNOWN, 0);
      map.insertFrame(oneCell(OCCUPIED, 0.9), ahead, 100n * second);
      const start = map.logOddsAt(2.25, -0.25, -0.25) ?? Number.NaN;
      for (let s = 1n; s <= 2n; s += 1n) map.insertFrame(elsewhere, ahead, (100n + s) * second);
      expect(map.logOddsAt(2.25, -0.25, -0.25)).toBe(start);
      map.insertFrame(elsewhere, ahead, 103n * second);
      expect(map.logOddsAt(2.25, -0.25, -0.25)).toBeCloseTo(start - 0.5, 3);
      map.insertFrame(elsewhere, ahead, 104n * second);
      expect(map.stateAt(2.25, -0.25, -0.25)).toBe(UNKNOWN);
      expect(map.list(OCCUPIED)).toEqual([]);
    });

    it("forgets what leaves the window", () => {
      const map = make({ windowM: 8, decayPerS: 0 });
      map.insertFrame(oneCell(OCCUPIED, 0.9), ahead, 0n);
      map.insertFrame(oneCell(UNKNOWN, 0), opticalPose(4, 0, 0, 0), 1n);
      expect(map.list(OCCUPIED)).toHaveLength(1);
      map.insertFrame(oneCell(UNKNOWN, 0), opticalPose(100, 0, 0, 0), 2n);
      map.insertFrame(oneCell(UNKNOWN, 0), ahead, 3n);
      expect(map.list(OCCUPIED)).toEqual([]);
    });

    it("answers nothing but unknown beyond the key space", () => {
      const map = make({});
      map.insertFrame(oneCell(OCCUPIED, 0.9), ahead, 0n);
      const { state, logOdds } = map.query(Float64Array.of(2.25, -0.25, -0.25, 1e9, 0, 0, 0, Number.NaN, 0));
      expect(Array.from(state)).toEqual([OCCUPIED, UNKNOWN, UNKNOWN]);
      expect(Array.from(logOdds).map(Number.isNaN)).toEqual([false, true, true]);
    });

    it("lists a box by the centres of its cells, edges included", () => {
      const map = make({ decayPerS: 0 });
      map.insertFrame(oneCell(OCCUPIED, 0.95), ahead, 0n);
      expect(map.box([2.25, -0.25, -0.25], [2.25, -0.25, -0.25])).toEqual(["2.2500 -0.2500 -0.2500 0.70"]);
      expect(map.box([2.26, -1, -1], [9, 9, 9])).toEqual([]);
      expect(map.box([-1e6, -1e6, -1e6], [1e6, 1e6, 1e6])).toHaveLength(1);
      expect(map.box([3, 3, 3], [-3, -3, -3])).toEqual([]);
    });

    it("takes an aligned frame cell by cell", () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const frame = randomFrame(randomOf(seed));
          const map = make({ resolutionM: 0.5 });
          map.insertFrame(frame, opticalPose(1, -2, 0.5, 0), 0n);
          const volume = { [OCCUPIED]: 0, 1: 0 } as Record<number, number>;
          for (let i = 0; i < frame.count; i += 1) volume[frame.state[i]!]! += 8 ** (2 - frame.level[i]!);
          expect(map.list(OCCUPIED)).toHaveLength(volume[OCCUPIED]!);
          expect(map.list(1)).toHaveLength(volume[1]!);
        }),
        { numRuns: 10 },
      );
    });

    it("answers as the reference over random frames, poses, windows and times", () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.constantFrom(0.5, 0.4, 0.7),
          fc.constantFrom(6, 20),
          (seed, resolutionM, windowM) => {
            const random = randomOf(seed);
            const options = { resolutionM, windowM, decayAfterS: 0.3, decayPerS: 1, decayEveryFrames: 1 };
            const map = make(options);
            const reference = new ReferenceMap(options);
            let stampNs = 0n;
            for (let n = 0; n < 4; n += 1) {
              const frame = randomFrame(random, smallGrid);
              const pose = n === 0 ? opticalPose(1.03, -2.07, 0.51, 0) : randomPose(random, 3);
              stampNs += BigInt(Math.round(random() * 5e8));
              map.insertFrame(frame, pose, stampNs);
              reference.insertFrame(frame, pose, stampNs);
            }
            const min = [random() * -5, random() * -5, random() * -5];
            const max = [random() * 5, random() * 5, random() * 5];
            expect(map.box(min, max)).toEqual(reference.box(min, max));
            expect(map.clearBox(min, max)).toBe(reference.clearBox(min, max));
            for (const state of [1, OCCUPIED] as const) expect(map.list(state)).toEqual(reference.list(state));
            for (let n = 0; n < 200; n += 1) {
              const p = [0, 0, 0].map(() => (random() - 0.5) * 16) as [number, number, number];
              const [one, other] = [map.logOddsAt(...p), reference.logOddsAt(...p)];
              if (one === undefined || other === undefined) expect(one).toBe(other);
              else expect(one).toBeCloseTo(other, 6);
            }
            const asked = Float64Array.from({ length: 600 }, () => (random() - 0.5) * 16);
            const [answers, wanted] = [map.query(asked), reference.query(asked)];
            expect(Array.from(answers.state)).toEqual(Array.from(wanted.state));
            const unknownAs99 = (v: number) => (Number.isNaN(v) ? 99 : v);
            for (let i = 0; i < 200; i += 1) {
              expect(unknownAs99(answers.logOdds[i]!)).toBeCloseTo(unknownAs99(wanted.logOdds[i]!), 6);
            }
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
