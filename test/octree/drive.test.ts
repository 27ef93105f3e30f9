import { beforeAll, describe, expect, it } from "vitest";
import { BRICK_EDGE, keyOf } from "../../src/octree/key.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { endlessDrive, STEP_M } from "./endless.ts";

const CAP = 120;
const FRAMES = 30;
const drive = endlessDrive();

/** Squared distances (bricks) from the camera's brick, by brick. */
function distances({ store, resolutionM }: OccupancyMap, atM: readonly number[]): Map<string, number> {
  const home = atM.map((v) => Math.floor(keyOf(v, resolutionM) / BRICK_EDGE));
  return new Map(
    Array.from({ length: store.count }, (_, slot) => {
      const brick = [store.bx[slot]!, store.by[slot]!, store.bz[slot]!];
      return [brick.join(" "), brick.reduce((sum, b, a) => sum + (b - home[a]!) ** 2, 0)];
    }),
  );
}

function driven() {
  const map = new OccupancyMap({ windowM: Number.POSITIVE_INFINITY, decayPerS: 0, maxBricks: CAP });
  return Array.from({ length: FRAMES }, (_, n) => {
    const at = [n * STEP_M, 0, 1.6];
    const before = distances(map, at);
    const { frame, pose } = drive(n);
    const result = map.insertFrame(frame, pose, BigInt(n) * 100_000_000n);
    const after = distances(map, at);
    const lost = [...before].filter(([brick]) => !after.has(brick)).map(([, distance]) => distance);
    return {
      result,
      bricks: map.store.count,
      bytes: map.store.byteLength,
      farthest: Math.max(...after.values()),
      lost,
    };
  });
}

describe("a long drive at the cap of memory", () => {
  let steps: ReturnType<typeof driven>;
  beforeAll(() => {
    steps = driven();
  });

  it("stays at the cap, and takes no byte more once it is there", () => {
    const full = steps.findIndex(({ bricks }) => bricks > CAP * 0.9);
    expect(full).toBeGreaterThanOrEqual(0);
    expect(full).toBeLessThan(10);
    for (const { bricks, bytes } of steps.slice(full)) {
      expect(bricks).toBeLessThanOrEqual(CAP);
      expect(bricks).toBeGreaterThan(CAP * 0.75);
      expect(bytes).toBe(steps[full]!.bytes);
    }
  });

  it("loses only what is farther than all that it keeps, and says so", () => {
    const losses = steps.filter(({ lost }) => lost.length > 0);
    expect(losses.length).toBeGreaterThan(3);
    for (const { lost, farthest, result } of losses) {
      expect(Math.min(...lost)).toBeGreaterThan(farthest);
      expect(result).toMatchObject({ kind: "inserted", full: { code: "MAP_FULL" } });
    }
  });

  it("ends the same whenever it is driven", () => {
    expect(driven()).toEqual(steps);
  });
});
