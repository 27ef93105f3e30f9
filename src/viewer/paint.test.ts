import { expect, it } from "vitest";
import { ramp } from "./colour.ts";
import { cellsOf } from "./difference.ts";
import { paintDifference, paintFlat, paintHeight, paintProbability, swatches } from "./paint.ts";

const points = {
  count: 2,
  xyz: Float32Array.of(0.25, 0.25, 0.25, 0.25, 0.25, 1.25, 9, 9, 9),
  probability: Float32Array.of(0.5, 1, 1),
};
const rgbs = (tint: Uint8Array) => [0, 1, 2].map((i) => [...tint.subarray(i * 4, i * 4 + 3)]);
const none = [0, 0, 0];

it("paints what counts, and nothing past it", () => {
  const tint = new Uint8Array(12);
  paintHeight(tint, points, { min: 0.25, max: 1.25 });
  const ends = [[...ramp.subarray(0, 3)], [...ramp.subarray(255 * 3)]];
  expect(rgbs(tint)).toEqual([...ends, none]);
  tint.fill(0);
  paintProbability(tint, points);
  expect(rgbs(tint)).toEqual([...ends, none]);
  paintFlat(tint, points, [1, 2, 3]);
  expect(rgbs(tint)).toEqual([[1, 2, 3], [1, 2, 3], none]);
});

it("tells what one run alone holds", () => {
  const tint = new Uint8Array(12);
  const other = { count: 1, xyz: Float32Array.of(0.3, 0.2, 1.1), probability: Float32Array.of(1) };
  expect(paintDifference(tint, points, cellsOf(other, 0.5), 0.5, swatches.onlyA)).toBe(1);
  expect(rgbs(tint)).toEqual([[...swatches.onlyA], [...swatches.both], none]);
});
