/** State of a voxel. The numbers are those of the network's classes and of `voxels` arrays. */
export const UNKNOWN = 0;
/** Seen through: nothing is there. */
export const FREE = 1;
/** A surface is there. */
export const OCCUPIED = 2;
/** One of the three states. */
export type State = typeof UNKNOWN | typeof FREE | typeof OCCUPIED;
export const stateNames = ["unknown", "free", "occupied"] as const;

/**
 * The grid that the network answers for, in the left optical frame (x right, y down, z forward): leaf (i, j, k) covers
 * [origin + i, origin + i + 1) voxels on each axis. Stereo is scale-equivariant, so the voxel size is free.
 */
export interface OctreeGrid {
  /** Edge of the smallest voxel, metres. */
  readonly voxelSizeM: number;
  /** Minimum corner, in leaf voxels from the camera: x, y, z. */
  readonly origin: readonly [number, number, number];
  /** Leaf voxels per axis; multiples of 2 ** (levels - 1). */
  readonly size: readonly [number, number, number];
  /** Number of levels; level 0 is the coarsest, level `levels - 1` the leaves. */
  readonly levels: number;
}

/**
 * What one stereo pair says of space: the leaves of an octree, coarse where a whole cell is free or unknown, as
 * structure of arrays of which the first `count` entries count. Cells that no camera ray can reach (out of view) are
 * not listed. Valid until the producer's next frame unless said otherwise.
 */
export interface OctreeFrame {
  readonly grid: OctreeGrid;
  count: number;
  /** Level of the cell; its edge is voxelSizeM * 2 ** (levels - 1 - level). */
  readonly level: Uint8Array;
  /** Index of the cell on each axis, counted in cells of its own level from the grid's minimum corner. */
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  readonly z: Uint16Array;
  readonly state: Uint8Array;
  /** Probability that something solid is inside, 0..1. */
  readonly pOccupied: Float32Array;
}

/** An empty frame with room for `capacity` cells. */
export function makeOctreeFrame(grid: OctreeGrid, capacity: number): OctreeFrame {
  return {
    grid,
    count: 0,
    level: new Uint8Array(capacity),
    x: new Uint16Array(capacity),
    y: new Uint16Array(capacity),
    z: new Uint16Array(capacity),
    state: new Uint8Array(capacity),
    pOccupied: new Float32Array(capacity),
  };
}

/** Edge of a cell of `level`, metres. */
export function cellSizeM(grid: OctreeGrid, level: number): number {
  return grid.voxelSizeM * 2 ** (grid.levels - 1 - level);
}

/** Centre of cell `i` of the frame into out[at..at+2], metres, left optical frame. */
export function cellCentreInto(out: Float32Array | Float64Array, at: number, frame: OctreeFrame, i: number): void {
  const { grid } = frame;
  const size = cellSizeM(grid, frame.level[i]!);
  out[at] = grid.origin[0] * grid.voxelSizeM + (frame.x[i]! + 0.5) * size;
  out[at + 1] = grid.origin[1] * grid.voxelSizeM + (frame.y[i]! + 0.5) * size;
  out[at + 2] = grid.origin[2] * grid.voxelSizeM + (frame.z[i]! + 0.5) * size;
}
