import type { StereoCalibration } from "./calibration.ts";
import { cellSizeM, type OctreeGrid } from "./occupancy.ts";

/** The left camera, px: what tells whether a cell lies wholly in view. */
export type View = Pick<StereoCalibration, "fx" | "fy" | "cx" | "cy" | "width" | "height">;

/** Whether a whole cell projects into the image: its box reaches farthest from the axis at one of its two z faces. */
export function isWhollyInView(grid: OctreeGrid, view: View, level: number, x: number, y: number, z: number): boolean {
  const { origin, voxelSizeM } = grid;
  const cell = cellSizeM(grid, level);
  const left = origin[0] * voxelSizeM + x * cell;
  const top = origin[1] * voxelSizeM + y * cell;
  const near = origin[2] * voxelSizeM + z * cell;
  const [right, bottom, far] = [left + cell, top + cell, near + cell];
  return (
    near > 0 &&
    (view.fx * left) / (left < 0 ? near : far) + view.cx >= -0.5 &&
    (view.fx * right) / (right > 0 ? near : far) + view.cx <= view.width - 0.5 &&
    (view.fy * top) / (top < 0 ? near : far) + view.cy >= -0.5 &&
    (view.fy * bottom) / (bottom > 0 ? near : far) + view.cy <= view.height - 0.5
  );
}
