import { describe, expect, it } from "vitest";
import { coloursInto, cssGradient, lightnessOf, makeRamp, ramp } from "./colour.ts";

const rgb = (at: number): number[] => [...ramp.subarray(at * 3, at * 3 + 3)];

describe("the ramp", () => {
  it("rises steadily in lightness", () => {
    let before = 0;
    for (let i = 0; i < 256; i += 1) {
      const lightness = lightnessOf(ramp[i * 3]!, ramp[i * 3 + 1]!, ramp[i * 3 + 2]!);
      expect(lightness).toBeGreaterThan(before - 0.004);
      before = Math.max(before, lightness);
    }
    expect(lightnessOf(...(rgb(255) as [number, number, number]))).toBeGreaterThan(0.85);
  });

  it("passes through its anchors", () => {
    const three = makeRamp(["#000000", "#808080", "#ffffff"]);
    expect([...three.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect([...three.subarray(255 * 3)]).toEqual([255, 255, 255]);
    expect(Math.abs(three[128 * 3]! - 128)).toBeLessThan(3);
    expect(rgb(0)).toEqual([0x46, 0x38, 0x9a]);
  });

  it("shows as a gradient", () => {
    expect(cssGradient()).toMatch(/^linear-gradient\(to top, rgb\(70 56 154\), .*rgb\(255 226 122\)\)$/);
  });
});

describe("coloursInto", () => {
  it("takes the value of its column, clamps, and leaves the fourth byte", () => {
    const values = Float32Array.of(9, 9, 0, 9, 9, 5, 9, 9, 10, 9, 9, -4, 9, 9, 99);
    const out = new Uint8Array(5 * 4 + 4).fill(7);
    coloursInto(out, values, { stride: 3, offset: 2 }, 5, 0, 10);
    const colours = [0, 1, 2, 3, 4].map((i) => [...out.subarray(i * 4, i * 4 + 4)]);
    expect(colours).toEqual([
      [...rgb(0), 7],
      [...rgb(128), 7],
      [...rgb(255), 7],
      [...rgb(0), 7],
      [...rgb(255), 7],
    ]);
    expect([...out.subarray(20)]).toEqual([7, 7, 7, 7]);
  });

  it("gives one colour where all values are equal", () => {
    const out = new Uint8Array(4);
    coloursInto(out, Float32Array.of(3), { stride: 1, offset: 0 }, 1, 3, 3);
    expect([...out]).toEqual([...rgb(0), 0]);
  });
});
