import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Box, Cues } from "../../core/detection.ts";
import { common } from "../candidates.ts";
import { Proposer } from "./propose.ts";

const CELL = 4;

/** Cues of an image of so many cells: 10 with some unrest, and `squares` (cells: left, top, side) of another level. */
function cuesOf(
  width: number,
  height: number,
  squares: readonly (readonly [number, number, number])[],
  energy = true,
  level = 200,
): Cues {
  const map = Float32Array.from({ length: width * height }, (_, i) => 10 + ((i * 7919) % 13) / 4);
  for (const [x, y, side] of squares) {
    for (let v = y; v < y + side; v += 1) for (let u = x; u < x + side; u += 1) map[v * width + u] = level;
  }
  const place = { width, height, left: 0, top: 0, cellWidth: CELL, cellHeight: CELL };
  return { ...place, maps: { hues: map, ...(energy ? { energy: map } : {}) } };
}

function propose(cues: Cues, wanted: { least?: number; most?: number } = {}) {
  const image = { width: cues.width * CELL, height: cues.height * CELL };
  return new Proposer().propose(cues, image, { least: 3.6, most: 9, ...wanted });
}

describe("proposals", () => {
  it("cover a square of any size and place, closely, and nothing else", () => {
    const square = fc
      .integer({ min: 3, max: 22 })
      .chain((side) =>
        fc.tuple(fc.integer({ min: 2, max: 62 - side }), fc.integer({ min: 2, max: 46 - side }), fc.constant(side)),
      );
    fc.assert(
      fc.property(square, fc.boolean(), ([x, y, side], energy) => {
        // Clearly above the gate: a square that is tried may lie a quarter of its side beside.
        const [window, ...others] = propose(cuesOf(64, 48, [[x, y, side]], energy, 250));
        const patch: Box = [CELL * x, CELL * y, CELL * (x + side), CELL * (y + side)];
        const area = (CELL * side) ** 2;
        expect(common(window!.box, 0, 0, patch)).toBeGreaterThan(0.85 * area);
        const [x0, y0, x1, y1] = window!.box;
        expect((x1 - x0) * (y1 - y0)).toBeLessThan(4 * area);
        expect(others).toEqual([]);
        expect(window!.excitement.energy > 0).toBe(energy);
      }),
      { numRuns: 60 },
    );
  });

  it("come best first, apart from each other, as many as wanted", () => {
    const squares = [0, 1, 2, 3, 4].map((i) => [4 + 12 * i, 10, 4 + (i % 2)] as const);
    const cues = cuesOf(64, 48, squares);
    const all = propose(cues);
    expect(all).toHaveLength(5);
    for (const [i, a] of all.entries()) {
      expect(a.suspicion).toBeLessThanOrEqual(all[Math.max(0, i - 1)]!.suspicion);
      for (const b of all.slice(i + 1)) expect(common(a.box, 0, 0, b.box)).toBe(0);
    }
    expect(propose(cues, { most: 2 })).toEqual(all.slice(0, 2));
  });

  it("are none in an image without contrast, or too small for a window", () => {
    expect(propose(cuesOf(64, 48, []))).toEqual([]);
    for (const [width, height] of [
      [0, 0],
      [1, 1],
      [128, 5],
    ] as const) {
      expect(propose(cuesOf(width, height, [[0, 0, Math.min(width, height)]]))).toEqual([]);
    }
  });

  it("are as many as wanted, soon, where the whole image is a patch", () => {
    const began = performance.now();
    const all = propose(cuesOf(128, 128, [[0, 0, 128]]));
    expect(performance.now() - began).toBeLessThan(5000);
    expect(all).toHaveLength(9);
    for (const { box } of all) expect(box[2] - box[0]).toBeGreaterThan(60);
  });
});
