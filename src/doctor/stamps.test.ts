import { expect, it } from "vitest";
import { autoPairing } from "../pipeline/pair.ts";
import { type Arrival, checkStamps } from "./stamps.ts";

const ms = 1_000_000n;
const frames = Array.from({ length: 50 }, (_, i) => 1000n * ms + BigInt(i) * 100n * ms);

/** A rig at 10 Hz; the right stamps as `right` makes them, undefined: none. */
function rig(right: (stampNs: bigint, i: number) => bigint | undefined): Arrival[] {
  return frames.flatMap((stampNs, i) => {
    const other = right(stampNs, i);
    const left: Arrival = { side: "left", stampNs };
    return other === undefined ? [left] : [left, { side: "right", stampNs: other }];
  });
}
const check = (arrivals: readonly Arrival[], sync = autoPairing) => {
  const [order, together] = checkStamps(arrivals, sync);
  return { order: order!, together: together! };
};

it("is content with equal stamps, and with some jitter", () => {
  const { order, together } = check(rig((stampNs) => stampNs));
  expect(order).toMatchObject({ verdict: "ok", figures: { left: 50, right: 50, period_ms: 100 } });
  expect(together).toMatchObject({ verdict: "ok", seen: "50 of 50 pairs; equal stamps" });
  const jitter = check(rig((stampNs, i) => stampNs + BigInt(i % 3) * ms)).together;
  expect(jitter).toMatchObject({ verdict: "ok", figures: { offset_ms_p50: 1, offset_ms_p95: 2 } });
});

it("tells how far eyes are apart that never meet, and what would pair them", () => {
  const { together } = check(rig((stampNs) => stampNs + 40n * ms));
  expect(together).toMatchObject({ verdict: "fail", figures: { paired: 0, offset_ms_p50: 40 } });
  expect(together.seen).toContain("right 40.0 ms after left");
  const slop = Number(/--sync-slop ([\d.]+)/.exec(together.remedy!)?.[1]);
  // The remedy works.
  const wider = { ...autoPairing, mode: "approximate", slopNs: BigInt(slop * 1e9) } as const;
  expect(
    check(
      rig((stampNs) => stampNs + 40n * ms),
      wider,
    ).together.verdict,
  ).toBe("ok");
});

it("does not promise what no setting can do", () => {
  // The nearest right image of each left one is 50 ms away, on either side.
  const { together } = check(rig((stampNs) => stampNs + 51n * ms));
  expect(together.figures).toMatchObject({ offset_ms_p50: -49 });
  const slow = rig((stampNs, i) => (i % 2 === 0 ? stampNs + 250n * ms : undefined)).slice(0, 3);
  expect(check(slow).together.remedy).toContain("no setting can pair them");
});

it("tells missing images from stamps that differ", () => {
  const third = check(rig((stampNs, i) => (i % 3 === 0 ? undefined : stampNs))).together;
  expect(third).toMatchObject({ verdict: "ok", seen: expect.stringContaining("33 of 33 pairs") });
  const alternate = frames.flatMap((stampNs, i): Arrival[] =>
    i % 4 === 0
      ? [{ side: "left", stampNs }]
      : i % 4 === 1
        ? [{ side: "right", stampNs }]
        : [
            { side: "left", stampNs },
            { side: "right", stampNs },
          ],
  );
  const lost = check(alternate).together;
  expect(lost).toMatchObject({ verdict: "warn", figures: { paired: 24, possible: 37 } });
});

it("finds stamps that go back, repeat or are nought", () => {
  const back = check([...rig((stampNs) => stampNs), { side: "left", stampNs: frames[3]! }]).order;
  expect(back).toMatchObject({ verdict: "warn", seen: expect.stringContaining("1 left stamps go back") });
  const twice = check([...rig((stampNs) => stampNs), { side: "right", stampNs: frames.at(-1)! }]).order;
  expect(twice.seen).toContain("1 right stamps repeat");
  const nought = (["left", "right", "left", "right"] as const).map((side) => ({ side, stampNs: 0n }));
  expect(checkStamps(nought, autoPairing)).toMatchObject([{ verdict: "fail", seen: "every image has the stamp 0" }]);
});
