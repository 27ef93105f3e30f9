import type { StereoCalibration } from "../../src/core/calibration.ts";
import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid } from "../../src/core/occupancy.ts";
import { addCell } from "./frames.ts";

/** As the network answers at 400x880: 32 m ahead in 0.5 m voxels, four levels. */
export const streetGrid: OctreeGrid = { voxelSizeM: 0.5, origin: [-32, -40, 0], size: [64, 64, 64], levels: 4 };
export const streetCamera: StereoCalibration = {
  width: 880,
  height: 400,
  fx: 700,
  fy: 700,
  cx: 439.5,
  cy: 199.5,
  baselineM: 0.4,
  doffsPx: 0,
};

/** Boxes [x0, x1, y0, y1, z0, z1], metres, optical frame of a camera 1.6 m above the ground; `shift` moves the cars. */
function boxesAt(shift: number): readonly (readonly number[])[] {
  const parked = [0, 1, 2, 3].flatMap((n) => [
    [-5, -3.2, 0.1, 1.6, 6 + 7 * n, 10 + 7 * n],
    [3.4, 5.2, 0.2, 1.6, 4 + 8 * n, 8 + 8 * n],
  ]);
  return [
    ...parked,
    [-40, 40, 1.6, 3, -5, 100],
    [-14, -8, -9, 1.6, -5, 100],
    [8, 14, -12, 1.6, -5, 100],
    [-0.5 + shift, 0.2 + shift, -0.2, 1.6, 9, 9.6],
    [-2.4 + shift, -0.7 + shift, 0, 1.6, 17, 21],
  ];
}

/** First surface along the direction (x, y, 1), metres of depth; Infinity = sky. */
function depthAlong(boxes: readonly (readonly number[])[], x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const box of boxes) {
    const x0 = box[0]! / x;
    const x1 = box[1]! / x;
    const y0 = box[2]! / y;
    const y1 = box[3]! / y;
    const enter = Math.max(0.1, Math.min(x0, x1), Math.min(y0, y1), box[4]!);
    if (enter < Math.min(nearest, Math.max(x0, x1), Math.max(y0, y1), box[5]!)) nearest = enter;
  }
  return nearest;
}

/** A street, with `more` boxes, seen by `streetCamera`. */
export function streetFrame(shift = 0, more: readonly (readonly number[])[] = []): OctreeFrame {
  return frameOf([...boxesAt(shift), ...more]);
}

/**
 * Boxes [x0, x1, y0, y1, z0, z1], metres, optical frame, seen by `streetCamera` as an octree: in-view cells only, merged
 * where 8 children are all free or all unknown.
 */
export function frameOf(boxes: readonly (readonly number[])[]): OctreeFrame {
  const [nx, ny, nz] = streetGrid.size;
  const leaf = new Int8Array(nx * ny * nz).fill(-1);
  const surface = surfaceCells(boxes);
  for (let z = 0; z < nz; z += 1) {
    for (let y = 0; y < ny; y += 1) {
      for (let x = 0; x < nx; x += 1) {
        const at = (z * ny + y) * nx + x;
        leaf[at] = surface[at] === 1 ? OCCUPIED : leafState(boxes, x, y, z);
      }
    }
  }
  const frame = makeOctreeFrame(streetGrid, nx * ny * nz);
  const edge = 2 ** (streetGrid.levels - 1);
  for (let z = 0; z < nz; z += edge) {
    for (let y = 0; y < ny; y += edge) for (let x = 0; x < nx; x += edge) emit(frame, leaf, x, y, z, edge);
  }
  return frame;
}

/** 1 where a ray through every fourth pixel meets a surface. */
function surfaceCells(boxes: readonly (readonly number[])[]): Uint8Array {
  const { origin, size, voxelSizeM } = streetGrid;
  const cells = new Uint8Array(size[0] * size[1] * size[2]);
  for (let v = 0; v < streetCamera.height; v += 4) {
    for (let u = 0; u < streetCamera.width; u += 4) {
      const [x, y] = [(u - streetCamera.cx) / streetCamera.fx, (v - streetCamera.cy) / streetCamera.fy];
      const depthM = depthAlong(boxes, x, y) + 1e-6;
      const cell = [x, y, 1].map((d, a) => Math.floor((d * depthM) / voxelSizeM) - origin[a]!);
      if (!cell.every((c, a) => c >= 0 && c < size[a]!)) continue;
      cells[(cell[2]! * size[1] + cell[1]!) * size[0] + cell[0]!] = 1;
    }
  }
  return cells;
}

/** -1 = out of view. */
function leafState(boxes: readonly (readonly number[])[], x: number, y: number, z: number): number {
  const { origin, voxelSizeM } = streetGrid;
  const cx = (x + origin[0] + 0.5) * voxelSizeM;
  const cy = (y + origin[1] + 0.5) * voxelSizeM;
  const cz = (z + origin[2] + 0.5) * voxelSizeM;
  const u = (streetCamera.fx * cx) / cz + streetCamera.cx;
  const v = (streetCamera.fy * cy) / cz + streetCamera.cy;
  if (u < 0 || u >= streetCamera.width || v < 0 || v >= streetCamera.height) return -1;
  const depthM = depthAlong(boxes, cx / cz, cy / cz);
  return cz < depthM ? FREE : 0;
}

function emit(frame: OctreeFrame, leaf: Int8Array, x: number, y: number, z: number, edge: number): void {
  const [nx, ny] = streetGrid.size;
  const first = leaf[(z * ny + y) * nx + x]!;
  let same = edge === 1 || first !== OCCUPIED;
  for (let i = 0; same && i < edge * edge * edge; i += 1) {
    const dy = Math.floor(i / edge) % edge;
    const dz = Math.floor(i / edge / edge);
    same = leaf[((z + dz) * ny + y + dy) * nx + x + (i % edge)] === first;
  }
  if (!same) {
    const half = edge / 2;
    for (let c = 0; c < 8; c += 1)
      emit(frame, leaf, x + (c & 1) * half, y + ((c >> 1) & 1) * half, z + (c >> 2) * half, half);
  } else if (first >= 0) {
    const p = first === OCCUPIED ? 0.8 : first === FREE ? 0.05 : 0.4;
    addCell(frame, streetGrid.levels - 1 - Math.log2(edge), x / edge, y / edge, z / edge, first, p);
  }
}
