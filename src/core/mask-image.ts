import type { Box } from "./detection.ts";
import type { Image } from "./image.ts";

/** A grey image of that size, 255 in the whole pixels that a box touches. */
export function maskImage(
  { width, height }: { readonly width: number; readonly height: number },
  boxes: readonly Box[],
): Image {
  const data = new Uint8Array(width * height);
  for (const [left, top, right, bottom] of boxes) {
    const x0 = Math.max(0, Math.floor(left));
    const x1 = Math.max(x0, Math.min(width, Math.ceil(right)));
    const last = Math.min(height, Math.ceil(bottom));
    for (let y = Math.max(0, Math.floor(top)); y < last; y += 1) data.fill(255, y * width + x0, y * width + x1);
  }
  return { width, height, channels: 1, data };
}
