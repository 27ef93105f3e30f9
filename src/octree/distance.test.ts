import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistanceField } from "./distance.ts";
import { GRID_FREE, GRID_OCCUPIED, makeProjection, type Projection } from "./project.ts";

function gridOf(width: number, height: number, occupied: Iterable<number>): Projection {
  const grid = { ...makeProjection(), width, height, resolutionM: 0.5, originXM: -3, originYM: 2 };
  // Longer than it need be: what lies behind is not the grid's.
  grid.data = new Int8Array(width * height + 7).fill(GRID_OCCUPIED);
  grid.data.fill(GRID_FREE, 0, width * height);
  for (const cell of occupied) grid.data[cell] = GRID_OCCUPIED;
  return grid;
}

/** Metres, every obstacle asked. */
function bruteForce({ data, width, height, resolutionM }: Projection, x: number, y: number, reachM: number): number {
  let nearest = reachM;
  for (let at = 0; at < width * height; at += 1) {
    if (data[at] !== GRID_OCCUPIED) continue;
    nearest = Math.min(nearest, Math.hypot((at % width) - x, Math.floor(at / width) - y) * resolutionM);
  }
  return nearest;
}

const centre = (grid: Projection, x: number, y: number): [number, number] => [
  grid.originXM + (x + 0.5) * grid.resolutionM,
  grid.originYM + (y + 0.5) * grid.resolutionM,
];

describe("DistanceField", () => {
  const drive = fc.record({
    width: fc.integer({ min: 1, max: 24 }),
    height: fc.integer({ min: 1, max: 24 }),
    reachM: fc.constantFrom(0.6, 1, 2.3, 100),
    /** Cells that change from one grid to the next. */
    flips: fc.array(fc.array(fc.nat(575), { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
  });

  it("is what asking every obstacle says, after any run of changes", () => {
    fc.assert(
      fc.property(drive, ({ width, height, reachM, flips }) => {
        const field = new DistanceField(reachM);
        const occupied = new Set<number>();
        for (const cells of flips) {
          for (const cell of cells.map((at) => at % (width * height))) {
            if (!occupied.delete(cell)) occupied.add(cell);
          }
          const grid = gridOf(width, height, occupied);
          field.update(grid);
          const fresh = new DistanceField(reachM);
          fresh.update(grid);
          expect(field.squared.subarray(0, width * height)).toEqual(fresh.squared.subarray(0, width * height));
          for (let y = 0; y < height; y += 1) {
            for (let x = 0; x < width; x += 1) {
              expect(field.distanceM(...centre(grid, x, y))).toBeCloseTo(bruteForce(grid, x, y, reachM), 9);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("works out only what a change can reach", () => {
    const field = new DistanceField(2);
    field.update(gridOf(60, 60, [0]));
    field.update(gridOf(60, 60, [0, 30 * 60 + 30]));
    // 4 cells of reach to either side.
    expect(field.rowsDone).toBe(9);
    field.update(gridOf(60, 60, [0, 30 * 60 + 30]));
    expect(field.rowsDone).toBe(0);
  });

  it("starts anew where the grid has moved, and is far from everything outside", () => {
    const field = new DistanceField(10);
    const grid = gridOf(8, 8, [0]);
    field.update(grid);
    expect(field.distanceM(...centre(grid, 3, 4))).toBe(2.5);
    const moved = { ...grid, originXM: grid.originXM + 4 };
    field.update(moved);
    expect(field.distanceM(...centre(moved, 3, 4))).toBe(2.5);
    expect(field.distanceM(...centre(moved, 9, 4))).toBe(10);
    expect(new DistanceField(3).distanceM(0, 0)).toBe(3);
  });
});
