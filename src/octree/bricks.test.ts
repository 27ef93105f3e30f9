import fc from "fast-check";
import { expect, it } from "vitest";
import { BrickStore } from "./bricks.ts";
import { BRICK_CELLS, gather3, scatter3 } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";

it("gather3 undoes scatter3", () => {
  for (let v = 0; v < 1024; v += 1) {
    expect(gather3(scatter3(v))).toBe(v);
    expect(gather3(scatter3(v) | (scatter3(1023 - v) << 1))).toBe(v);
  }
});

it("holds bricks as a dictionary does, through any adding and removing", () => {
  const step = fc.record({ x: fc.nat(3), y: fc.nat(3), z: fc.nat(8191), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 900 }), (steps) => {
      const store = new BrickStore(400);
      const expected = new Map<string, number>();
      for (const [n, { x, y, z, add }] of steps.entries()) {
        // Few different places, so that removing hits.
        const at = [x, y, z % 23] as const;
        const slot = store.find(...at);
        expect(slot >= 0).toBe(expected.has(at.join()));
        if (add && slot < 0) {
          const fresh = store.add(...at, 0);
          expect(store.logOdds[fresh * BRICK_CELLS + 511]).toBe(UNKNOWN_CELL);
          store.logOdds[fresh * BRICK_CELLS + 7] = n;
          expected.set(at.join(), n);
        } else if (!add && slot >= 0) {
          store.remove(slot);
          expected.delete(at.join());
        }
      }
      expect(store.count).toBe(expected.size);
      for (const [name, n] of expected) {
        const [x, y, z] = name.split(",").map(Number) as [number, number, number];
        expect(store.logOdds[store.find(x, y, z) * BRICK_CELLS + 7]).toBe(n);
      }
    }),
    { numRuns: 60 },
  );
});

it("grows to its cap and keeps what it holds", () => {
  const store = new BrickStore(1000);
  for (let n = 0; n < 1000; n += 1) {
    const slot = store.add(n, 2 * n, 8191 - n, 0);
    store.logOdds[slot * BRICK_CELLS] = n;
  }
  expect(store.count).toBe(1000);
  for (let n = 0; n < 1000; n += 1) {
    expect(store.logOdds[store.find(n, 2 * n, 8191 - n) * BRICK_CELLS]).toBe(n);
  }
  expect(store.byteLength).toBeLessThan(1000 * 1600);
});
