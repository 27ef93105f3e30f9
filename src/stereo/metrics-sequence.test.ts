import { describe, expect, it } from "vitest";
import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "../core/occupancy.ts";
import { identity, type Transform } from "../core/transform.ts";
import { SequenceConsistency } from "./metrics-sequence.ts";

const grid: OctreeGrid = { voxelSizeM: 0.5, origin: [-8, -4, 0], size: [16, 8, 48], levels: 1 };

/** A wall across the view at `wallM` ahead: free before it, unknown behind; only leaves in a 90 degree view are listed. */
function wallFrame(wallM: number): OctreeFrame {
  const frame = makeOctreeFrame(grid, 16 * 8 * 48);
  for (let x = 0; x < 16; x += 1) {
    for (let y = 0; y < 8; y += 1) {
      for (let z = 0; z < 48; z += 1) {
        if (Math.abs(x - 7.5) > z) continue;
        const i = frame.count++;
        frame.x[i] = x;
        frame.y[i] = y;
        frame.z[i] = z;
        const layer = Math.floor(wallM / 0.5);
        frame.state[i] = z < layer ? FREE : z === layer ? OCCUPIED : UNKNOWN;
      }
    }
  }
  return frame;
}

/** The camera `z` metres along the world's z axis, axes alike. */
function ahead(z: number): Transform {
  const T = identity();
  T[11] = z;
  return T;
}

/** A road 1.65 m below the camera between walls at x = -6 and 6 m of the world, as exact answers: frame and pose. */
function streetFrame(yaw: number, cameraX: number, cameraZ: number): [OctreeFrame, Transform] {
  const street: OctreeGrid = { voxelSizeM: 0.5, origin: [-32, -12, 0], size: [64, 16, 64], levels: 1 };
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  const T = Float64Array.of(cos, 0, sin, cameraX, 0, 1, 0, 0, -sin, 0, cos, cameraZ);
  const frame = makeOctreeFrame(street, 64 * 16 * 64);
  for (let n = 0; n < 64 * 16 * 64; n += 1) {
    const [i, j, k] = [n >> 10, (n >> 6) & 15, n & 63];
    const [x, y, z] = [(i - 31.5) * 0.5, (j - 11.5) * 0.5, (k + 0.5) * 0.5];
    if (Math.abs(x) > 0.85 * z || Math.abs(y) > 0.26 * z) continue;
    const worldX = cos * x + sin * z + cameraX;
    // How far the walls may lie from the centre of a leaf that they cross.
    const reach = 0.25 * (Math.abs(cos) + Math.abs(sin));
    const isRoad = Math.abs(y - 1.65) <= 0.25 && Math.abs(worldX) < 6 + reach;
    const isWall = Math.abs(Math.abs(worldX) - 6) <= reach && y < 1.9;
    const at = frame.count++;
    frame.x[at] = i;
    frame.y[at] = j;
    frame.z[at] = k;
    frame.state[at] = isRoad || isWall ? OCCUPIED : Math.abs(worldX) < 6 && y < 1.65 ? FREE : UNKNOWN;
  }
  return [frame, T];
}

function scoreOf(frames: readonly (readonly [wallM: number, cameraM: number])[], rangeM = 15) {
  const consistency = new SequenceConsistency(rangeM);
  for (const [wallM, cameraM] of frames) consistency.add(wallFrame(wallM), ahead(cameraM));
  return consistency.score();
}

describe("SequenceConsistency", () => {
  it("finds a still camera before a still wall in agreement", () => {
    const { frames, next, later } = scoreOf([
      [10.2, 0],
      [10.2, 0],
      [10.2, 0],
    ]);
    expect(frames).toBe(3);
    expect(next).toEqual({ seen_again: 2 * 128, occupied: 1, free: 0, free_alone: 0, unknown: 0 });
    expect(later.seen_again).toBe(3 * 128);
  });

  it("finds no obstacle gone where a camera nears a true wall in steps that are no whole voxels", () => {
    const steps = [0, 1.2, 2.4, 3.6, 4.8, 6];
    const { next, later } = scoreOf(steps.map((z) => [14.2 - z, z]));
    expect(next.seen_again).toBeGreaterThan(300);
    expect(later.free_alone).toBe(0);
    expect(next.free_alone).toBe(0);
    expect(next.occupied + next.free + next.unknown).toBeCloseTo(1, 12);
  });

  it("finds a tenth of a perfectly seen street free, but next to nothing free alone: voxels of camera and world cross", () => {
    const consistency = new SequenceConsistency();
    for (let i = 0; i < 12; i += 1)
      consistency.add(...streetFrame(0.1 * Math.sin(i / 3), 0.3 * Math.sin(i / 2), 1.17 * i));
    const { next } = consistency.score();
    expect(next.seen_again).toBeGreaterThan(3000);
    expect(next.free).toBeGreaterThan(0.05);
    expect(next.free_alone).toBeLessThan(0.005);
  });

  it("counts a wall that the later frame sees through as free alone, a shift by one voxel as free beside", () => {
    expect(
      scoreOf([
        [10.2, 0],
        [13.2, 0],
      ]).next,
    ).toMatchObject({ free: 1, free_alone: 1, occupied: 0 });
    expect(
      scoreOf([
        [10.2, 0],
        [10.7, 0],
      ]).next,
    ).toMatchObject({ free: 1, free_alone: 0 });
    expect(
      scoreOf([
        [10.2, 0],
        [9.7, 0],
      ]).next,
    ).toMatchObject({ free: 0, unknown: 1 });
  });

  it("leaves out what lies beyond the range in either frame, or out of view in the later one", () => {
    expect(
      scoreOf(
        [
          [10.2, 0],
          [10.2, 0],
        ],
        9,
      ).next.seen_again,
    ).toBe(0);
    expect(
      scoreOf(
        [
          [10.2, 0],
          [12.2, -2],
        ],
        11.5,
      ).next.seen_again,
    ).toBe(0);
    const passed = scoreOf([
      [4.2, 0],
      [4.2, 5],
    ]);
    expect(passed.next.seen_again).toBe(0);
    expect(scoreOf([]).next.free).toBe(0);
  });
});
