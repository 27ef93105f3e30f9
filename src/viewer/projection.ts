import type { Transform } from "../core/transform.ts";
import type { Points } from "./point-cloud.ts";
import type { CameraShape } from "./status.ts";

const nearM = 1;
const farM = 30;

/** Voxels in the image, the farthest first; the first `count` count. Grows, never shrinks. */
export interface Projected {
  count: number;
  /** Index of the point. */
  index: Uint32Array;
  /** Centre (u, v) and edge of the voxel's face, pixels: uvSize[3 * index ..]. */
  uvSize: Float32Array;
}

export function makeProjected(): Projected {
  return { count: 0, index: new Uint32Array(0), uvSize: new Float32Array(0) };
}

/** Projects the centres of voxels that are 1 to 30 m ahead and in the image. `T_map_camera`: left optical frame. */
export function projectInto(
  out: Projected,
  { xyz, count }: Points,
  T_map_camera: Transform,
  { width, height, fx, fy, cx, cy }: CameraShape,
  edgeM: number,
): void {
  if (out.index.length < count) {
    out.index = new Uint32Array(count * 2);
    out.uvSize = new Float32Array(count * 6);
  }
  const T = T_map_camera;
  const depths = new Float32Array(count);
  let n = 0;
  for (let i = 0; i < count; i += 1) {
    const [dx, dy, dz] = [xyz[i * 3]! - T[3]!, xyz[i * 3 + 1]! - T[7]!, xyz[i * 3 + 2]! - T[11]!];
    const z = T[2]! * dx + T[6]! * dy + T[10]! * dz;
    if (z < nearM || z > farM) continue;
    const u = (fx * (T[0]! * dx + T[4]! * dy + T[8]! * dz)) / z + cx;
    const v = (fy * (T[1]! * dx + T[5]! * dy + T[9]! * dz)) / z + cy;
    const size = (fx * edgeM) / z;
    if (u < -size || u > width + size || v < -size || v > height + size) continue;
    depths[i] = z;
    out.index[n] = i;
    out.uvSize[i * 3] = u;
    out.uvSize[i * 3 + 1] = v;
    out.uvSize[i * 3 + 2] = size;
    n += 1;
  }
  out.count = n;
  out.index.subarray(0, n).sort((a, b) => depths[b]! - depths[a]!);
}
