import { describe, expect, it } from "vitest";
import type { RectifiedPair } from "../core/ports.ts";
import { alignedPair, marginOf } from "./align.ts";

/** Two rows of 8 pixels; the right eye's principal point lies `doffsPx` further right. */
function pairOf(doffsPx: number): RectifiedPair {
  const row = [10, 20, 30, 40, 50, 60, 70, 80];
  const image = {
    width: 8,
    height: 2,
    channels: 1 as const,
    data: Uint8Array.from([...row, ...row.map((v) => v + 100)]),
  };
  const calibration = { width: 8, height: 2, fx: 8, fy: 8, cx: 4, cy: 1, baselineM: 0.5, doffsPx };
  return { stampNs: 0n, frameId: "left", left: image, right: image, calibration };
}

describe("alignedPair", () => {
  it("is the pair itself where the principal points agree", () => {
    const pair = pairOf(0);
    expect(marginOf(pair)).toBe(0);
    expect(alignedPair(pair)).toEqual({ left: pair.left, right: pair.right });
  });

  it("widens both by whole cells, and loses no column of either where the right one moves left", () => {
    const pair = pairOf(4);
    expect(marginOf(pair)).toBe(4);
    const { left, right } = alignedPair(pair);
    expect(left).toMatchObject({ width: 12, height: 2 });
    expect([...left.data.subarray(0, 12)]).toEqual([10, 10, 10, 10, 10, 20, 30, 40, 50, 60, 70, 80]);
    expect([...right.data.subarray(12)]).toEqual([110, 120, 130, 140, 150, 160, 170, 180, 180, 180, 180, 180]);
  });

  it("takes the right one linearly between its pixels", () => {
    const { left, right } = alignedPair(pairOf(2.5));
    expect(left.width).toBe(12);
    // Column x of the right one comes from x - 1.5.
    expect([...right.data.subarray(0, 12)]).toEqual([10, 10, 15, 25, 35, 45, 55, 65, 75, 80, 80, 80]);
  });

  it("moves it right where its principal point lies further left; what leaves the picture matches nothing", () => {
    const { left, right } = alignedPair(pairOf(-3));
    expect(left.width).toBe(8);
    expect([...right.data.subarray(0, 8)]).toEqual([10, 10, 10, 10, 20, 30, 40, 50]);
  });
});
