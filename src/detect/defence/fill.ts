import type { Box } from "../../core/detection.ts";
import type { Raster } from "../raster.ts";

/** Pixels to each side that are averaged along an edge: what lies beside a window is textured, too. */
const SOFTEN = 2;

/**
 * Fills a window from what surrounds it, in place: each pixel is the mean of the four pixels just outside the window in
 * its row and column, weighted by one over their distance. A side that lies on the border of `frame` (whole pixels, the
 * part of the raster that holds the image) has no say; a window as large as the frame becomes its own mean.
 */
export function fillWindow(raster: Raster, frame: Box, window: Box): void {
  const x0 = Math.max(frame[0], Math.floor(window[0]));
  const y0 = Math.max(frame[1], Math.floor(window[1]));
  const x1 = Math.min(frame[2], Math.ceil(window[2]));
  const y1 = Math.min(frame[3], Math.ceil(window[3]));
  if (!(x1 > x0 && y1 > y0)) return;
  const { data, channels, xStep, yStep, cStep } = raster;
  const hasLeft = x0 > frame[0];
  const hasTop = y0 > frame[1];
  const hasRight = x1 < frame[2];
  const hasBottom = y1 < frame[3];
  const whole = data instanceof Uint8Array ? 0.5 : 0;
  for (let c = 0; c < channels; c += 1) {
    const at = c * cStep;
    const mean = hasLeft || hasTop || hasRight || hasBottom ? 0 : meanOf(raster, at, x0, y0, x1, y1);
    const left = edge(data, at + (x0 - 1) * xStep + y0 * yStep, yStep, hasLeft ? y1 - y0 : 0);
    const right = edge(data, at + x1 * xStep + y0 * yStep, yStep, hasRight ? y1 - y0 : 0);
    const top = edge(data, at + x0 * xStep + (y0 - 1) * yStep, xStep, hasTop ? x1 - x0 : 0);
    const bottom = edge(data, at + x0 * xStep + y1 * yStep, xStep, hasBottom ? x1 - x0 : 0);
    for (let y = y0; y < y1; y += 1) {
      const wTop = hasTop ? 1 / (y - y0 + 1) : 0;
      const wBottom = hasBottom ? 1 / (y1 - y) : 0;
      for (let x = x0; x < x1; x += 1) {
        const wLeft = hasLeft ? 1 / (x - x0 + 1) : 0;
        const wRight = hasRight ? 1 / (x1 - x) : 0;
        const weight = wLeft + wRight + wTop + wBottom;
        let sum = 0;
        if (hasLeft) sum += wLeft * left[y - y0]!;
        if (hasRight) sum += wRight * right[y - y0]!;
        if (hasTop) sum += wTop * top[x - x0]!;
        if (hasBottom) sum += wBottom * bottom[x - x0]!;
        // A byte array cuts off what lies behind the point.
        data[at + x * xStep + y * yStep] = (weight > 0 ? sum / weight : mean) + whole;
      }
    }
  }
}

/** `length` samples, `step` apart, each the mean of its neighbours along the edge. */
function edge(data: Raster["data"], at: number, step: number, length: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < length; i += 1) {
    const first = Math.max(0, i - SOFTEN);
    const last = Math.min(length - 1, i + SOFTEN);
    let sum = 0;
    for (let j = first; j <= last; j += 1) sum += data[at + j * step]!;
    out[i] = sum / (last - first + 1);
  }
  return out;
}

function meanOf({ data, xStep, yStep }: Raster, at: number, x0: number, y0: number, x1: number, y1: number): number {
  let sum = 0;
  for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) sum += data[at + x * xStep + y * yStep]!;
  return sum / ((x1 - x0) * (y1 - y0));
}
