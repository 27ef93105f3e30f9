import { Fault } from "../core/fault.ts";
import type { Header } from "../core/image.ts";
import { decodeCdr } from "./codec.ts";
import { headerOf, type RosHeader } from "./header.ts";

const FLOAT32 = 7;

interface PointCloud2 {
  readonly header: RosHeader;
  readonly height: number;
  readonly width: number;
  readonly fields: readonly { readonly name: string; readonly offset: number; readonly datatype: number }[];
  readonly is_bigendian: boolean;
  readonly point_step: number;
  readonly row_step: number;
  readonly data: Uint8Array;
}

/** Points of a cloud: xyz[3 i..], metres, in the header's frame; those that are not finite are left out. */
export interface Cloud extends Header {
  readonly count: number;
  readonly xyz: Float32Array;
}

/** Reads the x, y, z of a `sensor_msgs/PointCloud2` in CDR. Throws `Fault` MESSAGE_CORRUPT, TOPIC_TYPE. */
export function readPointCloud2(cdr: Uint8Array): Cloud {
  const message = decodeCdr<PointCloud2>("sensor_msgs/msg/PointCloud2", cdr);
  const { width, height, point_step: step, row_step: row, data, is_bigendian: isBig } = message;
  const offsets = ["x", "y", "z"].map(
    (wanted) => message.fields.find(({ name, datatype }) => name === wanted && datatype === FLOAT32)?.offset,
  );
  const room = offsets.every((offset) => offset !== undefined && offset + 4 <= step);
  if (!room || row < width * step || data.length < height * row) {
    const fields = message.fields.map(({ name, datatype }) => `${name} (type ${datatype})`).join(", ");
    throw new Fault(
      `A point cloud has the fields ${fields || "none"}, ${step} bytes a point, ${data.length} bytes for ${width} x ${height} points; wanted x, y and z as float32, and room for all points.`,
      { code: "TOPIC_TYPE", remedy: "Remap the topic to ~/points of stereo_voxel_node." },
    );
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const xyz = new Float32Array(3 * width * height);
  let count = 0;
  for (let v = 0; v < height; v += 1) {
    for (let u = 0; u < width; u += 1) {
      const at = v * row + u * step;
      for (let axis = 0; axis < 3; axis += 1) xyz[3 * count + axis] = view.getFloat32(at + offsets[axis]!, !isBig);
      if (Number.isFinite(xyz[3 * count]! + xyz[3 * count + 1]! + xyz[3 * count + 2]!)) count += 1;
    }
  }
  return { ...headerOf(message.header), count, xyz };
}
