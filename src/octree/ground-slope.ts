/** What of the surface the robot can drive on. */
export interface GroundOptions {
  /** Highest step up or down that the robot takes, metres. Steps are told in whole cells: see `GroundProjector`. */
  readonly maxStepM: number;
  /** Steepest slope that it drives, degrees. */
  readonly maxSlopeDeg: number;
  /** The robot's height above the ground, metres: it passes below what hangs higher. */
  readonly clearanceM: number;
}

/** Kind of a column: a surface was seen, and the way to it takes no step that is too high. */
export const GROUND = 1;

/** A slope is that of a line through the ground of at least so many metres to either side, ... */
const SLOPE_REACH_M = 0.5;
/** ... and of at least n = 8 columns: that heights are whole cells changes it by at most 1.5 / (2 n + 1), 5 degrees. */
const SLOPE_REACH = 8;
/** In cells. */
export interface Limits {
  readonly step: number;
  /** Rise a column. */
  readonly slope: number;
  /** Columns to either side that tell a slope. */
  readonly slopeReach: number;
  /** Cells above the ground that the robot needs. */
  readonly room: number;
}

export function limitsOf({ maxStepM, maxSlopeDeg, clearanceM }: GroundOptions, resM: number): Limits {
  const slope = Math.tan((maxSlopeDeg * Math.PI) / 180);
  return {
    step: Math.max(0, Math.floor(maxStepM / resM + 1e-6) - 1),
    slope,
    // So wide that one step of the height allowed is not a slope by itself.
    slopeReach: Math.max(SLOPE_REACH, Math.ceil(Math.max(SLOPE_REACH_M, maxStepM / slope) / resM)),
    room: Math.max(1, Math.floor(clearanceM / resM + 0.5)),
  };
}

/** Column by column, row by row: what kind it is, and the key of the cell whose top is its ground. */
export interface GroundLevels {
  readonly width: number;
  readonly height: number;
  readonly kind: Uint8Array;
  readonly level: Float32Array;
}

/** Marks edges, and ground that is too steep by the lines of least squares through it along x and y; says if there is any. */
export function markSteep(isSteep: Uint8Array, ground: GroundLevels, limits: Limits): boolean {
  const { width, height, kind } = ground;
  let isAny = false;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const column = y * width + x;
      if (kind[column] !== GROUND) continue;
      const alongX = gradient(ground, column, 1, x, width - 1 - x, limits);
      const alongY = gradient(ground, column, width, y, height - 1 - y, limits);
      const isEdge = rises(ground, column, 1, x, width, limits) || rises(ground, column, width, y, height, limits);
      if (!isEdge && Math.hypot(alongX, alongY) <= limits.slope) continue;
      isSteep[column] = 1;
      isAny = true;
    }
  }
  return isAny;
}

/** Whether the ground rises over this column as no slope does that is driven: a step that was seen in two halves. */
function rises(
  { level }: GroundLevels,
  column: number,
  stride: number,
  at: number,
  end: number,
  { step, slope }: Limits,
): boolean {
  if (at === 0 || at === end - 1) return false;
  const rise = Math.abs(level[column + stride]! - level[column - stride]!);
  // Half a cell is left to a level that comes of the robot's plane.
  return rise > Math.max(step, Math.floor(2 * slope) + 1) + 0.5;
}

/**
 * Rise a column of the ground on a line, which has `before` columns before this one and `after` behind it. Ground beyond an
 * edge is another one; what is missing on that side is taken from the other.
 */
function gradient(
  ground: GroundLevels,
  column: number,
  stride: number,
  before: number,
  after: number,
  limits: Limits,
): number {
  const { kind, level } = ground;
  const { slopeReach } = limits;
  const back = unbroken(ground, column, -stride, Math.min(before, 2 * slopeReach), limits);
  const ahead = unbroken(ground, column, stride, Math.min(after, 2 * slopeReach), limits);
  const from = -Math.min(back, Math.max(slopeReach, 2 * slopeReach - ahead));
  const to = Math.min(ahead, Math.max(slopeReach, 2 * slopeReach - back));
  const here = level[column]!;
  let [n, t, tt, h, th] = [0, 0, 0, 0, 0];
  for (let i = from; i <= to; i += 1) {
    const at = column + i * stride;
    if (kind[at] !== GROUND) continue;
    const rise = level[at]! - here;
    n += 1;
    t += i;
    tt += i * i;
    h += rise;
    th += i * rise;
  }
  // Of fewer than four columns the rounding to cells says more than the ground.
  return n < 4 ? 0 : (n * th - t * h) / (n * tt - t * t);
}

/** Over how many columns, `limit` at most, the ground goes on from this one without an edge. */
function unbroken(
  { kind, level: levels }: GroundLevels,
  column: number,
  stride: number,
  limit: number,
  { step }: Limits,
): number {
  let level = levels[column]!;
  for (let i = 1; i <= limit; i += 1) {
    const at = column + i * stride;
    if (kind[at] !== GROUND) continue;
    if (Math.abs(levels[at]! - level) > step) return i - 1;
    level = levels[at]!;
  }
  return limit;
}
