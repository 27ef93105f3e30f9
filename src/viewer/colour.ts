/**
 * Low to high, in sRGB. Interpolated in OKLab and of steadily rising lightness, so that equal steps look equal and the
 * order survives in grey or for a colour-blind eye.
 */
const anchors = ["#46389a", "#3566b8", "#2795b3", "#3fb98f", "#a3d15a", "#ffe27a"] as const;

/** Red, green, blue, 0..255. */
export type Rgb = readonly [r: number, g: number, b: number];

/** 256 colours, red green blue, 0..255: ramp[3 * i] for a value of i / 255. */
export const ramp: Uint8Array = makeRamp(anchors);

/** Lays `colours` (`#rrggbb`) at equal distances and fills in between. */
export function makeRamp(colours: readonly string[]): Uint8Array {
  const points = colours.map(oklabOfHex);
  const out = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const at = (i / 255) * (points.length - 1);
    const from = Math.min(Math.floor(at), points.length - 2);
    const share = at - from;
    const [a, b] = [points[from]!, points[from + 1]!];
    srgbInto(out, i * 3, a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share);
  }
  return out;
}

/**
 * Colours `count` values: out[4 * i .. 4 * i + 2] = colour of values[stride * i + offset] between `min` and `max` (what
 * lies outside takes the end's colour). out[4 * i + 3] is left alone.
 */
export function coloursInto(
  out: Uint8Array,
  values: Float32Array,
  layout: { readonly stride: number; readonly offset: number },
  count: number,
  min: number,
  max: number,
): void {
  const { stride, offset } = layout;
  const scale = max > min ? 255 / (max - min) : 0;
  for (let i = 0; i < count; i += 1) {
    const step = Math.min(255, Math.max(0, Math.round((values[i * stride + offset]! - min) * scale))) * 3;
    out[i * 4] = ramp[step]!;
    out[i * 4 + 1] = ramp[step + 1]!;
    out[i * 4 + 2] = ramp[step + 2]!;
  }
}

/** The ramp as a CSS gradient, low end at the bottom. */
export function cssGradient(): string {
  const stops = Array.from({ length: 9 }, (_, i) => {
    const at = Math.round((i * 255) / 8) * 3;
    return `rgb(${ramp[at]} ${ramp[at + 1]} ${ramp[at + 2]})`;
  });
  return `linear-gradient(to top, ${stops.join(", ")})`;
}

/** Lightness 0..1 of an sRGB colour, OKLab's L. */
export function lightnessOf(r: number, g: number, b: number): number {
  return oklabOf(r, g, b)[0];
}

type Oklab = readonly [lightness: number, a: number, b: number];

function oklabOfHex(hex: string): Oklab {
  const value = Number.parseInt(hex.slice(1), 16);
  return oklabOf(value >> 16, (value >> 8) & 255, value & 255);
}

/** Björn Ottosson, "A perceptual color space for image processing" (2020): the matrices of both directions. */
function oklabOf(r8: number, g8: number, b8: number): Oklab {
  const [r, g, b] = [linearOf(r8), linearOf(g8), linearOf(b8)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function srgbInto(out: Uint8Array, at: number, lightness: number, a: number, b: number): void {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  out[at] = gammaOf(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  out[at + 1] = gammaOf(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  out[at + 2] = gammaOf(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
}

/** sRGB transfer function (IEC 61966-2-1), 0..255 to 0..1 and back. */
function linearOf(value: number): number {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function gammaOf(linear: number): number {
  const c = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (c <= 0.0031308 ? c * 12.92 : 1.055 * c ** (1 / 2.4) - 0.055));
}
