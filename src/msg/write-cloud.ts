import type { Header } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";

/** xyz[3 i..] in metres, value[i]; the first `count` points count. */
export interface CloudArrays {
  readonly count: number;
  readonly xyz: Float32Array;
  readonly value: Float32Array;
}

const FLOAT32 = 7;
const POINT_BYTES = 16;
const FIELDS = ["x", "y", "z", "intensity"] as const;

/**
 * sensor_msgs/PointCloud2 of x, y, z, intensity (float32 each), height 1, dense. Points with a coordinate that is not
 * finite are left out, because `is_dense` promises that there are none; a value that is not finite becomes 0.
 */
export function writePointCloud2(header: Header, cloud: CloudArrays): Uint8Array<ArrayBuffer> {
  const width = finiteCount(cloud);
  const out = new CdrBytes(256 + header.frameId.length + width * POINT_BYTES);
  out.header(header).uint32(1).uint32(width).uint32(FIELDS.length);
  for (let i = 0; i < FIELDS.length; i += 1) {
    out
      .string(FIELDS[i]!)
      .uint32(i * 4)
      .uint8(FLOAT32)
      .uint32(1);
  }
  out
    .bool(false)
    .uint32(POINT_BYTES)
    .uint32(POINT_BYTES * width)
    .uint32(POINT_BYTES * width);
  fill(out.open(1, POINT_BYTES * width), cloud);
  return out.bool(true).take();
}

function finiteCount({ count, xyz }: CloudArrays): number {
  let finite = 0;
  for (let i = 0; i < count; i += 1) if (isFinitePoint(xyz, i * 3)) finite += 1;
  return finite;
}

/** A sum is finite only if its terms are; the sum of three float32 never overflows a double. */
function isFinitePoint(xyz: Float32Array, at: number): boolean {
  return Number.isFinite(xyz[at]! + xyz[at + 1]! + xyz[at + 2]!);
}

function fill(data: DataView, { count, xyz, value }: CloudArrays): void {
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (!isFinitePoint(xyz, i * 3)) continue;
    data.setFloat32(at, xyz[i * 3]!, true);
    data.setFloat32(at + 4, xyz[i * 3 + 1]!, true);
    data.setFloat32(at + 8, xyz[i * 3 + 2]!, true);
    data.setFloat32(at + 12, Number.isFinite(value[i]) ? value[i]! : 0, true);
    at += POINT_BYTES;
  }
}
