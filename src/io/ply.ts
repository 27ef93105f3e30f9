import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";
import { cellCentreInto, cellSizeM, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import { heightPalette, shadeAt } from "./palette.ts";
import { writeWhole } from "./write-whole.ts";

const bytesPerPoint = 3 * 4 + 3 + 4 + 4;

/**
 * The occupied cells as a binary little-endian PLY point cloud (format: Turk, "The PLY Polygon File Format", 1994):
 * centre x, y, z in metres, left optical frame; red, green, blue; `size` (edge, metres); `p_occupied`. Colours come from
 * the left image where it has any and sees the centre, else from the height.
 */
export function plyOf(frame: OctreeFrame, left: Image, calibration: StereoCalibration): Uint8Array {
  let count = 0;
  for (let i = 0; i < frame.count; i += 1) if (frame.state[i] === OCCUPIED) count += 1;
  const header = new TextEncoder().encode(headerOf(count));
  const out = new Uint8Array(header.length + count * bytesPerPoint);
  out.set(header);
  const view = new DataView(out.buffer);
  const centre = new Float64Array(3);
  let at = header.length;
  for (let i = 0; i < frame.count; i += 1) {
    if (frame.state[i] !== OCCUPIED) continue;
    cellCentreInto(centre, 0, frame, i);
    for (let axis = 0; axis < 3; axis += 1) view.setFloat32(at + axis * 4, centre[axis]!, true);
    colourInto(out, at + 12, centre, frame, left, calibration);
    view.setFloat32(at + 15, cellSizeM(frame.grid, frame.level[i]!), true);
    view.setFloat32(at + 19, frame.pOccupied[i]!, true);
    at += bytesPerPoint;
  }
  return out;
}

/** Throws `Fault` OUTPUT_UNWRITABLE. */
export async function writePly(
  path: string,
  frame: OctreeFrame,
  left: Image,
  calibration: StereoCalibration,
): Promise<void> {
  await writeWhole(path, plyOf(frame, left, calibration));
}

function headerOf(count: number): string {
  return [
    "ply",
    "format binary_little_endian 1.0",
    "comment voxelguard: centres of occupied voxels, metres, left optical frame (x right, y down, z forward)",
    `element vertex ${count}`,
    "property float x",
    "property float y",
    "property float z",
    "property uchar red",
    "property uchar green",
    "property uchar blue",
    "property float size",
    "property float p_occupied",
    "end_header\n",
  ].join("\n");
}

function colourInto(
  out: Uint8Array,
  at: number,
  centre: Float64Array,
  frame: OctreeFrame,
  left: Image,
  calibration: StereoCalibration,
): void {
  const [x, y, z] = [centre[0]!, centre[1]!, centre[2]!];
  const u = Math.round((calibration.fx * x) / z + calibration.cx);
  const v = Math.round((calibration.fy * y) / z + calibration.cy);
  const isSeen = z > 0 && u >= 0 && u < left.width && v >= 0 && v < left.height;
  if (isSeen && left.channels === 3) {
    const pixel = (v * left.width + u) * 3;
    out.set(left.data.subarray(pixel, pixel + 3), at);
    return;
  }
  const { origin, size, voxelSizeM } = frame.grid;
  const low = (origin[1] + size[1]) * voxelSizeM;
  const shade = shadeAt((low - y) / (size[1] * voxelSizeM));
  out.set(heightPalette.subarray(shade, shade + 3), at);
}
