import type { Answer, Canvas } from "./answer.ts";
import type { Candidates } from "./candidates.ts";

/**
 * FastestDet: one scale, [1, 5 + C, H, W]: objectness, centre x, y (tanh gives cells from the cell's corner), width,
 * height (a sigmoid gives shares of the image), class scores. A cell has one class; score = objectness^0.6 * class^0.4.
 */
export function decodeFastestdet(out: Candidates, [answer]: readonly Answer[], canvas: Canvas): void {
  const { data, dims } = answer!;
  const [, channels = 0, height = 0, width = 0] = dims;
  const cells = width * height;
  for (let cell = 0; cell < cells; cell += 1) {
    let best = 5;
    for (let c = 6; c < channels; c += 1) if (data[c * cells + cell]! > data[best * cells + cell]!) best = c;
    const score = data[cell]! ** 0.6 * data[best * cells + cell]! ** 0.4;
    if (!(score >= out.minScore)) continue;
    const y = Math.floor(cell / width);
    const x = cell - y * width;
    const cx = ((x + Math.tanh(data[cells + cell]!)) / width) * canvas.width;
    const cy = ((y + Math.tanh(data[2 * cells + cell]!)) / height) * canvas.height;
    const halfWidth = (sigmoid(data[3 * cells + cell]!) * canvas.width) / 2;
    const halfHeight = (sigmoid(data[4 * cells + cell]!) * canvas.height) / 2;
    out.add(score, best - 5, cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight);
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
