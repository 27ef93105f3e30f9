/** Heights between which colours spread, metres. */
export interface HeightRange {
  readonly min: number;
  readonly max: number;
}

const sampleCount = 4096;

/**
 * The range that holds most of the heights: from the 2nd to the 98th percentile of a sample, rounded outwards to half
 * metres, so that a few stray voxels do not wash the colours out. xyz[3 * i + 2] is a height. Undefined when empty.
 */
export function heightRangeOf(xyz: Float32Array, count: number): HeightRange | undefined {
  if (count === 0) return undefined;
  const step = Math.max(1, Math.floor(count / sampleCount));
  const heights = new Float32Array(Math.ceil(count / step));
  for (let i = 0; i < heights.length; i += 1) heights[i] = xyz[i * step * 3 + 2]!;
  heights.sort();
  const at = (share: number): number => heights[Math.round(share * (heights.length - 1))]!;
  const min = Math.floor(at(0.02) * 2) / 2;
  return { min, max: Math.max(min + 1, Math.ceil(at(0.98) * 2) / 2) };
}

/** The range that holds both: colours must not flicker while a map grows. */
export function widen(range: HeightRange | undefined, seen: HeightRange | undefined): HeightRange | undefined {
  if (range === undefined || seen === undefined) return range ?? seen;
  return { min: Math.min(range.min, seen.min), max: Math.max(range.max, seen.max) };
}
