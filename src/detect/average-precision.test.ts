import { describe, expect, it } from "vitest";
import { averagePrecision, type ScoredImage } from "./average-precision.ts";

type Object_ = readonly [kind: number, left: number, top: number, right: number, bottom: number, score?: number];

function image(truth: readonly Object_[], found: readonly Object_[]): ScoredImage {
  const boxesOf = (list: readonly Object_[]) => ({
    boxes: list.flatMap(([, ...rest]) => rest.slice(0, 4) as number[]),
    classes: list.map(([kind]) => kind),
  });
  return { truth: boxesOf(truth), found: { ...boxesOf(found), scores: found.map(([, , , , , score = 1]) => score) } };
}

describe("average precision", () => {
  it("is 1 where all is found, at every size", () => {
    const all: Object_[] = [
      [0, 0, 0, 20, 20],
      [0, 100, 0, 150, 50],
      [3, 200, 0, 400, 200],
    ];
    const score = averagePrecision([image(all, all)]);
    expect(score).toEqual({ ap: 1, ap50: 1, ap75: 1, ap_small: 1, ap_medium: 1, ap_large: 1, ar100: 1 });
  });

  it("counts a box that is half right at the low thresholds alone", () => {
    // IoU 100 / 150 = 0.667: right at .5, .55, .6 and .65.
    const { ap, ap50, ap75, ar100 } = averagePrecision([image([[0, 0, 0, 100, 100]], [[0, 0, 0, 100, 150, 0.9]])]);
    expect(ap).toBeCloseTo(0.4, 12);
    expect([ap50, ap75]).toEqual([1, 0]);
    expect(ar100).toBeCloseTo(0.4, 12);
  });

  it("loses precision to what is found twice, and to what is not there, by the order of scores", () => {
    const truth: Object_[] = [
      [0, 0, 0, 50, 50],
      [0, 100, 0, 150, 50],
    ];
    const twice: Object_[] = [
      [0, 0, 0, 50, 50, 0.9],
      [0, 1, 0, 51, 50, 0.8],
      [0, 100, 0, 150, 50, 0.7],
    ];
    // Precision is 1 to recall .5 (51 of 101 points), 2/3 beyond.
    expect(averagePrecision([image(truth, twice)]).ap50).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
    // The surest one is wrong: precision is 2/3 at best.
    const elsewhere = image([], [[0, 300, 300, 350, 350, 0.95]]);
    const both = truth.map(([...box]): Object_ => [...box, 0.5] as unknown as Object_);
    expect(averagePrecision([image(truth, both), elsewhere]).ap50).toBeCloseTo(2 / 3, 12);
  });

  it("classes that are not labelled do not count, and nothing to find is no figure", () => {
    const score = averagePrecision([
      image(
        [[0, 0, 0, 50, 50]],
        [
          [0, 0, 0, 50, 50],
          [7, 0, 0, 9, 9],
        ],
      ),
    ]);
    expect(score).toMatchObject({ ap: 1, ap_medium: 1, ap_small: undefined, ap_large: undefined });
    expect(averagePrecision([image([], [[1, 0, 0, 9, 9]])]).ap).toBeUndefined();
  });
});
