import fc from "fast-check";
import { expect, it } from "vitest";
import { cellOf, cellsOf, lonePointsInto } from "./difference.ts";
import type { Points } from "./point-cloud.ts";

function pointsOf(cells: readonly (readonly [number, number, number])[], edgeM: number): Points {
  const xyz = Float32Array.from(cells.flatMap((cell) => cell.map((k) => (k + 0.5) * edgeM)));
  return { count: cells.length, xyz, probability: new Float32Array(cells.length).fill(1) };
}

const key = fc.integer({ min: -2000, max: 2000 });
const cell = fc.tuple(key, key, key);

it("gives each cell a number of its own", () => {
  fc.assert(
    fc.property(cell, cell, fc.constantFrom(0.05, 0.1, 0.5), (a, b, edgeM) => {
      const number = (k: readonly number[]) =>
        cellOf(...(k.map((v) => (v + 0.5) * edgeM) as [number, number, number]), edgeM);
      expect(Number.isSafeInteger(number(a))).toBe(true);
      expect(number(a) === number(b)).toBe(a.join() === b.join());
    }),
  );
});

it("finds what the other does not hold, as sets of names do", () => {
  fc.assert(
    fc.property(fc.uniqueArray(cell, { selector: String }), fc.uniqueArray(cell, { selector: String }), (a, b) => {
      const out = new Uint8Array(a.length);
      const names = new Set(b.map(String));
      const lone = lonePointsInto(out, pointsOf(a, 0.5), cellsOf(pointsOf(b, 0.5), 0.5), 0.5);
      expect([...out]).toEqual(a.map((each) => (names.has(String(each)) ? 0 : 1)));
      expect(lone).toBe(out.reduce((sum, v) => sum + v, 0));
    }),
  );
});
