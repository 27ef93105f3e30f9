import { randomOf } from "./frames.ts";

/** One range scan, metres, map frame (x ahead, z up). */
export interface Scan {
  readonly origin: Float32Array;
  readonly xyz: Float32Array;
  readonly count: number;
}

export const RANGE_M = 30;
const STEP_M = 1;
const NOISE_M = 0.02;
/** Box: x0, x1, y0, y1, z0, z1. */
type Box = readonly number[];

/** A street along x: ground, houses with bays on both sides, parked cars, poles and people. */
function street(): Box[] {
  const random = randomOf(11);
  const boxes: Box[] = [[-100, 200, -40, 40, -1, 0]];
  for (let x = -60; x < 120; x += 6) {
    const [left, right] = [7 + 3 * random(), -7 - 3 * random()];
    boxes.push([x, x + 6, left, left + 6, 0, 5 + 8 * random()], [x, x + 6, right - 6, right, 0, 5 + 8 * random()]);
    if (random() < 0.7) boxes.push([x, x + 4.2, 3.6, 5.4, 0.2, 1.5 + 0.4 * random()]);
    if (random() < 0.7) boxes.push([x + 1, x + 5.2, -5.2, -3.4, 0.2, 1.5 + 0.4 * random()]);
    boxes.push([x + 5, x + 5.2, 6, 6.2, 0, 6]);
    if (random() < 0.5) boxes.push([x + 2, x + 2.5, 2 * random() - 6, -4 + 2 * random(), 0, 1.75]);
  }
  return boxes;
}

/** Way to the first surface from `o` along `d`; Infinity = sky. */
function distance(boxes: readonly Box[], o: ArrayLike<number>, d: readonly number[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const box of boxes) {
    let enter = 0.05;
    let leave = nearest;
    for (let a = 0; a < 3; a += 1) {
      const one = (box[2 * a]! - o[a]!) / d[a]!;
      const other = (box[2 * a + 1]! - o[a]!) / d[a]!;
      enter = Math.max(enter, Math.min(one, other));
      leave = Math.min(leave, Math.max(one, other));
    }
    if (enter < leave) nearest = enter;
  }
  return nearest;
}

/** Directions of a depth camera, 880 x 400 at 700 pixels of focal length, thinned to 100,352 rays. */
function* cameraRays(): Generator<number[]> {
  for (let v = 0; v < 224; v += 1) {
    for (let u = 0; u < 448; u += 1)
      yield [1, -(((u + 0.5) / 448) * 880 - 440) / 700, -(((v + 0.5) / 224) * 400 - 200) / 700];
  }
}

/** Directions of a spinning lidar, 64 rings from -25 to 5 degrees, 1568 a ring: 100,352 rays. */
function* lidarRays(): Generator<number[]> {
  for (let n = 0; n < 1568; n += 1) {
    const yaw = (n / 1568) * 2 * Math.PI;
    for (let ring = 0; ring < 64; ring += 1) {
      const pitch = (((ring / 63) * 30 - 25) * Math.PI) / 180;
      yield [Math.cos(yaw) * Math.cos(pitch), Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch)];
    }
  }
}

/**
 * `count` scans of a made-up street, 1 m apart. Noise along the ray; what the sensor sees nothing of within 60 m is not
 * a point, what lies beyond `RANGE_M` is for the map to cut.
 */
export function streetScans(sensor: "camera" | "lidar", count: number): Scan[] {
  const boxes = street();
  const random = randomOf(7);
  return Array.from({ length: count }, (_, n) => {
    const origin = Float32Array.of(0.03 + n * STEP_M, 0.21 + 0.3 * Math.sin(n / 3), 1.73);
    const near = boxes.filter((box) => box[1]! > origin[0]! - 60 && box[0]! < origin[0]! + 60);
    const xyz: number[] = [];
    for (const d of sensor === "camera" ? cameraRays() : lidarRays()) {
      const way = distance(near, origin, d) + NOISE_M * (random() + random() - 1);
      if (way < 60) for (let a = 0; a < 3; a += 1) xyz.push(origin[a]! + way * d[a]!);
    }
    return { origin, xyz: Float32Array.from(xyz), count: xyz.length / 3 };
  });
}

/** Rays from the scans' places in all directions (above all level ones): origin and direction, six numbers each. */
export function randomRays(scans: readonly Scan[], count: number): Float32Array {
  const random = randomOf(3);
  const rays = new Float32Array(count * 6);
  for (let i = 0; i < count; i += 1) {
    rays.set(scans[Math.floor(random() * scans.length)]!.origin, i * 6);
    const yaw = random() * 2 * Math.PI;
    rays.set([Math.cos(yaw), Math.sin(yaw), (random() - 0.5) * 0.8], i * 6 + 3);
  }
  return rays;
}
