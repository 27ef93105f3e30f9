import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Box, Detections } from "../../core/detection.ts";
import { cut, surplus } from "./verify.ts";

type Entry = readonly [box: Box, score: number, classIndex?: number];

function detections(...entries: readonly Entry[]): Detections {
  return {
    count: entries.length,
    boxes: Float32Array.from(entries.flatMap(([box]) => box)),
    scores: Float32Array.from(entries, ([, score]) => score),
    classes: Uint16Array.from(entries, ([, , classIndex]) => classIndex ?? 0),
  };
}

const limits = { score: 0.4, rise: 0.2, cover: 0.5 };
const person: Box = [100, 50, 160, 250];
const patch: Box = [115, 120, 145, 150];

describe("surplus", () => {
  const none = detections();
  it("is what is only there with the window filled", () => {
    expect(surplus(detections([person, 0.8]), none, [patch], limits)).toEqual({
      indices: [0],
      rise: expect.closeTo(0.8),
    });
    expect(surplus(none, detections([person, 0.8]), [patch], limits)).toEqual({ indices: [], rise: 0 });
    const two = surplus(detections([person, 0.8], [person, 0.5, 1]), detections([person, 0.5]), [patch], limits);
    expect(two).toEqual({ indices: [0, 1], rise: expect.closeTo(0.8) });
  });

  it("asks for a score, a rise, the same class and place", () => {
    const gained = (score: number, before: Entry) =>
      surplus(detections([person, score]), detections(before), [patch], limits).indices;
    expect(surplus(detections([person, 0.39]), none, [patch], limits).indices).toEqual([]);
    expect(gained(0.6, [person, 0.45])).toEqual([]);
    expect(gained(0.6, [person, 0.35])).toEqual([0]);
    expect(gained(0.6, [person, 0.55, 1])).toEqual([0]);
    expect(gained(0.6, [[300, 50, 360, 250], 0.9])).toEqual([0]);
    expect(gained(0.6, [[105, 55, 165, 255], 0.55])).toEqual([]);
  });

  it("leaves out what the window itself covers", () => {
    const face: Box = [112, 118, 148, 152];
    expect(surplus(detections([face, 0.9]), none, [patch], limits).indices).toEqual([]);
    expect(surplus(detections([person, 0.9]), none, [[100, 50, 160, 160]], limits).indices).toEqual([]);
  });

  it("of an answer and itself is nothing, of any number of boxes", () => {
    const number = fc.double({ min: 0, max: 500, noNaN: true });
    const entry = fc.tuple(
      number,
      number,
      fc.double({ min: 1, max: 300, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const found = detections(...entries.map(([x, y, side, score]) => [[x, y, x + side, y + side], score] as const));
        expect(surplus(found, found, [patch], limits).indices).toEqual([]);
      }),
    );
    const many = detections(...Array.from({ length: 10_000 }, (_, i) => [[i, 0, i + 20, 20], 0.5] as const));
    expect(surplus(many, none, [[0, 0, 1, 1]], limits).indices).toHaveLength(10_000);
  });
});

describe("cut", () => {
  it("keeps what scores enough, best first", () => {
    const answer = detections([person, 0.8], [patch, 0.3], [person, 0.2]);
    expect(cut(answer, 0.3)).toMatchObject({ count: 2, scores: Float32Array.of(0.8, 0.3), boxes: { length: 8 } });
    expect(cut(answer, 0.9).count).toBe(0);
    expect(cut(answer, 0).count).toBe(3);
  });
});
