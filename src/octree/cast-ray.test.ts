import { expect, it } from "vitest";
import { FREE, makeOctreeFrame, OCCUPIED } from "../core/occupancy.ts";
import { fromQuaternion } from "../core/transform.ts";
import { castRay, makeRayHit } from "./cast-ray.ts";
import { OccupancyMap } from "./occupancy-map.ts";

/** Free cells x 0..7, then an occupied one at x = 8, all at y = z = 0; 1 m cells, map axes = frame axes. */
function corridor(): OccupancyMap {
  const frame = makeOctreeFrame({ voxelSizeM: 1, origin: [0, 0, 0], size: [16, 1, 1], levels: 1 }, 9);
  for (let x = 0; x <= 8; x += 1) {
    frame.x[x] = x;
    frame.state[x] = x === 8 ? OCCUPIED : FREE;
    frame.pOccupied[x] = x === 8 ? 1 : 0;
  }
  frame.count = 9;
  const map = new OccupancyMap({ resolutionM: 1 });
  map.insertFrame(frame, fromQuaternion({ x: 0, y: 0, z: 0, w: 1 }, { x: 0, y: 0, z: 0 }), 0n);
  return map;
}

const cast = (from: number[], way: number[], rangeM: number, unknownStops = false) =>
  castRay(makeRayHit(), corridor(), from, way, rangeM, unknownStops);

it("ends at the face of the first occupied cell and names its centre", () => {
  expect(cast([0.5, 0.5, 0.5], [2, 0, 0], 20)).toEqual({ kind: "occupied", x: 8.5, y: 0.5, z: 0.5, distanceM: 7.5 });
  expect(cast([12.5, 0.5, 0.5], [-1, 0, 0], 20)).toMatchObject({ kind: "occupied", distanceM: 3.5 });
  expect(cast([8.2, 0.5, 0.5], [0, 1, 0], 20)).toMatchObject({ kind: "occupied", distanceM: 0 });
});

it("is clear when the range ends first", () => {
  expect(cast([0.5, 0.5, 0.5], [1, 0, 0], 7.4)).toMatchObject({ kind: "clear", distanceM: 7.4 });
});

it("passes unknown space unless told to stop there", () => {
  expect(cast([0.5, 0.5, 0.5], [0, 0, 1], 20)).toMatchObject({ kind: "clear", distanceM: 20 });
  expect(cast([0.5, 0.5, 0.5], [0, 0, 1], 20, true)).toMatchObject({ kind: "unknown", z: 1.5, distanceM: 0.5 });
});

it("ends at the edge of the key space", () => {
  expect(cast([0.5, 0.5, 0.5], [0, -1, 0], 1e6)).toMatchObject({ kind: "clear", distanceM: 1e6 });
  expect(cast([40_000, 0.5, 0.5], [1, 0, 0], 10, true)).toMatchObject({ kind: "unknown" });
});
