import { theme } from "../../src/io/preview-theme.ts";

/** Colours of the figures: those of `preview.png`, so that a state looks alike everywhere. */
export const ink = {
  page: rgb(theme.page),
  outside: rgb(theme.outside),
  free: rgb(theme.free),
  unknown: rgb(theme.unknown),
  line: rgb(theme.line),
  text: "#e6e9f0",
  occupied: "#f2a541",
  divided: "#7f8fe0",
  good: "#5fd3a6",
  bad: "#ef6f6c",
} as const;

function rgb([r = 0, g = 0, b = 0]: readonly number[]): string {
  return `#${[r, g, b].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Collects shapes; coordinates are rounded, so that the file is the same on every machine. */
export class Figure {
  readonly #shapes: string[] = [];
  readonly width: number;
  readonly height: number;

  /** `title`: what a reader who cannot see it is told. */
  constructor(title: string, width: number, height: number) {
    this.#shapes.push(`<title>${title}</title>`);
    this.width = width;
    this.height = height;
  }

  rect(x: number, y: number, width: number, height: number, fill: string, more = ""): void {
    this.#shapes.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${fill}"${pad(more)}/>`,
    );
  }

  line(points: readonly (readonly [number, number])[], stroke: string, width = 1.5, more = ""): void {
    const path = points.map(([x, y]) => `${n(x)},${n(y)}`).join(" ");
    this.#shapes.push(
      `<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="${width}"${pad(more)}/>`,
    );
  }

  dot(x: number, y: number, radius: number, fill: string): void {
    this.#shapes.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${radius}" fill="${fill}"/>`);
  }

  text(x: number, y: number, text: string, { size = 13, fill = ink.text as string, anchor = "start" } = {}): void {
    const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    this.#shapes.push(
      `<text x="${n(x)}" y="${n(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}">${safe}</text>`,
    );
  }

  toString(): string {
    const { width, height } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="DejaVu Sans, Noto Sans, Arial, sans-serif">
${this.#shapes[0]}
<rect width="${width}" height="${height}" rx="8" fill="${ink.page}"/>
${this.#shapes.slice(1).join("\n")}
</svg>
`;
  }
}

const n = (value: number): string => String(Number(value.toFixed(1)));
const pad = (more: string): string => (more === "" ? "" : ` ${more}`);
