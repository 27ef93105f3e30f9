/** Distances to the nearest voxel of another set: how many, their sum, metres, and the sum of their squares. */
export interface Distances {
  count: number;
  sumM: number;
  squaresM2: number;
}

/**
 * Chamfer distances of two sets from both directions: `chamfer_m`, the mean of the two mean distances, and
 * `chamfer_paper_m2`, the sum of the two mean squared distances. Empty where a direction is.
 */
export function chamferOf(there: Distances, back: Distances): { chamfer_m?: number; chamfer_paper_m2?: number } {
  if (there.count === 0 || back.count === 0) return {};
  return {
    chamfer_m: (there.sumM / there.count + back.sumM / back.count) / 2,
    chamfer_paper_m2: there.squaresM2 / there.count + back.squaresM2 / back.count,
  };
}

/**
 * Adds the distance of each voxel of `from` to the nearest of `to`, centre to centre, to `distancesOf(voxel)`; voxels are
 * given by their index (x * sizeY + y) * sizeZ + z. Nothing to add where `to` is empty.
 */
export function addDistances(
  distancesOf: (voxel: number) => Distances,
  from: Int32Array,
  to: Int32Array,
  size: readonly [number, number, number],
  voxelSizeM: number,
): void {
  if (to.length === 0) return;
  const squares = squaredDistances(to, size);
  for (let i = 0; i < from.length; i += 1) {
    const square = squares[from[i]!]! * voxelSizeM * voxelSizeM;
    const distances = distancesOf(from[i]!);
    distances.count += 1;
    distances.sumM += Math.sqrt(square);
    distances.squaresM2 += square;
  }
}

/**
 * Squared distance of every voxel to the nearest of a set, in voxels: the exact distance transform, one axis after the
 * other by lower envelopes of parabolas (Felzenszwalb and Huttenlocher, 2012). Linear in the grid, however many voxels.
 */
export function squaredDistances(set: Int32Array, size: readonly [number, number, number]): Float64Array {
  const [sizeX, sizeY, sizeZ] = size;
  // Further than any two voxels, yet small enough that differences stay exact.
  const far = (sizeX + sizeY + sizeZ) ** 2;
  const grid = new Float64Array(sizeX * sizeY * sizeZ).fill(far);
  for (let i = 0; i < set.length; i += 1) grid[set[i]!] = 0;
  const line = makeLine(Math.max(sizeX, sizeY, sizeZ));
  for (let i = 0; i < sizeX * sizeY; i += 1) line(grid, i * sizeZ, 1, sizeZ);
  for (let x = 0; x < sizeX; x += 1) {
    for (let z = 0; z < sizeZ; z += 1) line(grid, x * sizeY * sizeZ + z, sizeZ, sizeY);
  }
  for (let i = 0; i < sizeY * sizeZ; i += 1) line(grid, i, sizeY * sizeZ, sizeX);
  return grid;
}

/** Transforms grid[start], grid[start + step], ... (`n` values) in place. */
function makeLine(longest: number): (grid: Float64Array, start: number, step: number, n: number) => void {
  const f = new Float64Array(longest);
  const apex = new Int32Array(longest);
  const border = new Float64Array(longest + 1);
  return (grid, start, step, n) => {
    for (let q = 0; q < n; q += 1) f[q] = grid[start + q * step]!;
    let last = 0;
    apex[0] = 0;
    border[0] = Number.NEGATIVE_INFINITY;
    border[1] = Number.POSITIVE_INFINITY;
    for (let q = 1; q < n; q += 1) {
      let meet = meeting(f, q, apex[last]!);
      while (meet <= border[last]!) {
        last -= 1;
        meet = meeting(f, q, apex[last]!);
      }
      last += 1;
      apex[last] = q;
      border[last] = meet;
      border[last + 1] = Number.POSITIVE_INFINITY;
    }
    let at = 0;
    for (let q = 0; q < n; q += 1) {
      while (border[at + 1]! < q) at += 1;
      const p = apex[at]!;
      grid[start + q * step] = (q - p) * (q - p) + f[p]!;
    }
  };
}

/** Where the parabolas over q and p cross. */
function meeting(f: Float64Array, q: number, p: number): number {
  return (f[q]! + q * q - (f[p]! + p * p)) / (2 * q - 2 * p);
}
