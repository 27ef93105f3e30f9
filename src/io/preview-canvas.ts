/** A picture under construction: packed RGB, and how much of it was drawn. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export type Colour = readonly [red: number, green: number, blue: number];

export function makeCanvas(width: number, height: number, [r, g, b]: Colour): Canvas {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i += 3) {
    rgb[i] = r;
    rgb[i + 1] = g;
    rgb[i + 2] = b;
  }
  return { width, height, rgb };
}

/** Lays a colour over one pixel, alpha 0..1. Outside the canvas nothing happens. */
export function blendPixel(canvas: Canvas, x: number, y: number, [r, g, b]: Colour, alpha: number): void {
  if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) return;
  const at = (y * canvas.width + x) * 3;
  const { rgb } = canvas;
  rgb[at]! += (r - rgb[at]!) * alpha;
  rgb[at + 1]! += (g - rgb[at + 1]!) * alpha;
  rgb[at + 2]! += (b - rgb[at + 2]!) * alpha;
}

/** Fills the pixels whose centres lie in the rectangle. */
export function fillRect(
  canvas: Canvas,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  colour: Colour,
  alpha = 1,
): void {
  const [left, right] = [Math.max(0, Math.round(x0)), Math.min(canvas.width, Math.round(x1))];
  const [top, bottom] = [Math.max(0, Math.round(y0)), Math.min(canvas.height, Math.round(y1))];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) blendPixel(canvas, x, y, colour, alpha);
  }
}

/** A line two or more pixels wide: dots of the given diameter, one a pixel. */
export function drawLine(
  canvas: Canvas,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  colour: Colour,
  width = 2,
): void {
  const steps = Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1));
  if (!(steps < 1e5)) return;
  for (let s = 0; s <= steps; s += 1) {
    const x = x0 + ((x1 - x0) * s) / steps;
    const y = y0 + ((y1 - y0) * s) / steps;
    fillRect(canvas, x - width / 2, y - width / 2, x + width / 2, y + width / 2, colour);
  }
}

/** Calls `paint` for each row of a convex polygon (x, y pairs) with the first pixel and the one past the last. */
export function scanConvex(
  corners: ArrayLike<number>,
  width: number,
  height: number,
  paint: (y: number, from: number, to: number) => void,
): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < corners.length; i += 2) {
    low = Math.min(low, corners[i]!);
    high = Math.max(high, corners[i]!);
  }
  const last = Math.min(height - 1, Math.ceil(high - 0.5) - 1);
  for (let y = Math.max(0, Math.ceil(low - 0.5)); y <= last; y += 1) {
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < corners.length; i += 2) {
      const j = (i + 2) % corners.length;
      const [ay, by] = [corners[i + 1]!, corners[j + 1]!];
      const at = y + 0.5;
      if (ay <= at === by <= at) continue;
      const x = corners[i]! + ((corners[j]! - corners[i]!) * (at - ay)) / (by - ay);
      from = Math.min(from, x);
      to = Math.max(to, x);
    }
    const start = Math.max(0, Math.ceil(from - 0.5));
    const end = Math.min(width, Math.ceil(to - 0.5));
    if (start < end) paint(y, start, end);
  }
}
