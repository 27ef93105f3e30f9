import type { Answer, Canvas } from "./answer.ts";
import type { Candidates } from "./candidates.ts";

export const yoloxStrides = [8, 16, 32] as const;

/**
 * YOLOX without its own decoding: [1, cells, 5 + C], the cells of each stride row by row; a row is the centre's offset
 * from the cell's corner x, y (cells), log width, log height (cells), objectness and class scores (both 0..1).
 */
export function decodeYolox(out: Candidates, [answer]: readonly Answer[], { width, height }: Canvas): void {
  const { data, dims } = answer!;
  const row = dims[2]!;
  let at = 0;
  for (const stride of yoloxStrides) {
    const [columns, rows] = [width / stride, height / stride];
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < columns; x += 1, at += row) {
        const objectness = data[at + 4]!;
        if (!(objectness >= out.minScore)) continue;
        const cx = (x + data[at]!) * stride;
        const cy = (y + data[at + 1]!) * stride;
        const halfWidth = (Math.exp(data[at + 2]!) * stride) / 2;
        const halfHeight = (Math.exp(data[at + 3]!) * stride) / 2;
        for (let c = 5; c < row; c += 1) {
          const score = objectness * data[at + c]!;
          if (score >= out.minScore) {
            out.add(score, c - 5, cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight);
          }
        }
      }
    }
  }
}
