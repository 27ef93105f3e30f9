import type { Cues } from "../../core/detection.ts";
import type { Answer } from "../answer.ts";
import type { Letterbox } from "../letterbox.ts";
import type { Raster } from "../raster.ts";

/** Cells of a model without an early layer among its outputs, canvas pixels. */
export const DEFAULT_STRIDE = 4;

/** Where the cells of `stride` canvas pixels lie in the image. */
export function cueGrid({ canvasWidth, canvasHeight, left, top, scaleX, scaleY }: Letterbox, stride: number) {
  return {
    width: Math.ceil(canvasWidth / stride),
    height: Math.ceil(canvasHeight / stride),
    left: 0 - left / scaleX,
    top: 0 - top / scaleY,
    cellWidth: stride / scaleX,
    cellHeight: stride / scaleY,
  } satisfies Omit<Cues, "maps">;
}

/** Length of the vector of channels in each cell of `tap` [1, C, H, W], 0 where the canvas does not show the image. */
export function energyInto(out: Float32Array, { data, dims }: Answer, stride: number, box: Letterbox): void {
  const [, channels = 0, height = 0, width = 0] = dims;
  const cells = height * width;
  out.fill(0);
  const { x0, y0, x1, y1 } = inside(box, stride);
  for (let c = 0; c < channels; c += 1) {
    const plane = c * cells;
    for (let y = y0; y < y1; y += 1) {
      for (let i = y * width + x0; i < y * width + x1; i += 1) {
        const value = data[plane + i]!;
        out[i] = out[i]! + value * value;
      }
    }
  }
  for (let i = 0; i < cells; i += 1) out[i] = Math.sqrt(out[i]!);
}

/**
 * Root mean square of the Laplacian (four neighbours) of brightness and of the two colour differences, over every other
 * pixel of each cell. Colours may stand in either order. `std`: pixel values per unit of each channel.
 */
export function textureInto(
  texture: Float32Array,
  chroma: Float32Array,
  { data, xStep, yStep, cStep }: Raster,
  std: readonly number[],
  stride: number,
  box: Letterbox,
): void {
  const width = Math.ceil(box.canvasWidth / stride);
  texture.fill(0);
  chroma.fill(0);
  const { x0, y0, x1, y1 } = inside(box, stride);
  const [s0 = 1, s1 = 1, s2 = 1] = std;
  const samples = Math.ceil(stride / 2) ** 2;
  for (let cy = y0; cy < y1; cy += 1) {
    for (let cx = x0; cx < x1; cx += 1) {
      let light = 0;
      let colour = 0;
      for (let y = cy * stride; y < (cy + 1) * stride; y += 2) {
        for (let x = cx * stride; x < (cx + 1) * stride; x += 2) {
          const i = x * xStep + y * yStep;
          const j = i + cStep;
          const k = j + cStep;
          const a = s0 * (4 * data[i]! - data[i - xStep]! - data[i + xStep]! - data[i - yStep]! - data[i + yStep]!);
          const b = s1 * (4 * data[j]! - data[j - xStep]! - data[j + xStep]! - data[j - yStep]! - data[j + yStep]!);
          const c = s2 * (4 * data[k]! - data[k - xStep]! - data[k + xStep]! - data[k - yStep]! - data[k + yStep]!);
          light += (a + b + c) * (a + b + c);
          colour += (a - b) * (a - b) + (c - b) * (c - b);
        }
      }
      texture[cy * width + cx] = Math.sqrt(light / 9 / samples);
      chroma[cy * width + cx] = Math.sqrt(colour / 2 / samples);
    }
  }
}

/** Cells that lie in the image with one pixel of it around them: beyond begins the fill of the canvas, an edge. */
function inside({ left, top, width, height }: Letterbox, stride: number) {
  return {
    x0: Math.ceil((left + 1) / stride),
    y0: Math.ceil((top + 1) / stride),
    x1: Math.max(0, Math.floor((left + width - 1) / stride)),
    y1: Math.max(0, Math.floor((top + height - 1) / stride)),
  };
}
