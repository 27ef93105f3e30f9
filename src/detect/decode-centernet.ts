import type { Answer } from "./answer.ts";
import type { Candidates } from "./candidates.ts";

const STRIDE = 4;

/**
 * CenterNet with a box of four sides (TTFNet's form): `heat` [1, C, H, W] scores; `size` [1, 4, H, W] distances from the
 * cell's corner to left, top, right, bottom, pixels. A cell is an object where nothing in its 3 x 3 surroundings scores higher.
 */
export function decodeCenternet(out: Candidates, [heat, size]: readonly Answer[]): void {
  const [, classes = 0, height = 0, width = 0] = heat!.dims;
  const cells = height * width;
  const scores = heat!.data;
  const sides = size!.data;
  const { minScore } = out;
  for (let c = 0; c < classes; c += 1) {
    if (!out.wants(c)) continue;
    const plane = c * cells;
    for (let cell = 0; cell < cells; cell += 1) {
      const score = scores[plane + cell]!;
      if (!(score >= minScore)) continue;
      const y = Math.floor(cell / width);
      const x = cell - y * width;
      if (!isPeak(scores, plane, x, y, width, height)) continue;
      const [cx, cy] = [STRIDE * x, STRIDE * y];
      const left = cx - sides[cell]!;
      const top = cy - sides[cells + cell]!;
      out.add(score, c, left, top, cx + sides[2 * cells + cell]!, cy + sides[3 * cells + cell]!);
    }
  }
}

function isPeak(scores: Float32Array, plane: number, x: number, y: number, width: number, height: number): boolean {
  const score = scores[plane + y * width + x]!;
  const lastX = Math.min(x + 1, width - 1);
  const lastY = Math.min(y + 1, height - 1);
  for (let v = Math.max(0, y - 1); v <= lastY; v += 1) {
    for (let u = Math.max(0, x - 1); u <= lastX; u += 1) {
      if (scores[plane + v * width + u]! > score) return false;
    }
  }
  return true;
}
