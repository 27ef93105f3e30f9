import sharp from "sharp";
import type { Detections } from "../core/detection.ts";
import type { Image } from "../core/image.ts";
import { type Label, labelsSvg } from "./preview-theme.ts";

/** The image as PNG with a box round each detection, its class and score above it; each class keeps its colour. */
export async function drawDetections(image: Image, found: Detections, names: readonly string[]): Promise<Buffer> {
  const { width, height, channels, data } = image;
  const size = Math.max(10, Math.round(Math.min(width, height) / 32));
  const boxes: string[] = [];
  const labels: Label[] = [];
  // The best one is drawn last, on top.
  for (let i = found.count - 1; i >= 0; i -= 1) {
    const [x0, y0, x1, y1] = found.boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    const kind = found.classes[i]!;
    // The golden angle: neighbours in number are far apart in hue.
    const colour = `hsl(${((kind * 137.5) % 360).toFixed(0)} 90% 60%)`;
    boxes.push(
      `<rect x="${x0.toFixed(1)}" y="${y0.toFixed(1)}" width="${(x1 - x0).toFixed(1)}" height="${(y1 - y0).toFixed(1)}"` +
        ` fill="none" stroke="${colour}" stroke-width="${Math.max(2, size / 7).toFixed(1)}"/>`,
    );
    const text = `${names[kind]} ${found.scores[i]!.toFixed(2)}`;
    labels.push({ x: x0 + 2, y: y0 > 1.2 * size ? y0 - size / 4 : y0 + size, text, size, colour, weight: "bold" });
  }
  const svg = labelsSvg(width, height, labels, boxes.join(""));
  return await sharp(data, { raw: { width, height, channels } })
    .toColourspace("srgb")
    .composite([{ input: svg, left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}
