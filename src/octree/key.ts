/** Key of coordinate 0; OctoMap's tree_max_val. */
export const ROOT_KEY = 32768;
/** Levels below the root; a leaf of depth 16 has the edge `resolutionM`. */
export const TREE_DEPTH = 16;
export const KEY_COUNT = 65536;
/** A brick is a node of depth 13: 8 cells an axis. */
export const BRICK_EDGE = 8;
export const BRICK_CELLS = 512;
export const BRICK_DEPTH = 13;
export const BRICK_COUNT = KEY_COUNT / BRICK_EDGE;

/** Bit i of v (0..7) moved to bit 3 i: one axis of a cell's place in its brick. */
export const spread3 = Uint16Array.of(0, 1, 8, 9, 64, 65, 72, 73);

/**
 * Coordinate (metres) -> key on one axis, as OctoMap's `coordToKey`. May lie outside 0..65535 where the coordinate is
 * beyond the key space; NaN stays NaN.
 */
export function keyOf(coordM: number, resolutionM: number): number {
  return Math.floor((1 / resolutionM) * coordM) + ROOT_KEY;
}

/** Centre (metres) of the cell with this key on one axis. */
export function centreOf(key: number, resolutionM: number): number {
  return (key - ROOT_KEY + 0.5) * resolutionM;
}

/** Key of the first cell whose centre is at or after a coordinate (metres), on one axis. */
export function firstKeyFrom(coordM: number, resolutionM: number): number {
  return keyOf(coordM + resolutionM / 2 - 1e-9, resolutionM);
}

/** Key of the last cell whose centre is at or before a coordinate (metres), on one axis. */
export function lastKeyTo(coordM: number, resolutionM: number): number {
  return keyOf(coordM - resolutionM / 2 + 1e-9, resolutionM);
}

export function isKey(key: number): boolean {
  return key >= 0 && key < KEY_COUNT;
}

/** Place of a cell in its brick: Morton order, x in the lowest bit, so that 8 siblings stand side by side. */
export function cellIndex(kx: number, ky: number, kz: number): number {
  return spread3[kx & 7]! | (spread3[ky & 7]! << 1) | (spread3[kz & 7]! << 2);
}

/** Every third bit of a Morton number, from bit 0: one axis back, at most 10 bits of it. */
export function gather3(morton: number): number {
  let m = morton & 0x09249249;
  m = (m | (m >>> 2)) & 0x030c30c3;
  m = (m | (m >>> 4)) & 0x0300f00f;
  m = (m | (m >>> 8)) & 0x030000ff;
  return (m | (m >>> 16)) & 0x3ff;
}

/** The other way: bits of v (at most 10) to every third place. */
export function scatter3(v: number): number {
  let m = v & 0x3ff;
  m = (m | (m << 16)) & 0x030000ff;
  m = (m | (m << 8)) & 0x0300f00f;
  m = (m | (m << 4)) & 0x030c30c3;
  return (m | (m << 2)) & 0x09249249;
}
