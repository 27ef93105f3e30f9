import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Arrival, ms, play, sum } from "../../test/frames/arrivals.ts";
import type { Side } from "../core/ports.ts";

const periodMs = 50;

describe("properties", () => {
  const options = fc.record({
    mode: fc.constantFrom("exact" as const, "approximate" as const, "auto" as const),
    slopNs: fc.bigInt({ min: 0n, max: 60n * ms }),
    queueSize: fc.integer({ min: 1, max: 12 }),
    reorder: fc.integer({ min: 1, max: 12 }),
  });

  test("every image is counted exactly once, whatever comes: 2 paired + dropped = pushed", () => {
    const arrivals = fc.array(fc.tuple(fc.constantFrom<Side>("left", "right"), fc.integer({ min: 0, max: 3000 })), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(arrivals, options, (given, chosen) => {
        const { pairs, counts, events } = play(given, chosen);
        expect(2 * counts.paired + sum(counts.dropped)).toBe(given.length);
        expect(counts.pushed).toBe(given.length);
        expect(counts.paired).toBe(pairs.length);
        expect(events.filter((event) => event.kind === "dropped")).toHaveLength(sum(counts.dropped));
      }),
    );
  });

  /** A 20 Hz camera pair of which frames are lost and eyes are swapped in arrival; right stamps up to 5 ms off. */
  const stream = fc.array(
    fc.record({
      left: fc.boolean(),
      right: fc.boolean(),
      swapped: fc.boolean(),
      jitterMs: fc.integer({ min: -50, max: 50 }).map((tenths) => tenths / 10),
    }),
    { minLength: 4, maxLength: 60 },
  );

  test("all frames that both eyes have are paired, none across a missing one, in order", () => {
    fc.assert(
      fc.property(stream, fc.constantFrom(1, 10), (frames, reorder) => {
        const arrivals = frames.flatMap(({ left, right, swapped, jitterMs }, i) => {
          const eyes: Arrival[] = [];
          if (left) eyes.push(["left", 1000 + periodMs * i]);
          if (right) eyes.push(["right", 1000 + periodMs * i + jitterMs]);
          return swapped ? eyes.toReversed() : eyes;
        });
        const { pairs } = play(arrivals, { mode: "approximate", slopNs: 12n * ms, reorder, backwardsNs: 10_000n * ms });
        const wanted = frames.flatMap(({ left, right }, i) => (left && right ? [1000 + periodMs * i] : []));
        expect(pairs.map(([l]) => l)).toEqual(wanted);
        for (const [l, r] of pairs) expect(Math.abs(l! - r!)).toBeLessThanOrEqual(5.000001);
      }),
    );
  });
});
