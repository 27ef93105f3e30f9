import { expect, it } from "vitest";
import { FREE, makeOctreeFrame, OCCUPIED, UNKNOWN } from "../core/occupancy.ts";
import { leafCellsInto } from "./leaf-cells.ts";
import { freeInto, occupiedInto } from "./leaves.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { OctomapEncoder } from "./octomap.ts";
import { readOctomapBinary } from "./octomap-read.ts";
import { makePointList, type PointList } from "./points.ts";

const centres = ({ xyz, count }: PointList): string[] =>
  Array.from({ length: count }, (_, i) => [...xyz.subarray(i * 3, i * 3 + 3)].map((v) => v.toFixed(3)).join()).sort();

it("gives the cells of a map back from its stream, whatever was pruned", () => {
  const map = new OccupancyMap({ resolutionM: 0.5, windowM: 64 });
  const frame = makeOctreeFrame({ voxelSizeM: 0.5, origin: [-8, -8, 0], size: [16, 16, 16], levels: 4 }, 64);
  for (const [level, x, y, z, state] of [
    [0, 0, 0, 0, FREE],
    [0, 1, 0, 1, OCCUPIED],
    [3, 3, 12, 5, OCCUPIED],
    [2, 6, 5, 2, FREE],
  ] as const) {
    const i = frame.count;
    frame.level[i] = level;
    frame.x[i] = x;
    frame.y[i] = y;
    frame.z[i] = z;
    frame.state[i] = state;
    frame.pOccupied[i] = state === OCCUPIED ? 0.95 : 0.02;
    frame.count += 1;
  }
  expect(UNKNOWN).toBe(0);
  const level = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0);
  for (let i = 0; i < 12; i += 1) expect(map.insertFrame(frame, level, BigInt(i)).kind).not.toBe("rejected");
  const leaves = readOctomapBinary(new OctomapEncoder().borrowBinary(map));
  const [fromMap, fromLeaves] = [makePointList(), makePointList(1)];
  for (const [state, into] of [
    [OCCUPIED, occupiedInto],
    [FREE, freeInto],
  ] as const) {
    into(fromMap, map);
    leafCellsInto(fromLeaves, leaves, state, 0.5, 0.25);
    expect(fromMap.count).toBeGreaterThan(500);
    expect(centres(fromLeaves)).toEqual(centres(fromMap));
    expect(fromLeaves.value.subarray(0, fromLeaves.count).every((v) => v === 0.25)).toBe(true);
  }
});

it("refuses what would fill the memory", () => {
  const leaves = { count: 1, keys: new Uint16Array(3), depth: Uint8Array.of(1), state: Uint8Array.of(FREE), nodes: 1 };
  expect(() => leafCellsInto(makePointList(), leaves, FREE, 0.5, 0)).toThrow("more than 16777216 cells");
});
