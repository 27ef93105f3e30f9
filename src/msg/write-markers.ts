import type { Header } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";
import type { CloudArrays } from "./write-cloud.ts";

const CUBE_LIST = 6;
const ADD = 0;
const DELETE_ALL = 3;
const CUBE_BYTES = 40;
/** Bytes of the last message beside its cubes: the next one most likely has as many, and needs no copy to fit. */
let otherBytes = 640;

export interface CubeOptions {
  /** Edge of each cube, metres. */
  readonly edgeM: number;
  /** At most so many cubes; of more, every n-th is shown (RViz 2 stalls at some 20,000: ros2/rviz issue 790). */
  readonly maxCubes: number;
  /** Heights (z, metres) at the two ends of the colour scale. */
  readonly minZM: number;
  readonly maxZM: number;
}

/**
 * visualization_msgs/MarkerArray: DELETEALL, then one CUBE_LIST of the points in `namespace`, coloured by height (blue
 * below, green, red above). Without points only the DELETEALL.
 */
export function writeCubeMarkers(
  header: Header,
  namespace: string,
  cloud: CloudArrays,
  options: CubeOptions,
): Uint8Array<ArrayBuffer> {
  const stride = Math.max(1, Math.ceil(cloud.count / options.maxCubes));
  const count = options.maxCubes > 0 ? Math.ceil(cloud.count / stride) : 0;
  const out = new CdrBytes(otherBytes + count * CUBE_BYTES);
  out.uint32(count > 0 ? 2 : 1);
  markerHead(out, header, namespace, DELETE_ALL, 0);
  markerTail(out.uint32(0).uint32(0));
  if (count === 0) return out.take();
  markerHead(out, header, namespace, ADD, options.edgeM);
  writeCentres(out.uint32(count).open(8, count * 24), cloud.xyz, stride);
  writeColours(out.uint32(count).open(4, count * 16), cloud.xyz, stride, options);
  const message = markerTail(out).take();
  otherBytes = message.length - count * CUBE_BYTES;
  return message;
}

/** geometry_msgs/Point[]: three float64 each, of every `stride`-th point. */
function writeCentres(data: DataView, xyz: Float32Array, stride: number): void {
  for (let at = 0, from = 0; at < data.byteLength; at += 24, from += stride * 3) {
    data.setFloat64(at, xyz[from]!, true);
    data.setFloat64(at + 8, xyz[from + 1]!, true);
    data.setFloat64(at + 16, xyz[from + 2]!, true);
  }
}

/** std_msgs/ColorRGBA[]: four float32 each. */
function writeColours(data: DataView, xyz: Float32Array, stride: number, { minZM, maxZM }: CubeOptions): void {
  const scale = 1 / (maxZM - minZM);
  let z = Number.NaN;
  let [red, green, blue] = [0, 0, 0];
  for (let at = 0, from = 2; at < data.byteLength; at += 16, from += stride * 3) {
    // Cells of one layer often follow each other.
    if (xyz[from] !== z) {
      z = xyz[from]!;
      const share = (z - minZM) * scale;
      const t = share > 0 ? Math.min(1, share) : 0;
      red = heightRed(t);
      green = heightGreen(t);
      blue = heightRed(1 - t);
    }
    data.setFloat32(at, red, true);
    data.setFloat32(at + 4, green, true);
    data.setFloat32(at + 8, blue, true);
    data.setFloat32(at + 12, 1, true);
  }
}

/** Colour scale over 0..1: red rises in the upper half (blue is its mirror), green peaks in the middle. */
export function heightRed(t: number): number {
  return Math.min(1, Math.max(0, 2 * t - 0.5));
}

export function heightGreen(t: number): number {
  return Math.max(0, 1 - 1.6 * Math.abs(t - 0.5));
}

/** Header to frame_locked: id 0, pose identity, colour white, no lifetime. */
function markerHead(out: CdrBytes, header: Header, namespace: string, action: number, edgeM: number): void {
  out.header(header).string(namespace).int32(0).int32(CUBE_LIST).int32(action);
  out.float64s([0, 0, 0, 0, 0, 0, 1, edgeM, edgeM, edgeM]);
  out.float32(1).float32(1).float32(1).float32(1);
  out.int32(0).uint32(0).bool(false);
}

/** texture_resource, texture, uv_coordinates, text, mesh_resource, mesh_file, mesh_use_embedded_materials: all empty. */
function markerTail(out: CdrBytes): CdrBytes {
  out.string("").header({ stampNs: 0n, frameId: "" }).string("").uint32(0);
  return out.uint32(0).string("").string("").string("").uint32(0).bool(false);
}
