import { heightPalette, shadeAt } from "./palette.ts";
import type { Panel } from "./preview-birdseye.ts";
import { type Canvas, drawLine, fillRect, makeCanvas } from "./preview-canvas.ts";
import { type Label, niceStep, theme } from "./preview-theme.ts";

/** Points of a fixed frame with z up, metres. */
export interface MapPoints {
  /** xyz[3 i..], the first `count` count: centres of occupied voxels. */
  readonly xyz: Float32Array | Float64Array;
  readonly count: number;
  readonly voxelSizeM: number;
  /** Where the camera or robot was, x, y, z in turn, in the same frame. */
  readonly cameraPath?: Float32Array | Float64Array;
}

/**
 * The map from above, x to the right and y up, or turned by a quarter where that fills the panel better; coloured by
 * height, higher points on top, with the path and a scale.
 */
export function drawMap(map: MapPoints, width: number, height: number): Panel {
  const canvas = makeCanvas(width, height, theme.outside);
  const view = viewOf(map, width, height);
  drawGrid(canvas, view);
  drawPoints(canvas, map, view);
  const path = map.cameraPath ?? new Float32Array(0);
  for (let i = 3; i + 2 < path.length; i += 3) {
    const [x0, y0] = pixelOf(view, path[i - 3]!, path[i - 2]!);
    const [x1, y1] = pixelOf(view, path[i]!, path[i + 1]!);
    drawLine(canvas, x0, y0, x1, y1, [255, 255, 255], 4);
  }
  if (path.length >= 3) {
    const [x, y] = pixelOf(view, path[path.length - 3]!, path[path.length - 2]!);
    fillRect(canvas, x - 8, y - 8, x + 8, y + 8, [255, 255, 255]);
    fillRect(canvas, x - 5, y - 5, x + 5, y + 5, [255, 45, 85]);
  }
  const barM = niceStep(width / view.metrePx / 6);
  const label: Label = { x: 20, y: height - 30, text: `${barM} m`, size: 22, colour: "#cfd6e4" };
  drawLine(canvas, 20, height - 20, 20 + barM * view.metrePx, height - 20, [207, 214, 228], 4);
  return { canvas, labels: [label] };
}

interface View {
  readonly x0: number;
  readonly y0: number;
  readonly metrePx: number;
  readonly width: number;
  readonly height: number;
  /** x up and y to the left instead of x to the right and y up. */
  readonly isTurned: boolean;
}

function viewOf(map: MapPoints, width: number, height: number): View {
  let [x0, x1, y0, y1] = [1e9, -1e9, 1e9, -1e9];
  const take = (xyz: ArrayLike<number>, length: number) => {
    for (let i = 0; i + 2 < length; i += 3) {
      x0 = Math.min(x0, xyz[i]!);
      x1 = Math.max(x1, xyz[i]!);
      y0 = Math.min(y0, xyz[i + 1]!);
      y1 = Math.max(y1, xyz[i + 1]!);
    }
  };
  take(map.xyz, map.count * 3);
  take(map.cameraPath ?? [], map.cameraPath?.length ?? 0);
  if (x0 > x1) [x0, x1, y0, y1] = [-5, 5, -5, 5];
  const margin = 2 * map.voxelSizeM;
  const [spanX, spanY] = [x1 - x0 + 2 * margin, y1 - y0 + 2 * margin];
  const upright = Math.min(width / spanX, height / spanY);
  const turned = Math.min(width / spanY, height / spanX);
  const isTurned = turned > upright;
  const metrePx = Math.max(upright, turned);
  return { x0: (x0 + x1) / 2, y0: (y0 + y1) / 2, metrePx, width, height, isTurned };
}

function pixelOf(view: View, x: number, y: number): [number, number] {
  const dx = (x - view.x0) * view.metrePx;
  const dy = (y - view.y0) * view.metrePx;
  if (view.isTurned) return [view.width / 2 - dy, view.height / 2 - dx];
  return [view.width / 2 + dx, view.height / 2 - dy];
}

function drawGrid(canvas: Canvas, view: View): void {
  const step = niceStep(view.width / view.metrePx / 6) * view.metrePx;
  for (let at = (view.width / 2) % step; at < view.width; at += step) {
    fillRect(canvas, at, 0, at + 1, view.height, theme.line, 0.15);
  }
  for (let at = (view.height / 2) % step; at < view.height; at += step) {
    fillRect(canvas, 0, at, view.width, at + 1, theme.line, 0.15);
  }
}

function drawPoints(canvas: Canvas, { xyz, count, voxelSizeM }: MapPoints, view: View): void {
  const order = new Uint32Array(count);
  const heights = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    order[i] = i;
    heights[i] = xyz[i * 3 + 2]!;
  }
  order.sort((a, b) => heights[a]! - heights[b]!);
  const low = heights[order[Math.floor(count * 0.02)] ?? 0] ?? 0;
  const high = Math.max(heights[order[Math.floor(count * 0.98)] ?? 0] ?? 1, low + 4 * voxelSizeM);
  const half = Math.max(1, (voxelSizeM * view.metrePx) / 2);
  for (let n = 0; n < count; n += 1) {
    const i = order[n]!;
    const shade = shadeAt((heights[i]! - low) / (high - low));
    const colour = [heightPalette[shade]!, heightPalette[shade + 1]!, heightPalette[shade + 2]!] as const;
    const [x, y] = pixelOf(view, xyz[i * 3]!, xyz[i * 3 + 1]!);
    fillRect(canvas, x - half, y - half, x + half, y + half, colour);
  }
}
