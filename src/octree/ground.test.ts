import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HeightAt, type TerrainOptions, terrainMap } from "../../test/octree/terrain.ts";
import type { Transform } from "../core/transform.ts";
import { GroundProjector } from "./ground.ts";
import type { GroundOptions } from "./ground-slope.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { GRID_FREE, GRID_OCCUPIED, GRID_UNKNOWN, makeProjection, projectInto } from "./project.ts";

const robot: GroundOptions = { maxStepM: 0.2, maxSlopeDeg: 20, clearanceM: 1.2 };

/** The base at a place, nose up by `pitch` radians; it drives along x. */
function base(x = 0, y = 0, z = 0, pitch = 0): Transform {
  const [c, s] = [Math.cos(pitch), Math.sin(pitch)];
  return Float64Array.of(c, 0, -s, x, 0, 1, 0, y, s, 0, c, z);
}

function look(map: OccupancyMap, T: Transform = base(), options: GroundOptions = robot) {
  const grid = makeProjection();
  new GroundProjector().projectInto(grid, map, T, options);
  const at = (xM: number, yM: number): number => {
    const column = Math.floor((xM - grid.originXM) / grid.resolutionM);
    return grid.data[Math.floor((yM - grid.originYM) / grid.resolutionM) * grid.width + column]!;
  };
  /** What the cells of a stretch of the line y = 0 are, each value once. */
  const along = (fromM: number, toM: number, yM = 0) => {
    const seen = new Set<number>();
    for (let x = fromM + 1e-6; x < toM; x += grid.resolutionM / 2) seen.add(at(x, yM));
    return [...seen];
  };
  return { grid, at, along };
}

/** Who takes a step of one cell. */
const overCells = (resolutionM: number): GroundOptions => ({ ...robot, maxStepM: Math.max(0.2, 2 * resolutionM) });
const floor: HeightAt = () => 0;
const ramp =
  (degrees: number): HeightAt =>
  (x) =>
    Math.max(0, x - 2) * Math.tan((degrees * Math.PI) / 180);
const kerb =
  (heightM: number): HeightAt =>
  (x) =>
    x < 2 ? 0 : heightM;
const at = (resolutionM: number, edgeM = 12): TerrainOptions => ({ resolutionM, edgeM, widthM: 3 });

describe("GroundProjector", () => {
  it.each([
    [5, 0.05],
    [5, 0.1],
    [5, 0.15],
    [10, 0.1],
    [10, 0.15],
    [15, 0.05],
    [15, 0.1],
    [15, 0.15],
  ])("a ramp of %s degrees is free at %s m; the height band calls it an obstacle", (degrees, res) => {
    const map = terrainMap(ramp(degrees), at(res));
    expect(look(map, base(), overCells(res)).along(-5.9, 5.9)).toEqual([GRID_FREE]);
    const band = makeProjection();
    projectInto(band, map, 0.1, 1.2);
    expect(band.data.includes(GRID_OCCUPIED)).toBe(true);
  });

  it.each([0.05, 0.1, 0.15])("a ramp of 30 degrees is an obstacle at %s m, and free for who climbs it", (res) => {
    const map = terrainMap(ramp(30), at(res));
    const steep = look(map, base(), overCells(res));
    expect(steep.along(-5.9, 1.5)).toEqual([GRID_FREE]);
    expect(steep.along(2.7, 3.8)).toEqual([GRID_OCCUPIED]);
    // What rises above the robot is unknown from below.
    expect(steep.along(2.7, 5.9)).toEqual([GRID_OCCUPIED, GRID_UNKNOWN]);
    expect(look(map, base(), { ...overCells(res), maxSlopeDeg: 36 }).along(-5.9, 5.4)).toEqual([GRID_FREE]);
  });

  // Heights that are whole cells are known exactly.
  it.each([
    [0.05, 0.05, true],
    [0.1, 0.05, true],
    [0.15, 0.05, true],
    [0.3, 0.05, false],
    [0.1, 0.1, true],
    [0.3, 0.1, false],
    [0.15, 0.15, true],
    [0.3, 0.15, false],
  ])("a kerb of %s m at %s m: free up and down is %s", (heightM, res, isFree) => {
    const up = look(terrainMap(kerb(heightM), at(res)), base(), overCells(res));
    expect(up.along(-5.9, 1.9)).toEqual([GRID_FREE]);
    expect(up.along(2, 5.9)).toEqual([isFree ? GRID_FREE : GRID_OCCUPIED]);
    const down = look(terrainMap(kerb(-heightM), at(res)), base(), overCells(res));
    expect(down.along(-5.9, 1.9)).toEqual([GRID_FREE]);
    expect(down.along(2.01, 5.9)).toEqual([isFree ? GRID_FREE : GRID_OCCUPIED]);
  });

  it("takes no step that is too high, and each that is a cell lower, wherever it lies in the cells", () => {
    const step = fc.record({
      res: fc.double({ min: 0.06, max: 0.15, noNaN: true }),
      heightM: fc.double({ min: 0, max: 0.5, noNaN: true }),
      up: fc.boolean(),
      z: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
      maxStepM: fc.double({ min: 0.05, max: 0.4, noNaN: true }),
    });
    fc.assert(
      fc.property(step, ({ res, heightM, up, z, maxStepM }) => {
        const map = terrainMap((x) => (x < 1.03 ? 0 : up ? heightM : -heightM) + z, at(res, 6));
        const grid = look(map, base(0, 0, z), { ...robot, maxStepM });
        const beyond = grid.along(1.3, 2.8);
        if (heightM > maxStepM + 1e-6) expect(beyond).toEqual([GRID_OCCUPIED]);
        const sure = (Math.floor(maxStepM / res) - 2) * res;
        if (heightM <= sure) expect(beyond).toEqual([GRID_FREE]);
        expect(grid.along(-2.8, 0.9)).toEqual([GRID_FREE]);
      }),
      { numRuns: 40 },
    );
  });

  it("knows a kerb that was seen in two halves", () => {
    const smeared: HeightAt = (x) => (x < 2 ? 0 : x < 2.1 ? 0.15 : 0.25);
    expect(look(terrainMap(smeared, at(0.1))).along(2, 5.9)).toEqual([GRID_OCCUPIED]);
    const unseen: HeightAt = (x) => (x < 2 ? Number.NaN : smeared(x, 0));
    expect(look(terrainMap(unseen, at(0.1))).along(2, 5.9)).toEqual([GRID_OCCUPIED]);
  });

  it("calls stairs an obstacle, each step of which could be taken", () => {
    const stairs: HeightAt = (x) => (x < 2 ? 0 : 0.15 * Math.ceil((x - 2) / 0.3 + 1e-9));
    const grid = look(terrainMap(stairs, at(0.05)));
    expect(grid.along(-5.9, 1.4)).toEqual([GRID_FREE]);
    expect(grid.along(2.4, 4)).toEqual([GRID_OCCUPIED]);
    expect(grid.along(4, 5.4)).not.toContain(GRID_FREE);
  });

  it("passes below what hangs higher than the robot, not below what does not", () => {
    const bar = (zM: number) => [[3, 3.4, -1.5, 1.5, zM, zM + 0.2] as const];
    expect(look(terrainMap(floor, { ...at(0.1), boxes: bar(1.4) })).along(-5.9, 5.9)).toEqual([GRID_FREE]);
    const low = look(terrainMap(floor, { ...at(0.1), boxes: bar(1.1) }));
    expect(low.along(3, 3.4)).toEqual([GRID_OCCUPIED]);
    expect(low.along(3.5, 5.9)).toEqual([GRID_FREE]);
    // On a ramp the room counts from the ramp up.
    const roof = (x0: number, zM: number) => [[x0, x0 + 0.5, -1.5, 1.5, zM, zM + 0.2] as const];
    const under = look(terrainMap(ramp(15), { ...at(0.1), boxes: roof(4, 2.2) }));
    expect(under.along(-5.9, 5.9)).toEqual([GRID_FREE]);
    const stuck = look(terrainMap(ramp(15), { ...at(0.1), boxes: roof(4, 1.5) }));
    expect(stuck.along(4, 4.5)).toEqual([GRID_OCCUPIED]);
  });

  it("does not take a table for ground, nor what lies on it", () => {
    const table = [[2, 4, -1, 1, 0.7, 0.8] as const];
    const grid = look(terrainMap(floor, { ...at(0.1), boxes: table }));
    expect(grid.along(2, 4)).toEqual([GRID_OCCUPIED]);
    expect(grid.along(4.1, 5.9)).toEqual([GRID_FREE]);
  });

  it("does not reach a flat top over flanks that are too steep", () => {
    const hill: HeightAt = (x, y) => Math.min(1, Math.max(0, 2.5 - Math.hypot(x - 3, y)));
    const grid = look(terrainMap(hill, { ...at(0.1), widthM: 8 }));
    expect(grid.along(1, 5)).toEqual([GRID_OCCUPIED]);
    expect(grid.along(-5.9, 0.2)).toEqual([GRID_FREE]);
  });

  it("keeps unknown what was not seen, and goes on behind it", () => {
    const blind: HeightAt = (x) => (Math.abs(x) < 3 || (x > 3.5 && x < 4.2) ? Number.NaN : 0);
    const grid = look(terrainMap(blind, at(0.1)));
    expect(grid.at(0.05, 0.05)).toBe(GRID_UNKNOWN);
    expect(grid.along(3.6, 4.1)).toEqual([GRID_UNKNOWN]);
    expect(grid.along(3.1, 3.5)).toEqual([GRID_FREE]);
    expect(grid.along(4.3, 5.9)).toEqual([GRID_FREE]);
  });

  it("looks for the ground along the robot's own plane where it has not seen any yet", () => {
    const slope = (15 * Math.PI) / 180;
    const blind: HeightAt = (x) => (Math.abs(x) < 3 ? Number.NaN : x * Math.tan(slope));
    const map = terrainMap(blind, at(0.1));
    expect(look(map, base(0, 0, 0, slope)).along(3.1, 5.9)).toEqual([GRID_FREE]);
    expect(look(map, base(0, 0, 0, 0)).along(3.1, 5.9)).not.toContain(GRID_FREE);
  });

  it("says free of what was only seen through, unknown of a hole", () => {
    const cells: HeightAt = (x) => (x > 2 && x < 4 ? Number.NaN : 0);
    const map = terrainMap(cells, at(0.1));
    map.insertPoints({ count: 1, xyz: Float32Array.of(5.05, 0.05, 0.55) }, [0.05, 0.05, 0.55], 0n);
    map.insertPoints({ count: 1, xyz: Float32Array.of(3.05, 1.05, -1.5) }, [1.05, 1.05, 0.55], 0n);
    const grid = look(map);
    expect(grid.at(3.05, 0.05)).toBe(GRID_FREE);
    expect(grid.at(2.65, 1.05)).toBe(GRID_UNKNOWN);
    expect(grid.at(3.05, 1.05)).toBe(GRID_OCCUPIED);
    expect(grid.at(3.05, -1.05)).toBe(GRID_UNKNOWN);
  });

  it("lies where the height band's lies, and is empty for an empty map", () => {
    const map = terrainMap(floor, at(0.1));
    const [grid, band] = [look(map, base(40, 0, 0)).grid, makeProjection()];
    projectInto(band, map, 0, 1);
    const { data: _, ...place } = band;
    expect(grid).toMatchObject(place);
    expect(look(new OccupancyMap({ windowM: Number.POSITIVE_INFINITY })).grid).toMatchObject({ width: 0, height: 0 });
  });
});
