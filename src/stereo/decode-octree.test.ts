import { describe, expect, test } from "vitest";
import { FREE, OCCUPIED, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import type { StereoAnswer } from "../core/ports.ts";
import { makeOctreeDecoder } from "./decode-octree.ts";

const grid: OctreeGrid = { voxelSizeM: 0.5, origin: [-2, -2, 0], size: [4, 4, 4], levels: 2 };
const keep = [0.1];
const limits = { occupancyThreshold: 0.6, freeThreshold: 0.2, maxRangeM: 32 };

/** One parent that is divided (the first), one that is not, and leaves of the first with these probabilities [u, f, o]. */
function answerWith(...leaves: readonly (readonly [number, number, number])[]): StereoAnswer {
  const level = (index: readonly number[], p: readonly (readonly [number, number, number])[]) => ({
    index: Int32Array.from(index),
    p: Float32Array.from(p.flat()),
  });
  const cells = leaves.flatMap((_, at) => [at >> 2, (at >> 1) & 1, at & 1]);
  return {
    levels: [
      level(
        [0, 0, 0, 1, 0, 0],
        [
          [0.1, 0.1, 0.8],
          [0.02, 0.95, 0.03],
        ],
      ),
      level(cells, leaves),
    ],
    stagesMs: {},
  } as StereoAnswer;
}

describe("the state of a leaf", () => {
  test.each([
    ["occupied from its threshold on", [0.2, 0.2, 0.6], OCCUPIED],
    ["unknown where it may be occupied, though free is likelier than unknown", [0.05, 0.55, 0.4], UNKNOWN],
    ["free below the threshold of doubt", [0.05, 0.8, 0.15], FREE],
    ["unknown where unknown is likelier than free", [0.6, 0.3, 0.1], UNKNOWN],
  ] as const)("%s", (_, p, state) => {
    const frame = makeOctreeDecoder(grid, keep)(answerWith(p), limits);
    // The parent that was not divided comes first.
    expect(Array.from(frame.state.subarray(0, frame.count))).toEqual([FREE, state]);
    expect(Array.from(frame.level.subarray(0, frame.count))).toEqual([0, 1]);
    expect(frame.pOccupied[1]).toBeCloseTo(p[2], 6);
  });

  test("unknown beyond the range, whatever the network says", () => {
    const answer = answerWith([0, 0, 1], [0, 0, 1]);
    const frame = makeOctreeDecoder(grid, keep)(answer, { ...limits, maxRangeM: 0.4 });
    expect(Array.from(frame.state.subarray(1, frame.count))).toEqual([OCCUPIED, UNKNOWN]);
  });
});

test("frames grow with the answer and count only its cells", () => {
  const decoder = makeOctreeDecoder(grid, keep);
  const decode = (answer: StereoAnswer) => decoder(answer, limits);
  expect(decode(answerWith([0, 1, 0])).count).toBe(2);
  expect(decode(answerWith([0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0])).count).toBe(5);
  expect(decode(answerWith([0, 1, 0])).count).toBe(2);
});
