import { describe, expect, it } from "vitest";
import type { Detections } from "../core/detection.ts";
import { judge } from "./evidence.ts";
import { ObjectTracker } from "./objects.ts";
import { CELL_PX, SolidView } from "./solid-view.ts";

const view = { fx: 400, fy: 400, cx: 320, cy: 200, width: 640, height: 400 };
const voxelM = 0.5;
const rangeM = 32;
type Point = readonly [x: number, y: number, z: number];
type Span = readonly [from: number, to: number];

/** Centres of the voxels of a block, metres; y grows downwards, the camera is 1.5 m above the ground. */
function block([x0, x1]: Span, [y0, y1]: Span, [z0, z1]: Span): Point[] {
  const points: Point[] = [];
  const along = (from: number, to: number) => Array.from({ length: Math.round((to - from) / voxelM) }, (_, i) => i);
  for (const i of along(x0, x1))
    for (const j of along(y0, y1))
      for (const k of along(z0, z1)) {
        points.push([x0 + (i + 0.5) * voxelM, y0 + (j + 0.5) * voxelM, z0 + (k + 0.5) * voxelM]);
      }
  return points;
}

const ground = block([-15, 15], [1.5, 2], [1, 30]);
const wall = (z: number) => block([-15, 15], [-3, 1.5], [z, z + 0.5]);
const person = (x: number, z: number) => block([x - 0.5, x + 0.5], [-0.5, 1.5], [z, z + 0.5]);

function seen(...points: readonly Point[][]): SolidView {
  const all = points.flat();
  const solid = new SolidView();
  solid.paint(Float32Array.from(all.flat()), all.length, voxelM, view);
  return solid;
}

/** Box of an upright rectangle at x, z: `height` m tall, its feet on the ground. */
function boxAt(x: number, z: number, height = 1.7, width = 0.6): number[] {
  const u = (metres: number) => (view.fx * metres) / z + view.cx;
  const v = (metres: number) => (view.fy * metres) / z + view.cy;
  return [u(x - width / 2), v(1.5 - height), u(x + width / 2), v(1.5)];
}

describe("view of the solid voxels", () => {
  it("has the nearest depth in each cell, Infinity where nothing is, NaN outside of the image", () => {
    const solid = seen(wall(20), person(0, 8));
    expect([solid.rows, solid.columns]).toEqual([50, 80]);
    expect(solid.at(Math.floor(220 / CELL_PX), 40)).toBe(8.25);
    expect(solid.at(Math.floor(220 / CELL_PX), 60)).toBe(20.25);
    expect(solid.at(0, 0)).toBe(Number.POSITIVE_INFINITY);
    expect([solid.at(-1, 0), solid.at(0, 80)]).toEqual([Number.NaN, Number.NaN]);
  });

  it("paints at least a cell for a far voxel, and nothing for what lies behind the camera", () => {
    const solid = new SolidView();
    solid.paint([0, 0, 31, 0, 0, -5], 2, 0.02, view);
    expect([...solid.depthM].filter((depth) => depth < Number.POSITIVE_INFINITY)).toEqual([31]);
  });
});

describe("evidence of the voxels", () => {
  it.each([5, 8, 12, 18])("a person %d m away stands upright", (z) => {
    const { support, depthM } = judge(seen(ground, person(1, z)), boxAt(1, z), "person", rangeM);
    expect(support).toBe("upright");
    expect(Math.abs(depthM - z)).toBeLessThanOrEqual(0.5);
  });

  it("so does one before a wall, and one of two side by side", () => {
    const scene = seen(ground, wall(14), person(-0.5, 8), person(0.5, 8), person(3, 12));
    for (const box of [boxAt(-0.5, 8), boxAt(0.5, 8), boxAt(3, 12)]) {
      expect(judge(scene, box, "person", rangeM).support).toBe("upright");
    }
  });

  it.each([5, 8, 15])("a life-size picture on a wall %d m away is flat", (z) => {
    expect(judge(seen(ground, wall(z)), boxAt(0.7, z), "person", rangeM).support).toBe("flat");
  });

  it("single voxels beside a picture on a wall leave it flat; what hides the wall there does not", () => {
    const beside = (...across: Span) => block(across, [-0.5, 1.5], [8.5, 9]);
    const supportOf = (stray: Point[]) => judge(seen(ground, wall(10), stray), boxAt(0, 10), "person", rangeM).support;
    expect(supportOf(beside(0.9, 1.4))).toBe("flat");
    expect(supportOf(beside(0.4, 2.4))).toBe("upright");
  });

  it.each([5, 8, 12])("a picture on the ground %d m away is flat", (z) => {
    const v = (depth: number) => (view.fy * 1.5) / depth + view.cy;
    const box = [280, v(z + z / 3), 360, v(z - z / 4)];
    expect(judge(seen(ground), box, "person", rangeM).support).toBe("flat");
  });

  it("a small print on a post is too small for a person", () => {
    const post = block([-0.5, 0], [-1, 1.5], [6, 6.5]);
    const box = [view.cx - 26, 200, view.cx - 8, 230];
    expect(judge(seen(ground, post), box, "person", rangeM).support).toBe("small");
  });

  it("what lies far behind shows that there is nothing; without it, or too far away, nobody knows", () => {
    const behind = block([-15, 15], [-1, 4], [15, 15.5]);
    expect(judge(seen(behind), boxAt(0, 6), "person", rangeM).support).toBe("empty");
    expect(judge(seen(), boxAt(0, 6), "person", rangeM).support).toBe("unknown");
    expect(judge(seen(), boxAt(0, 30), "person", rangeM).support).toBe("unknown");
    expect(judge(seen(), boxAt(0, 6), "kite", rangeM).support).toBe("unknown");
  });

  it("a person far behind another is not taken for a small one", () => {
    const [x0, y0, x1, y1] = boxAt(0, 12);
    const near = block([-1, 0], [-0.5, 1.5], [3, 3.5]);
    const found = judge(seen(ground, person(0, 12), near), [x0! - 8, y0!, x1! + 8, y1!], "person", rangeM);
    expect(["upright", "unknown"]).toContain(found.support);
  });

  it("boxes that leave the image, or are no wider than a pixel, are judged without failing", () => {
    const solid = seen(ground, person(0, 5));
    for (const box of [
      [-500, -500, 1500, 1500],
      [-300, 100, -200, 200],
      [300, 150, 300.5, 150.5],
    ]) {
      const { share } = judge(solid, box, "person", rangeM);
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
  });
});

describe("objects", () => {
  const options = { beginScore: 0.4, patienceS: 0.5, holdS: 5, demotes: true };
  const classes = ["person", "car"];
  const detected = (...boxes: number[][]): Detections => ({
    count: boxes.length,
    boxes: Float32Array.from(boxes.flat()),
    scores: new Float32Array(boxes.length).fill(0.8),
    classes: new Uint16Array(boxes.length),
  });
  const tenth = (frame: number) => BigInt(frame) * 100_000_000n;

  it("holds a person that the detector loses while the camera comes nearer, and finds the same one again", () => {
    const objects = new ObjectTracker(classes, options);
    for (let frame = 0; frame < 40; frame += 1) {
      const z = 12 - 0.12 * frame;
      const evidence = { solid: seen(ground, person(0, Math.round(z * 2) / 2)), rangeM };
      const isLost = frame >= 6 && frame < 34;
      const found = objects.update(isLost ? detected() : detected(boxAt(0, z)), tenth(frame), evidence);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ status: isLost ? "held" : "seen", track: { id: 1 }, support: "upright" });
      expect(Math.abs(found[0]!.depthM - z)).toBeLessThan(0.8);
    }
  });

  it("lets go of one that has walked away, and of one that was never solid", () => {
    const objects = new ObjectTracker(classes, options);
    for (let frame = 0; frame < 5; frame += 1) {
      objects.update(detected(boxAt(0, 8)), tenth(frame), { solid: seen(ground, person(0, 8)), rangeM });
    }
    expect(objects.update(detected(), tenth(5), { solid: seen(ground), rangeM })).toEqual([]);
    for (let frame = 20; frame < 25; frame += 1) {
      objects.update(detected(boxAt(0, 8)), tenth(frame), { solid: seen(ground, wall(8)), rangeM });
    }
    expect(objects.update(detected(), tenth(25), { solid: seen(ground, wall(8)), rangeM })).toEqual([]);
  });

  it("holds no longer than it may, and not at all with 0", () => {
    const evidence = { solid: seen(ground, person(0, 8)), rangeM };
    const held = (holdS: number) => {
      const objects = new ObjectTracker(classes, { ...options, holdS });
      for (let frame = 0; frame < 5; frame += 1) objects.update(detected(boxAt(0, 8)), tenth(frame), evidence);
      let count = 0;
      for (let frame = 5; frame < 60; frame += 1) count += objects.update(detected(), tenth(frame), evidence).length;
      return count;
    };
    expect([held(0), held(2)]).toEqual([0, 20]);
  });

  it("demotes a picture on a wall from its first image on, unless switched off", () => {
    const evidence = { solid: seen(ground, wall(8)), rangeM };
    const demoted = new ObjectTracker(classes, options).update(detected(boxAt(0, 8)), 0n, evidence);
    expect(demoted[0]).toMatchObject({ status: "demoted", support: "flat" });
    expect(demoted[0]!.score).toBeCloseTo(0.2);
    const kept = new ObjectTracker(classes, { ...options, demotes: false }).update(detected(boxAt(0, 8)), 0n, evidence);
    expect(kept[0]).toMatchObject({ status: "seen", support: "flat" });
  });

  it("forgives a single wrong judgement", () => {
    const objects = new ObjectTracker(classes, options);
    for (let frame = 0; frame < 9; frame += 1) {
      const solid = frame === 5 ? seen(ground, wall(8)) : seen(ground, person(0, 8));
      const [object] = objects.update(detected(boxAt(0, 8)), tenth(frame), { solid, rangeM });
      expect(object!.status).toBe("seen");
    }
  });

  it("without voxels only tracks", () => {
    const objects = new ObjectTracker(classes, options);
    expect(objects.update(detected(boxAt(0, 8)), 0n)[0]).toMatchObject({ status: "seen", support: "unknown" });
    expect(objects.update(detected(), tenth(1))).toEqual([]);
  });
});
