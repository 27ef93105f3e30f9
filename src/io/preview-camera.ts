import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";
import { cellSizeM, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import { distancePalette, shadeAt } from "./palette.ts";
import { scanConvex } from "./preview-canvas.ts";

/** Nothing nearer than this is drawn, metres: it would project to infinity. */
const NEAR_M = 0.25;
const ALPHA = 0.52;
const EDGE_ALPHA = 0.8;
/** Light from above and ahead: the faces of a cube, z, x and y, as multiples of its colour. */
const LIGHT = [1, 0.78, 0.9] as const;

/**
 * The occupied cells as the left camera sees them, laid over `picture` (RGB, `scale` times the calibration's size):
 * nearest on top, hot near and cold far (`farM` is the far end), with their edges.
 */
export function drawVoxels(
  picture: Image,
  frame: OctreeFrame,
  calibration: StereoCalibration,
  scale: number,
  farM: number,
): void {
  const { width, height } = picture;
  const layer: Layer = {
    width,
    height,
    rgb: new Uint8Array(width * height * 3),
    cover: new Uint8Array(width * height),
  };
  const cells = occupiedFarToNear(frame);
  const taken = new Set<number>();
  for (const i of cells) taken.add(keyOf(frame, i, 0, 0, 0));
  for (const i of cells) drawCell(layer, frame, i, taken, calibration, scale, farM);
  const { data } = picture;
  for (let p = 0; p < layer.cover.length; p += 1) {
    const cover = layer.cover[p]!;
    if (cover === 0) continue;
    const alpha = cover === 2 ? EDGE_ALPHA : ALPHA;
    for (let c = p * 3; c < p * 3 + 3; c += 1) data[c] = data[c]! + (layer.rgb[c]! - data[c]!) * alpha;
  }
}

interface Layer {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  /** 0 nothing, 1 face, 2 edge. */
  readonly cover: Uint8Array;
}

function occupiedFarToNear(frame: OctreeFrame): number[] {
  const list: { i: number; square: number }[] = [];
  const { origin, voxelSizeM } = frame.grid;
  for (let i = 0; i < frame.count; i += 1) {
    if (frame.state[i] !== OCCUPIED) continue;
    const size = cellSizeM(frame.grid, frame.level[i]!);
    const x = origin[0] * voxelSizeM + (frame.x[i]! + 0.5) * size;
    const y = origin[1] * voxelSizeM + (frame.y[i]! + 0.5) * size;
    const z = origin[2] * voxelSizeM + (frame.z[i]! + 0.5) * size;
    list.push({ i, square: x * x + y * y + z * z });
  }
  return list.sort((a, b) => b.square - a.square).map(({ i }) => i);
}

function keyOf(frame: OctreeFrame, i: number, dx: number, dy: number, dz: number): number {
  const index = ((frame.x[i]! + dx + 1) * 4096 + frame.y[i]! + dy + 1) * 4096 + frame.z[i]! + dz + 1;
  return index * 16 + frame.level[i]!;
}

function drawCell(
  layer: Layer,
  frame: OctreeFrame,
  i: number,
  taken: ReadonlySet<number>,
  calibration: StereoCalibration,
  scale: number,
  farM: number,
): void {
  const { origin, voxelSizeM } = frame.grid;
  const size = cellSizeM(frame.grid, frame.level[i]!);
  const x = origin[0] * voxelSizeM + frame.x[i]! * size;
  const y = origin[1] * voxelSizeM + frame.y[i]! * size;
  const z = Math.max(NEAR_M, origin[2] * voxelSizeM + frame.z[i]! * size);
  const far = origin[2] * voxelSizeM + (frame.z[i]! + 1) * size;
  if (far <= NEAR_M) return;
  const hue = shadeAt(Math.hypot(x + size / 2, y + size / 2, (z + far) / 2) / farM);
  const [x1, y1] = [x + size, y + size];
  const face = (corners: readonly number[], light: number) =>
    drawFace(layer, corners, calibration, scale, hue, light * LIGHT[0]);
  // Faces that look at the camera and touch no other occupied cell; the one across the line of sight comes last.
  const side = x > 0 ? x : x1 < 0 ? x1 : undefined;
  if (side !== undefined && !taken.has(keyOf(frame, i, x > 0 ? -1 : 1, 0, 0))) {
    face([side, y, z, side, y, far, side, y1, far, side, y1, z], LIGHT[1]);
  }
  const lid = y > 0 ? y : y1 < 0 ? y1 : undefined;
  if (lid !== undefined && !taken.has(keyOf(frame, i, 0, y > 0 ? -1 : 1, 0))) {
    face([x, lid, z, x1, lid, z, x1, lid, far, x, lid, far], LIGHT[2]);
  }
  if (!taken.has(keyOf(frame, i, 0, 0, -1))) face([x, y, z, x1, y, z, x1, y1, z, x, y1, z], 1);
}

/** `corners`: x, y, z of four points in turn, metres, all in front of the camera. */
function drawFace(
  layer: Layer,
  corners: readonly number[],
  { fx, fy, cx, cy }: StereoCalibration,
  scale: number,
  hue: number,
  light: number,
): void {
  const pixels = new Float64Array(8);
  for (let c = 0; c < 4; c += 1) {
    const z = corners[c * 3 + 2]!;
    pixels[c * 2] = ((fx * corners[c * 3]!) / z + cx + 0.5) * scale;
    pixels[c * 2 + 1] = ((fy * corners[c * 3 + 1]!) / z + cy + 0.5) * scale;
  }
  const paint = (y: number, from: number, to: number, cover: number, strength: number) => {
    for (let p = y * layer.width + from; p < y * layer.width + to; p += 1) {
      layer.cover[p] = cover;
      for (let c = 0; c < 3; c += 1) layer.rgb[p * 3 + c] = distancePalette[hue + c]! * strength;
    }
  };
  scanConvex(pixels, layer.width, layer.height, (y, from, to) => paint(y, from, to, 1, light));
  for (let c = 0; c < 4; c += 1) {
    const d = ((c + 1) % 4) * 2;
    edge(layer, pixels[c * 2]!, pixels[c * 2 + 1]!, pixels[d]!, pixels[d + 1]!, (y, x) => {
      if (layer.cover[y * layer.width + x] === 0) return;
      paint(y, x, x + 1, 2, light * 0.45);
    });
  }
}

/** Visits the pixels of a line that lie on the layer. */
function edge(
  { width, height }: Layer,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  visit: (y: number, x: number) => void,
): void {
  const steps = Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)));
  if (!(steps < 20_000)) return;
  for (let s = 0; s <= steps; s += 1) {
    const x = Math.floor(x0 + ((x1 - x0) * s) / Math.max(1, steps));
    const y = Math.floor(y0 + ((y1 - y0) * s) / Math.max(1, steps));
    if (x >= 0 && y >= 0 && x < width && y < height) visit(y, x);
  }
}
