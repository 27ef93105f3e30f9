import sharp from "sharp";
import type { Cues } from "../../src/core/detection.ts";
import { cueGrid, huesInto } from "../../src/detect/defence/cues.ts";
import { fillWindow } from "../../src/detect/defence/fill.ts";
import { Proposer } from "../../src/detect/defence/propose.ts";
import { defaultSettings } from "../../src/detect/defence/settings.ts";
import { planLetterbox } from "../../src/detect/letterbox.ts";
import { interleaved } from "../../src/detect/raster.ts";
import { Figure, ink } from "./svg.ts";

const STRIDE = 4;
/** Where the made-up patch goes, pixels; its texels have as many. */
const PATCH = { left: 196, top: 150, side: 48, texel: 4 };

/**
 * A picture with a square of coloured noise in it, its hues as the gate sees them with the windows that pass, and the
 * picture with these filled, as the detector sees it in the verification. PNG; pixels by the product's own stages.
 */
export async function defenceFigure(rgb: Buffer, width: number, height: number): Promise<Buffer> {
  const data = Uint8Array.from(rgb);
  addPatch(data, width);
  const box = planLetterbox(width, height, { width, height, multiple: STRIDE, place: "centre" });
  const grid = cueGrid(box, STRIDE);
  const hues = new Float32Array(grid.width * grid.height);
  huesInto(hues, interleaved(data, width, 3), [1, 1, 1], grid);
  const cues: Cues = { ...grid, maps: { hues } };
  const { gate, most } = defaultSettings;
  const windows = new Proposer().propose(cues, { width, height }, { least: gate, most });
  const filled = data.slice();
  for (const { box: at } of windows) fillWindow(interleaved(filled, width, 3), [0, 0, width, height], at);

  const labels = new Figure("A patch, what passes the gate, and the filled picture", 3 * width + 40, height + 62);
  for (const [i, text] of [
    "1. the picture, with a square of coloured noise",
    "2. hues, and what passes the gate",
    "3. filled from around: look again",
  ].entries())
    labels.text(10 + i * (width + 10), 34, text, { size: 22 });
  for (const {
    box: [x0, y0, x1, y1],
    suspicion,
  } of windows) {
    labels.rect(width + 20 + x0, 50 + y0, x1 - x0, y1 - y0, "none", `stroke="${ink.bad}" stroke-width="3"`);
    labels.text(width + 26 + x1, 50 + (y0 + y1) / 2, `suspicion ${suspicion.toFixed(1)}, gate ${gate}`, {
      size: 20,
      fill: ink.bad,
    });
  }
  const raw = { raw: { width, height, channels: 3 as const } };
  const heat = await sharp(heatOf(hues), { raw: { width: grid.width, height: grid.height, channels: 3 } })
    .resize(width, height, { kernel: "nearest", fit: "fill" })
    .png()
    .toBuffer();
  const page = { width: labels.width, height: labels.height, channels: 3 as const, background: ink.page };
  const whole = await sharp({ create: page })
    .composite([
      { input: Buffer.from(data), ...raw, left: 10, top: 50 },
      { input: heat, left: width + 20, top: 50 },
      { input: Buffer.from(filled), ...raw, left: 2 * width + 30, top: 50 },
      { input: Buffer.from(labels.toString().replace(/<rect[^>]*rx="8"[^>]*>/, "")), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
  return await sharp(whole).resize(1440).png({ palette: true }).toBuffer();
}

/** Noise of a fixed generator (Park and Miller's), so that the figure is the same each time. */
function addPatch(data: Uint8Array, width: number): void {
  let seed = 7;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed & 255;
  };
  const { left, top, side, texel } = PATCH;
  for (let y = 0; y < side; y += texel) {
    for (let x = 0; x < side; x += texel) {
      const colour = [next(), next(), next()];
      for (let v = y; v < y + texel; v += 1)
        for (let u = x; u < x + texel; u += 1) data.set(colour, ((top + v) * width + left + u) * 3);
    }
  }
}

/** Dark to orange, 200 pixel values and more being brightest. */
function heatOf(hues: Float32Array): Uint8Array {
  const out = new Uint8Array(hues.length * 3);
  for (const [i, value] of hues.entries()) {
    const share = Math.min(1, value / 200);
    out.set([17 + 225 * share, 20 + 145 * share, 27 + 38 * share], 3 * i);
  }
  return out;
}
