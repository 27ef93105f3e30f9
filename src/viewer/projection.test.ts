import { expect, it } from "vitest";
import { makeProjected, projectInto } from "./projection.ts";

const camera = { width: 640, height: 360, fx: 400, fy: 400, cx: 319.5, cy: 179.5 };
/** Optical axes in body axes, one metre up, five ahead. */
const T = Float64Array.of(0, 0, 1, 5, -1, 0, 0, 0, 0, -1, 0, 1);

it("projects what is ahead, the farthest first, with the size of its face", () => {
  const xyz = Float32Array.from(
    [
      [15, 0, 1], // 10 m ahead, on the axis
      [25, -2, 2], // 20 m ahead, 2 m to the right, 1 m up
      [3, 0, 1], // behind
      [45, 0, 1], // too far
      [15, 30, 1], // out of the picture
    ].flat(),
  );
  const out = makeProjected();
  projectInto(out, { count: 5, xyz, probability: new Float32Array(5) }, T, camera, 0.5);
  expect([...out.index.subarray(0, out.count)]).toEqual([1, 0]);
  expect([...out.uvSize.subarray(0, 3)]).toEqual([319.5, 179.5, 20]);
  expect([...out.uvSize.subarray(3, 6)]).toEqual([359.5, 159.5, 10]);
});
