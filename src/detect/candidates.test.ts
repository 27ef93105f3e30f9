import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Candidates, iou } from "./candidates.ts";

interface Box {
  readonly score: number;
  readonly kind: number;
  readonly corners: readonly [number, number, number, number];
}

function held(boxes: readonly Box[], minScore = 0): Candidates {
  const candidates = new Candidates(minScore, 3);
  for (const { score, kind, corners } of boxes) candidates.add(score, kind, ...corners);
  return candidates;
}

function listOf({ count, scores, classes, boxes }: Candidates) {
  return Array.from({ length: count }, (_, i) => [scores[i], classes[i], ...boxes.subarray(4 * i, 4 * i + 4)]);
}

/** The same by sorting and filtering. */
function plainly(boxes: readonly Box[], maxIou: number, most: number) {
  const kept: Box[] = [];
  const both = ({ corners: a }: Box, { corners: b }: Box) => iou(Float32Array.of(...a, ...b), 0, 4);
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (kept.length === most) break;
    if (!kept.some((other) => other.kind === box.kind && both(other, box) > maxIou)) kept.push(box);
  }
  return kept.map(({ score, kind, corners }) => [score, kind, ...corners]);
}

describe("overlap", () => {
  it("is the shared share of both areas", () => {
    expect(iou(Float32Array.of(0, 0, 2, 2, 1, 0, 3, 2), 0, 4)).toBeCloseTo(1 / 3, 6);
    expect(iou(Float32Array.of(0, 0, 2, 2, 2, 0, 3, 2), 0, 4)).toBe(0);
    expect(iou(Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1), 0, 4)).toBe(0);
  });
});

describe("candidates", () => {
  it("refuse low scores, unwanted classes, empty boxes and what is no number", () => {
    const candidates = new Candidates(0.5, 3, [1]);
    candidates.add(0.4, 1, 0, 0, 1, 1);
    candidates.add(0.9, 0, 0, 0, 1, 1);
    candidates.add(0.9, 1, 1, 0, 1, 1);
    candidates.add(Number.NaN, 1, 0, 0, 1, 1);
    candidates.add(0.9, 1, 0, Number.NaN, 1, 1);
    expect(candidates.count).toBe(0);
    candidates.add(0.5, 1, 0, 0, 1, 1);
    expect(listOf(candidates)).toEqual([[0.5, 1, 0, 0, 1, 1]]);
  });

  it("are suppressed within their class as by the plain method", () => {
    const whole = fc.integer({ min: 0, max: 40 });
    const box = fc
      .tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 2 }), whole, whole, whole, whole)
      .map(([score, kind, x, y, w, h]): Box => ({ score: score / 16, kind, corners: [x, y, x + w + 1, y + h + 1] }));
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 40 }),
        fc.constantFrom(0, 0.3, 0.6, 1),
        fc.integer({ min: 0, max: 20 }),
        (boxes, maxIou, most) => {
          const candidates = held(boxes);
          candidates.suppress(maxIou, most);
          expect(listOf(candidates)).toEqual(plainly(boxes, maxIou, most));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("grow to 10,000 boxes, and their buffers are used again", () => {
    const grid = Array.from(
      { length: 10_000 },
      (_, i): Box => ({
        score: (i % 100) / 100,
        kind: 0,
        corners: [3 * (i % 100), i - (i % 100), 3 * (i % 100) + 2, i + 1],
      }),
    );
    const candidates = held(grid);
    expect(candidates.count).toBe(10_000);
    expect(candidates.suppress(0.5, 100)).toBe(100);
    expect(candidates.scores.subarray(0, 100).every((score) => score === Math.fround(0.99))).toBe(true);
    const { boxes } = candidates;
    candidates.count = 0;
    for (const { score, kind, corners } of grid) candidates.add(score, kind, ...corners);
    expect(candidates.boxes).toBe(boxes);
  });
});
