import { describe, expect, it } from "vitest";
import { FREE, makeOctreeFrame, OCCUPIED } from "../core/occupancy.ts";
import { identity } from "../core/transform.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { makeProjection, projectInto } from "./project.ts";

/** [x, y, z, state] in 0.5 m cells of the map itself. */
function mapOf(cells: readonly (readonly number[])[], windowM: number): OccupancyMap {
  const frame = makeOctreeFrame({ voxelSizeM: 0.5, origin: [-20, -20, -20], size: [40, 40, 40], levels: 1 }, 99);
  for (const [i, [x, y, z, state]] of cells.entries()) {
    frame.x[i] = x! + 20;
    frame.y[i] = y! + 20;
    frame.z[i] = z! + 20;
    frame.state[i] = state!;
    frame.pOccupied[i] = state === OCCUPIED ? 1 : 0;
  }
  frame.count = cells.length;
  const map = new OccupancyMap({ resolutionM: 0.5, windowM });
  map.insertFrame(frame, identity(), 0n);
  return map;
}

const cells = [
  [3, 2, 0, OCCUPIED],
  [3, 2, 1, FREE],
  [4, 2, 1, FREE],
  [5, 2, 9, OCCUPIED],
  [5, 2, 1, FREE],
  [6, 2, -1, OCCUPIED],
  [-9, -13, 3, OCCUPIED],
];

describe("projectInto", () => {
  it("says occupied, free, unknown for each column of the band, row by row from the corner", () => {
    const grid = makeProjection();
    const map = mapOf(cells, 20);
    projectInto(grid, map, 0, 2);
    expect(grid).toMatchObject({ resolutionM: 0.5, width: 56, height: 56, originXM: -12, originYM: -12 });
    const at = (xM: number, yM: number) => {
      const column = Math.floor((xM - grid.originXM) / grid.resolutionM);
      return grid.data[Math.floor((yM - grid.originYM) / grid.resolutionM) * grid.width + column];
    };
    expect(at(1.75, 1.25)).toBe(100);
    expect(at(2.25, 1.25)).toBe(0);
    expect(at(2.75, 1.25)).toBe(0); // its obstacle hangs above the band
    expect(at(3.25, 1.25)).toBe(-1); // below the band
    expect(at(-4.25, -6.25)).toBe(100);
    const known = grid.data.subarray(0, grid.width * grid.height).filter((v) => v !== -1);
    expect(known).toHaveLength(4);
  });

  it("takes cells by their centres", () => {
    const grid = makeProjection();
    const map = mapOf(cells, 20);
    projectInto(grid, map, 0.25, 0.25);
    expect(grid.data.filter((v) => v !== -1)).toEqual(Int8Array.of(100));
    projectInto(grid, map, 0.3, 0.7);
    expect(grid.data.filter((v) => v !== -1)).toEqual(new Int8Array(0));
  });

  it("covers what is known when there is no window, and nothing of nothing", () => {
    const grid = makeProjection();
    projectInto(grid, mapOf(cells, Number.POSITIVE_INFINITY), 0, 2);
    expect(grid).toMatchObject({ width: 24, height: 24, originXM: -8, originYM: -8 });
    projectInto(grid, mapOf([], Number.POSITIVE_INFINITY), 0, 2);
    expect(grid).toMatchObject({ width: 0, height: 0 });
  });
});
