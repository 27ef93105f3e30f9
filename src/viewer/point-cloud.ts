import { Fault } from "../core/fault.ts";
import { decodeCdr } from "../msg/codec.ts";

/** `sensor_msgs/PointCloud2`, the parts that matter here. */
interface PointCloud2 {
  readonly width: number;
  readonly height: number;
  readonly fields: readonly { readonly name: string; readonly offset: number; readonly datatype: number }[];
  readonly is_bigendian: boolean;
  readonly point_step: number;
  readonly row_step: number;
  readonly data: Uint8Array;
}

const float32 = 7;

/** Points as structure of arrays; the first `count` count. Grows, never shrinks. */
export interface Points {
  count: number;
  /** xyz[3 * i ..]: metres, in the frame of the message. */
  xyz: Float32Array;
  /** 0..1; 1 where the message has no `intensity`. */
  probability: Float32Array;
}

export function makePoints(): Points {
  return { count: 0, xyz: new Float32Array(0), probability: new Float32Array(0) };
}

/**
 * Reads a CDR `sensor_msgs/PointCloud2` with float32 x, y, z and, where there is one, intensity. Points with a NaN are
 * left out. Throws `Fault` MESSAGE_CORRUPT when the fields do not fit the data.
 */
export function pointsInto(points: Points, cdr: Uint8Array): void {
  const cloud = decodeCdr<PointCloud2>("sensor_msgs/PointCloud2", cdr);
  const { width, height, point_step: step, row_step: rowStep, data } = cloud;
  const offsetOf = (name: string): number => {
    const field = cloud.fields.find((each) => each.name === name && each.datatype === float32);
    return field === undefined || field.offset + 4 > step ? -1 : field.offset;
  };
  const [x, y, z, p] = [offsetOf("x"), offsetOf("y"), offsetOf("z"), offsetOf("intensity")];
  if (x < 0 || y < 0 || z < 0) throw unfit(`it has no float32 x, y, z within point_step ${step}`);
  const needed = height === 0 ? 0 : (height - 1) * rowStep + width * step;
  if (needed > data.byteLength)
    throw unfit(`${width}x${height} points need ${needed} bytes, it holds ${data.byteLength}`);

  reserve(points, width * height);
  const { xyz, probability } = points;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const little = !cloud.is_bigendian;
  let count = 0;
  for (let row = 0; row < height; row += 1) {
    for (let i = 0, at = row * rowStep; i < width; i += 1, at += step) {
      const px = view.getFloat32(at + x, little);
      const py = view.getFloat32(at + y, little);
      const pz = view.getFloat32(at + z, little);
      if (!Number.isFinite(px + py + pz)) continue;
      xyz[count * 3] = px;
      xyz[count * 3 + 1] = py;
      xyz[count * 3 + 2] = pz;
      probability[count] = p < 0 ? 1 : view.getFloat32(at + p, little);
      count += 1;
    }
  }
  points.count = count;
}

function reserve(points: Points, count: number): void {
  if (count <= points.probability.length) return;
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(count, 1024)));
  points.xyz = new Float32Array(capacity * 3);
  points.probability = new Float32Array(capacity);
}

function unfit(why: string): Fault {
  return new Fault(`A point cloud cannot be shown: ${why}.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Check the program that publishes it.",
  });
}
