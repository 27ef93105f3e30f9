import sharp from "sharp";

/** A made-up street in the fixed frame (x along it, z up), in voxels of half a metre. */
export const edgeM = 0.5;

export interface StreetPoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly p: number;
}

/** Centres of the occupied voxels that a drive from x = 0 to `reachM` has seen. */
export function streetUpTo(reachM: number): StreetPoint[] {
  const points: StreetPoint[] = [];
  const box = (from: readonly number[], to: readonly number[], p = 0.95): void => {
    for (let x = from[0]!; x < Math.min(to[0]!, reachM); x += edgeM) {
      for (let y = from[1]!; y < to[1]!; y += edgeM) {
        for (let z = from[2]!; z < to[2]!; z += edgeM) {
          const inside = [x, y, z].every((v, k) => v > from[k]! && v + edgeM < to[k]!);
          if (!inside) points.push({ x: x + edgeM / 2, y: y + edgeM / 2, z: z + edgeM / 2, p });
        }
      }
    }
  };
  box([-2, -5, -0.5], [80, 5, 0], 0.9);
  for (let x = 2; x < 80; x += 14) {
    box([x, 6, -0.5], [x + 11, 6.5, 4.5 + (x % 3)]);
    box([x + 3, -7, -0.5], [x + 12, -6.5, 3 + (x % 4)]);
    box([x + 6, 4, 0], [x + 6.5, 4.5, 5], 0.7);
  }
  for (const [x, y] of [
    [9, 2.5],
    [24, -4],
    [38, 2],
  ] as const) {
    box([x, y, 0], [x + 4, y + 2, 1], 0.85);
    box([x + 1, y, 1], [x + 3, y + 2, 1.5], 0.85);
  }
  for (let x = 5; x < 80; x += 9) box([x, -4.5, 0], [x + 0.5, -4, 2], 0.6);
  return points;
}

/** `sensor_msgs/PointCloud2` of them, as a plain object. */
export function cloudOf(points: readonly StreetPoint[]): unknown {
  const data = new Float32Array(points.length * 4);
  for (const [i, { x, y, z, p }] of points.entries()) data.set([x, y, z, p], i * 4);
  return {
    header: { stamp: { sec: 0, nanosec: 0 }, frame_id: "odom" },
    height: 1,
    width: points.length,
    fields: ["x", "y", "z", "intensity"].map((name, i) => ({ name, offset: i * 4, datatype: 7, count: 1 })),
    is_bigendian: false,
    point_step: 16,
    row_step: points.length * 16,
    data: new Uint8Array(data.buffer),
    is_dense: true,
  };
}

/** `tf2_msgs/TFMessage`: the optical frame at (x, 0, 1.5), looking along the fixed frame's x. */
export function poseAt(x: number): unknown {
  const header = { stamp: { sec: 0, nanosec: 0 }, frame_id: "odom" };
  const rotation = { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
  return {
    transforms: [{ header, child_frame_id: "left_optical", transform: { translation: { x, y: 0, z: 1.5 }, rotation } }],
  };
}

/** A picture with one colour above and one below, as `sensor_msgs/CompressedImage`. */
export async function imageMessage(): Promise<unknown> {
  const [width, height] = [440, 200];
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const isSky = i < (width * height) / 2;
    pixels.set(isSky ? [200, 60, 160] : [60, 160, 80], i * 3);
  }
  const data = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  return { header: { stamp: { sec: 0, nanosec: 0 }, frame_id: "left_optical" }, format: "jpeg", data };
}

/** The JSON of /voxelguard/status, as `std_msgs/String`. */
export function statusMessage(more: Record<string, unknown> = {}): unknown {
  const status = {
    frame: 87,
    pairs: 88,
    pairsPerSecond: 16.4,
    voxelSizeM: edgeM,
    stagesMs: { rectify: 2.1, match: 5.3, network: 31.7, octree: 6.4, fuse: 3.2 },
    health: [],
    accuracy: { iou_32m: 0.612, missed: 0.041, free_violation: 0.038 },
    camera: { width: 880, height: 400, fx: 480, fy: 480, cx: 440, cy: 200 },
    ...more,
  };
  return { data: JSON.stringify(status) };
}
