import type { Colour } from "./preview-canvas.ts";

export const theme = {
  page: [17, 20, 27],
  outside: [24, 28, 37],
  free: [35, 74, 66],
  unknown: [56, 58, 74],
  line: [150, 160, 180],
} as const satisfies Record<string, Colour>;

/** A piece of text; `x`, `y` is its baseline's start (or end, with `anchor: "end"`), in pixels of its panel. */
export interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly colour: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly weight?: "bold";
}

/** The nearest of 1, 2, 5 times a power of ten that is not below `wanted`. */
export function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  for (const step of [1, 2, 5, 10]) if (step * power >= wanted * 0.999) return step * power;
  return 10 * power;
}

/** An SVG of that size with the labels, each with a dark rim so that it reads on any ground. */
export function labelsSvg(width: number, height: number, labels: readonly Label[], extra = ""): Buffer {
  const texts = labels.map(
    ({ x, y, text, size, colour, anchor, weight }) =>
      `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${colour}" text-anchor="${anchor ?? "start"}"` +
      `${weight === undefined ? "" : ` font-weight="${weight}"`} stroke="#11141b" stroke-width="${(size / 6).toFixed(1)}"` +
      ` stroke-opacity="0.75" paint-order="stroke">${escaped(text)}</text>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
      ` font-family="DejaVu Sans, Noto Sans, Liberation Sans, Arial, sans-serif">${extra}${texts.join("")}</svg>`,
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
