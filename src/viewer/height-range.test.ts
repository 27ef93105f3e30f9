import { expect, it } from "vitest";
import { heightRangeOf, widen } from "./height-range.ts";

function cloud(heights: readonly number[]): Float32Array {
  return Float32Array.from(heights.flatMap((z) => [77, -77, z]));
}

it("spans what most heights span, not the strays", () => {
  const heights = Array.from({ length: 1000 }, (_, i) => 0.3 + (i / 1000) * 2.9);
  heights[500] = 400;
  heights[501] = -400;
  expect(heightRangeOf(cloud(heights), 1000)).toEqual({ min: 0, max: 3.5 });
});

it("looks only at the live part and is never empty", () => {
  expect(heightRangeOf(cloud([1, 1, 500]), 2)).toEqual({ min: 1, max: 2 });
  expect(heightRangeOf(cloud([]), 0)).toBeUndefined();
});

it("samples big clouds without missing their ends", () => {
  const heights = Array.from({ length: 50_000 }, (_, i) => i / 10_000);
  expect(heightRangeOf(cloud(heights), heights.length)).toEqual({ min: 0, max: 5 });
});

it("only grows", () => {
  expect(widen(undefined, undefined)).toBeUndefined();
  expect(widen(undefined, { min: 0, max: 1 })).toEqual({ min: 0, max: 1 });
  expect(widen({ min: 0, max: 1 }, undefined)).toEqual({ min: 0, max: 1 });
  expect(widen({ min: 0, max: 3 }, { min: -1, max: 2 })).toEqual({ min: -1, max: 3 });
});
