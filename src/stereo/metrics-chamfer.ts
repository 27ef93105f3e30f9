/**
 * Chamfer distances between two sets of voxels given by their index (x * sizeY + y) * sizeZ + z: `chamfer_m`, the mean
 * of the two directed mean distances to the nearest centre, metres, and `chamfer_paper_m2`, the sum of the two mean
 * squared distances. Empty where a set is.
 */
export function chamfer(
  a: Int32Array,
  b: Int32Array,
  size: readonly [number, number, number],
  voxelSizeM: number,
): { chamfer_m?: number; chamfer_paper_m2?: number } {
  if (a.length === 0 || b.length === 0) return {};
  const there = directed(a, b, size);
  const back = directed(b, a, size);
  return {
    chamfer_m: ((there.mean + back.mean) / 2) * voxelSizeM,
    chamfer_paper_m2: (there.meanSquare + back.meanSquare) * voxelSizeM * voxelSizeM,
  };
}

/** In voxels. */
function directed(
  from: Int32Array,
  to: Int32Array,
  size: readonly [number, number, number],
): { mean: number; meanSquare: number } {
  const squares = squaredDistances(to, size);
  let sum = 0;
  let sumOfSquares = 0;
  for (let i = 0; i < from.length; i += 1) {
    const square = squares[from[i]!]!;
    sum += Math.sqrt(square);
    sumOfSquares += square;
  }
  return { mean: sum / from.length, meanSquare: sumOfSquares / from.length };
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
