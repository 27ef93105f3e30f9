import sharp, { type Sharp } from "sharp";
import type { Box, Detections } from "../core/detection.ts";
import type { Image } from "../core/image.ts";
import { maskImage } from "../core/mask-image.ts";
import { type Label, labelsSvg } from "./preview-theme.ts";

/** A box to draw: left, top, right, bottom, pixels of the image at edges. */
export interface DrawnBox {
  readonly box: ArrayLike<number>;
  /** As SVG has it. */
  readonly colour: string;
  /** Above the box. */
  readonly text: string;
  /** Dashed where it is not what the detector saw in this image. */
  readonly dashed?: boolean;
  /** Share of the colour that fills it; default 0. */
  readonly fill?: number;
}

/** Classes keep their colour; neighbours in number are far apart in hue (the golden angle). */
export function classColour(index: number): string {
  return `hsl(${((index * 137.5) % 360).toFixed(0)} 90% 60%)`;
}

/** The image as PNG with a box round each detection, its class and score above it; what was masked is covered. */
export async function drawDetections(
  image: Image,
  found: Detections,
  names: readonly string[],
  masks: readonly Box[] = [],
): Promise<Buffer> {
  const boxes = Array.from({ length: found.count }, (_, i): DrawnBox => {
    const kind = found.classes[i]!;
    const text = `${names[kind]} ${found.scores[i]!.toFixed(2)}`;
    return { box: found.boxes.subarray(4 * i, 4 * i + 4), colour: classColour(kind), text };
  });
  return await withBoxes(image, [...boxes, ...masks.map(drawnMask)])
    .png()
    .toBuffer();
}

/** The image in colour with the boxes drawn; the first lies on top. */
export async function drawBoxes(image: Image, boxes: readonly DrawnBox[]): Promise<Image> {
  const { data, info } = await withBoxes(image, boxes).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data };
}

function withBoxes({ width, height, channels, data }: Image, boxes: readonly DrawnBox[]): Sharp {
  const size = Math.max(10, Math.round(Math.min(width, height) / 32));
  const shapes: string[] = [];
  const labels: Label[] = [];
  for (const { box, colour, text, dashed, fill = 0 } of boxes.toReversed()) {
    const [x0, y0, x1, y1] = [box[0]!, box[1]!, box[2]!, box[3]!];
    shapes.push(
      `<rect x="${x0.toFixed(1)}" y="${y0.toFixed(1)}" width="${(x1 - x0).toFixed(1)}" height="${(y1 - y0).toFixed(1)}"` +
        ` fill="${colour}" fill-opacity="${fill}" stroke="${colour}" stroke-width="${Math.max(2, size / 7).toFixed(1)}"` +
        `${dashed === true ? ` stroke-dasharray="${size / 2}"` : ""}/>`,
    );
    labels.push({ x: x0 + 2, y: y0 > 1.2 * size ? y0 - size / 4 : y0 + size, text, size, colour, weight: "bold" });
  }
  return sharp(data, { raw: { width, height, channels } })
    .toColourspace("srgb")
    .composite([{ input: labelsSvg(width, height, labels, shapes.join("")), left: 0, top: 0 }])
    .removeAlpha();
}

/** How a masked part of an image is shown. */
export function drawnMask(box: Box): DrawnBox {
  return { box, colour: "white", text: "masked", fill: 0.3 };
}

/** Masked parts of an image, white on black, as PNG in grey. */
export async function drawMasks(image: Image, masks: readonly Box[]): Promise<Buffer> {
  const { width, height, data } = maskImage(image, masks);
  return await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
}
