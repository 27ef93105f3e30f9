import { describe, expect, test } from "vitest";
import { FREE, OCCUPIED, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import type { StereoAnswer } from "../core/ports.ts";
import type { View } from "../core/view.ts";
import { makeOctreeDecoder } from "./decode-octree.ts";

const grid: OctreeGrid = { voxelSizeM: 0.5, origin: [-2, -2, 4], size: [4, 4, 4], levels: 2 };
const keep = [0.1];
/** Sees the whole grid, which begins 2 m ahead and reaches 1 m to all sides. */
const wide: View = { fx: 100, fy: 100, cx: 200, cy: 200, width: 400, height: 400 };
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
    const frame = makeOctreeDecoder(grid, keep)(answerWith(p), wide, limits);
    // The parent that was not divided comes first.
    expect(Array.from(frame.state.subarray(0, frame.count))).toEqual([FREE, state]);
    expect(Array.from(frame.level.subarray(0, frame.count))).toEqual([0, 1]);
    expect(frame.pOccupied[1]).toBeCloseTo(p[2], 6);
  });

  test("unknown beyond the range, whatever the network says", () => {
    const answer = answerWith([0, 0, 1], [0, 0, 1]);
    const frame = makeOctreeDecoder(grid, keep)(answer, wide, { ...limits, maxRangeM: 2.4 });
    expect(Array.from(frame.state.subarray(1, frame.count))).toEqual([OCCUPIED, UNKNOWN]);
  });
});

describe("what reaches out of the image", () => {
  // The left half: x from -1 to 0 m is seen from -0.5 m on at z = 2 m.
  const narrow: View = { ...wide, cx: 25, width: 225 };

  test("is not free as a leaf, but may be occupied", () => {
    const leaves = [
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const;
    const frame = makeOctreeDecoder(grid, keep)(answerWith(...leaves), { ...narrow, cx: -10 }, limits);
    expect(Array.from(frame.state.subarray(frame.count - 6, frame.count))).toEqual([
      ...Array(5).fill(UNKNOWN),
      OCCUPIED,
    ]);
  });

  test("leaves of a coarser free cell the parts that are seen as a whole", () => {
    const answer = answerWith([0, 1, 0]);
    answer.levels[0]!.p.set([0.02, 0.95, 0.03]); // the first parent is not divided either
    const frame = makeOctreeDecoder(grid, keep)(answer, narrow, limits);
    const cells = Array.from({ length: frame.count }, (_, i) => [frame.level[i], frame.x[i], frame.y[i], frame.z[i]]);
    // Of x = 0 and 1, y and z = 0 and 1, those with x = 1; the parent on the right as it is; the leaf given above.
    const parts = [
      [1, 1, 0, 0],
      [1, 1, 0, 1],
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ];
    expect(cells).toEqual([...parts, [0, 1, 0, 0], [1, 0, 0, 0]]);
    expect(Array.from(frame.state.subarray(0, frame.count))).toEqual([FREE, FREE, FREE, FREE, FREE, UNKNOWN]);
  });
});

test("frames grow with the answer and count only its cells", () => {
  const decoder = makeOctreeDecoder(grid, keep);
  const decode = (answer: StereoAnswer) => decoder(answer, wide, limits);
  expect(decode(answerWith([0, 1, 0])).count).toBe(2);
  expect(decode(answerWith([0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0])).count).toBe(5);
  expect(decode(answerWith([0, 1, 0])).count).toBe(2);
});
