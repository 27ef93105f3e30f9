import type { Cues } from "../../core/detection.ts";
import type { Answer } from "../answer.ts";
import type { Letterbox } from "../letterbox.ts";
import type { Raster } from "../raster.ts";

/** Cells of a model without an early layer among its outputs, canvas pixels. */
export const DEFAULT_STRIDE = 4;

/**
 * Distance of the neighbours in the Laplacian, canvas pixels: prints are seen a little blurred, and neighbouring pixels of a
 * JPEG share their colour.
 */
const REACH = 3;

/** A grid over the part of the canvas that shows the image, and the cell of the whole canvas where it begins. */
export interface CueGrid extends Omit<Cues, "maps"> {
  readonly stride: number;
  readonly firstX: number;
  readonly firstY: number;
}

/** Cells that lie in the image with REACH pixels of it around them: beyond begins the fill of the canvas, an edge. */
export function cueGrid({ left, top, width, height, scaleX, scaleY }: Letterbox, stride: number): CueGrid {
  const firstX = Math.ceil((left + REACH) / stride);
  const firstY = Math.ceil((top + REACH) / stride);
  return {
    stride,
    firstX,
    firstY,
    width: Math.max(0, Math.floor((left + width - REACH) / stride) - firstX),
    height: Math.max(0, Math.floor((top + height - REACH) / stride) - firstY),
    left: (firstX * stride - left) / scaleX,
    top: (firstY * stride - top) / scaleY,
    cellWidth: stride / scaleX,
    cellHeight: stride / scaleY,
  };
}

/** Length of the vector of channels in each cell of `tap`, [1, C, H, W] over the whole canvas. */
export function energyInto(out: Float32Array, { data, dims }: Answer, grid: CueGrid): void {
  const [, channels = 0, tapHeight = 0, tapWidth = 0] = dims;
  const { width, height, firstX, firstY } = grid;
  out.fill(0);
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < height; y += 1) {
      const from = (c * tapHeight + firstY + y) * tapWidth + firstX;
      for (let x = 0; x < width; x += 1) {
        const value = data[from + x]!;
        out[y * width + x] = out[y * width + x]! + value * value;
      }
    }
  }
  for (let i = 0; i < out.length; i += 1) out[i] = Math.sqrt(out[i]!);
}

/**
 * How strongly colours vary in more than one direction: the Laplacian (four neighbours, REACH away) of the two colour
 * differences over every other pixel of a cell, and of their second moments the root of the smaller eigenvalue. What is
 * grey, or wanders between two colours only, has none. Colours may stand in either order. `std`: pixel values per unit of each
 * channel.
 */
export function huesInto(
  hues: Float32Array,
  { data, xStep, yStep, cStep }: Raster,
  std: readonly number[],
  { width, height, firstX, firstY, stride }: CueGrid,
): void {
  const [s0 = 1, s1 = 1, s2 = 1] = std;
  const samples = Math.ceil(stride / 2) ** 2;
  const across = REACH * xStep;
  const down = REACH * yStep;
  for (let cy = 0; cy < height; cy += 1) {
    for (let cx = 0; cx < width; cx += 1) {
      let uu = 0;
      let uv = 0;
      let vv = 0;
      for (let y = (firstY + cy) * stride; y < (firstY + cy + 1) * stride; y += 2) {
        for (let x = (firstX + cx) * stride; x < (firstX + cx + 1) * stride; x += 2) {
          const i = x * xStep + y * yStep;
          const j = i + cStep;
          const k = j + cStep;
          const a = s0 * (4 * data[i]! - data[i - across]! - data[i + across]! - data[i - down]! - data[i + down]!);
          const b = s1 * (4 * data[j]! - data[j - across]! - data[j + across]! - data[j - down]! - data[j + down]!);
          const c = s2 * (4 * data[k]! - data[k - across]! - data[k + across]! - data[k - down]! - data[k + down]!);
          uu += (a - b) * (a - b);
          uv += (a - b) * (c - b);
          vv += (c - b) * (c - b);
        }
      }
      const smaller = (uu + vv - Math.sqrt((uu - vv) * (uu - vv) + 4 * uv * uv)) / 2;
      // Rounding may leave less than nothing.
      hues[cy * width + cx] = Math.sqrt(Math.max(0, smaller) / samples);
    }
  }
}
