/** A colour map: `colours[3 i..]` is red, green, blue of i / 255. */
export type Palette = Uint8Array;

/** Evenly spaced stops such as "#ff7a00", blended linearly. */
export function makePalette(stops: readonly string[]): Palette {
  const colours = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const at = (i / 255) * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c += 1) {
      const a = channel(stops[from]!, c);
      const b = channel(stops[from + 1]!, c);
      colours[i * 3 + c] = Math.round(a + (b - a) * (at - from));
    }
  }
  return colours;
}

function channel(hex: string, c: number): number {
  return Number.parseInt(hex.slice(1 + 2 * c, 3 + 2 * c), 16);
}

/** Offset of the colour of t in 0..1 (clamped). */
export function shadeAt(t: number): number {
  return 3 * Math.max(0, Math.min(255, Math.round(t * 255)));
}

/** Near is hot, far is cold. */
export const distancePalette = makePalette([
  "#ff2d55",
  "#ff8a1f",
  "#ffd93b",
  "#5fd38d",
  "#2ea8e0",
  "#5b62d9",
  "#7a4fb3",
]);
/** Low is dull, tall is bright: what stands up catches the eye. */
export const heightPalette = makePalette(["#2f4b6e", "#2b7f9e", "#35b58a", "#a8d14a", "#ffd43b", "#ff8f3b", "#ff4d5e"]);
