import type { View } from "../core/view.ts";

/** Edge of a cell of the view, pixels. */
export const CELL_PX = 8;

/**
 * Solid voxels as the left camera sees them: for each cell of 8 x 8 pixels the depth of the nearest one, Infinity where
 * there is none. Buffers are used again.
 */
export class SolidView {
  rows = 0;
  columns = 0;
  /** Metres along the optical axis, row-major. */
  depthM = new Float32Array(0);
  /** As long, for who judges a part of it. */
  scratch = new Float32Array(0);
  /** Edge of a voxel, metres. */
  voxelSizeM = 0;
  view: View = { fx: 1, fy: 1, cx: 0, cy: 0, width: 0, height: 0 };

  /**
   * Begins anew with the voxels of one frame: centres x, y, z in the left optical frame (x right, y down, z forward),
   * metres, of which the first `count` count.
   */
  paint(xyz: ArrayLike<number>, count: number, voxelSizeM: number, view: View): void {
    this.rows = Math.ceil(view.height / CELL_PX);
    this.columns = Math.ceil(view.width / CELL_PX);
    this.voxelSizeM = voxelSizeM;
    this.view = view;
    const cells = this.rows * this.columns;
    if (this.depthM.length < cells) [this.depthM, this.scratch] = [new Float32Array(cells), new Float32Array(cells)];
    this.depthM.fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < count; i += 1) this.#cover(xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!);
  }

  /** Depth at a row and column of cells; NaN outside of the image. */
  at(row: number, column: number): number {
    if (row < 0 || row >= this.rows || column < 0 || column >= this.columns) return Number.NaN;
    return this.depthM[row * this.columns + column]!;
  }

  #cover(x: number, y: number, z: number): void {
    const { depthM, columns, voxelSizeM } = this;
    const { fx, fy, cx, cy } = this.view;
    if (!(z > voxelSizeM / 2)) return;
    const [halfX, halfY] = [(fx * voxelSizeM) / (2 * z), (fy * voxelSizeM) / (2 * z)];
    // From pixel centres to pixel edges, where cells begin.
    const [u, v] = [(fx * x) / z + cx + 0.5, (fy * y) / z + cy + 0.5];
    // Cells whose centre the voxel covers, and at least the one it stands in.
    const firstColumn = Math.max(0, Math.min(Math.ceil((u - halfX) / CELL_PX - 0.5), Math.floor(u / CELL_PX)));
    const lastColumn = Math.min(
      columns - 1,
      Math.max(Math.floor((u + halfX) / CELL_PX - 0.5), Math.floor(u / CELL_PX)),
    );
    const firstRow = Math.max(0, Math.min(Math.ceil((v - halfY) / CELL_PX - 0.5), Math.floor(v / CELL_PX)));
    const lastRow = Math.min(this.rows - 1, Math.max(Math.floor((v + halfY) / CELL_PX - 0.5), Math.floor(v / CELL_PX)));
    for (let row = firstRow; row <= lastRow; row += 1) {
      for (let at = row * columns + firstColumn; at <= row * columns + lastColumn; at += 1) {
        if (z < depthM[at]!) depthM[at] = z;
      }
    }
  }
}
