import type { StereoCalibration } from "../core/calibration.ts";
import { FREE, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import { heightPalette, shadeAt } from "./palette.ts";
import { type Canvas, type Colour, drawLine, fillRect, makeCanvas } from "./preview-canvas.ts";
import { type Label, niceStep, theme } from "./preview-theme.ts";

export interface Panel {
  readonly canvas: Canvas;
  readonly labels: readonly Label[];
}

/** Heights above the camera that the colours span, in voxels: 4 below (the ground of a car) to 6 above. */
const LOW_VOXELS = -4;
const HIGH_VOXELS = 6;

/**
 * The frame from above: the camera at the bottom, x to the right, z up. A column takes the colour of its highest
 * occupied cell; else it is free or unknown, as most of its cells are. Columns out of view stay dark.
 */
export function drawBirdsEye(frame: OctreeFrame, calibration: StereoCalibration, edgePx: number): Panel {
  const { origin, size, voxelSizeM } = frame.grid;
  const canvas = makeCanvas(edgePx, edgePx, theme.outside);
  const cellPx = edgePx / Math.max(size[0], size[2]);
  const columns = columnsOf(frame);
  for (let k = 0; k < size[2]; k += 1) {
    for (let i = 0; i < size[0]; i += 1) {
      const colour = colourOf(columns, k * size[0] + i, frame);
      if (colour === undefined || !isInView(calibration, origin[0] + i, origin[2] + k)) continue;
      const x = i * cellPx;
      const y = edgePx - (k + 1) * cellPx;
      // A gap of one pixel leaves the grid visible where cells are large enough.
      const gap = cellPx >= 8 ? 1 : 0;
      fillRect(canvas, x, y, x + cellPx - gap, y + cellPx - gap, colour);
    }
  }
  const metrePx = cellPx / voxelSizeM;
  const cameraX = -origin[0] * cellPx;
  const cameraY = edgePx + origin[2] * cellPx;
  drawFrustum(canvas, calibration, cameraX, cameraY);
  const labels = drawRings(canvas, cameraX, cameraY, metrePx, size[2] * voxelSizeM);
  drawCamera(canvas, cameraX, cameraY - 1);
  return { canvas, labels };
}

/** Where in the height palette a point this far above the camera lies, 0..1. */
function heightShade(aboveM: number, voxelSizeM: number): number {
  return (aboveM / voxelSizeM - LOW_VOXELS) / (HIGH_VOXELS - LOW_VOXELS);
}

/** Ends of the height colours, metres above the camera. */
export function heightSpanM(voxelSizeM: number): readonly [number, number] {
  return [LOW_VOXELS * voxelSizeM, HIGH_VOXELS * voxelSizeM];
}

/** Whether the image sees some of the column with this corner, in voxels from the camera. */
function isInView({ fx, cx, width }: StereoCalibration, x: number, z: number): boolean {
  const far = z + 1;
  return ((x + 1) * fx) / far + cx >= -0.5 && (x * fx) / far + cx <= width - 0.5;
}

interface Columns {
  readonly free: Uint16Array;
  readonly unknown: Uint16Array;
  /** Top of the highest occupied cell, in leaf voxels from the grid's upper face (y down); 0xffff = none. */
  readonly top: Uint16Array;
}

/** Index z * sizeX + x. */
function columnsOf(frame: OctreeFrame): Columns {
  const { levels, size } = frame.grid;
  const count = size[0] * size[2];
  const free = new Uint16Array(count);
  const unknown = new Uint16Array(count);
  const top = new Uint16Array(count).fill(0xffff);
  for (let n = 0; n < frame.count; n += 1) {
    const edge = 1 << (levels - 1 - frame.level[n]!);
    const state = frame.state[n]!;
    for (let k = frame.z[n]! * edge; k < (frame.z[n]! + 1) * edge; k += 1) {
      for (let i = frame.x[n]! * edge; i < (frame.x[n]! + 1) * edge; i += 1) {
        const at = k * size[0] + i;
        if (state === OCCUPIED) top[at] = Math.min(top[at]!, frame.y[n]! * edge);
        else if (state === FREE) free[at]! += edge;
        else unknown[at]! += edge;
      }
    }
  }
  return { free, unknown, top };
}

function colourOf({ free, unknown, top }: Columns, at: number, frame: OctreeFrame): Colour | undefined {
  if (top[at] !== 0xffff) {
    const { origin, voxelSizeM } = frame.grid;
    const shade = shadeAt(heightShade(-(origin[1] + top[at]! + 0.5) * voxelSizeM, voxelSizeM));
    return [heightPalette[shade]!, heightPalette[shade + 1]!, heightPalette[shade + 2]!];
  }
  if (free[at] === 0 && unknown[at] === 0) return undefined;
  return free[at]! > unknown[at]! ? theme.free : theme.unknown;
}

function drawFrustum(canvas: Canvas, { fx, cx, width }: StereoCalibration, x: number, y: number): void {
  const reach = 2 * canvas.height;
  for (const edge of [-0.5, width - 0.5]) {
    const slope = (edge - cx) / fx;
    const clipped = Math.min(reach, y);
    drawLine(canvas, x, y, x + slope * clipped, y - clipped, theme.line, 2);
  }
}

function drawRings(canvas: Canvas, x: number, y: number, metrePx: number, reachM: number): Label[] {
  const stepM = niceStep(reachM / 4);
  const labels: Label[] = [];
  for (let r = stepM; r <= reachM * 1.001; r += stepM) {
    const points = Math.ceil(r * metrePx * Math.PI);
    for (let s = 0; s <= points; s += 1) {
      if (s % 14 > 7) continue;
      const angle = (s / points) * Math.PI;
      const px = x + Math.cos(angle) * r * metrePx;
      const py = y - Math.sin(angle) * r * metrePx;
      fillRect(canvas, px - 1, py - 1, px + 1, py + 1, theme.line, 0.6);
    }
    if (r * metrePx < y - 12) {
      labels.push({ x: x + 6, y: y - r * metrePx - 5, text: `${Number(r.toFixed(3))} m`, size: 22, colour: "#cfd6e4" });
    }
  }
  return labels;
}

function drawCamera(canvas: Canvas, x: number, y: number): void {
  for (let s = 0; s < 22; s += 1) fillRect(canvas, x - s / 2, y - 22 + s, x + s / 2 + 1, y - 21 + s, [255, 255, 255]);
}
