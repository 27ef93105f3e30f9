import { BRICK_CELLS, BRICK_COUNT, cellIndex, centreOf, KEY_COUNT, keyOf, ROOT_KEY } from "./key.ts";
import { UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** Where a ray ended. `state` is that of the last cell: occupied, unknown (when asked to stop there), or free = clear to the end. */
export interface RayHit {
  kind: "occupied" | "unknown" | "clear";
  /** Centre of the last cell, metres, map frame. */
  x: number;
  y: number;
  z: number;
  /** From the origin to where the ray enters that cell (0 when it starts there), or the range when clear. */
  distanceM: number;
}

export function makeRayHit(): RayHit {
  return { kind: "clear", x: 0, y: 0, z: 0, distanceM: 0 };
}

/**
 * Walks the cells that a ray passes, one face at a time (Amanatides and Woo 1987), until one is occupied, or unknown if
 * `unknownStops`. `direction` need not have length 1. A ray that leaves the key space is clear or, if `unknownStops`,
 * unknown. Returns `out`.
 */
export function castRay(
  out: RayHit,
  map: OccupancyMap,
  origin: ArrayLike<number>,
  direction: ArrayLike<number>,
  rangeM: number,
  unknownStops: boolean,
): RayHit {
  const res = map.resolutionM;
  const { store, occupiedFrom } = map;
  const { logOdds } = store;
  const length = Math.hypot(direction[0]!, direction[1]!, direction[2]!);
  const dx = direction[0]! / length;
  const dy = direction[1]! / length;
  const dz = direction[2]! / length;
  let kx = keyOf(origin[0]!, res);
  let ky = keyOf(origin[1]!, res);
  let kz = keyOf(origin[2]!, res);
  const stepX = Math.sign(dx);
  const stepY = Math.sign(dy);
  const stepZ = Math.sign(dz);
  let nextX = firstFace(origin[0]!, dx, kx, res);
  let nextY = firstFace(origin[1]!, dy, ky, res);
  let nextZ = firstFace(origin[2]!, dz, kz, res);
  // A direction of 0 never comes to a face: res / 0 is Infinity.
  const faceX = res / Math.abs(dx);
  const faceY = res / Math.abs(dy);
  const faceZ = res / Math.abs(dz);
  let distanceM = 0;
  let brick = -1;
  let slot = -1;
  while (distanceM <= rangeM) {
    const isInside = kx >= 0 && kx < KEY_COUNT && ky >= 0 && ky < KEY_COUNT && kz >= 0 && kz < KEY_COUNT;
    let steps = UNKNOWN_CELL;
    if (isInside) {
      // Most steps stay in their brick.
      const at = ((kx >> 3) * BRICK_COUNT + (ky >> 3)) * BRICK_COUNT + (kz >> 3);
      if (at !== brick) {
        brick = at;
        slot = store.find(kx >> 3, ky >> 3, kz >> 3);
      }
      if (slot >= 0) steps = logOdds[slot * BRICK_CELLS + cellIndex(kx, ky, kz)]!;
    }
    if (steps >= occupiedFrom) return end(out, "occupied", kx, ky, kz, res, distanceM);
    if (steps === UNKNOWN_CELL && unknownStops) return end(out, "unknown", kx, ky, kz, res, distanceM);
    if (!isInside) break;
    if (nextX <= nextY && nextX <= nextZ) {
      distanceM = nextX;
      if (!(distanceM <= rangeM)) break;
      kx += stepX;
      nextX += faceX;
    } else if (nextY <= nextZ) {
      distanceM = nextY;
      if (!(distanceM <= rangeM)) break;
      ky += stepY;
      nextY += faceY;
    } else {
      distanceM = nextZ;
      if (!(distanceM <= rangeM)) break;
      kz += stepZ;
      nextZ += faceZ;
    }
  }
  return end(out, "clear", kx, ky, kz, res, rangeM);
}

/** Way along the ray to the first face of one axis, metres. */
function firstFace(origin: number, d: number, key: number, res: number): number {
  return d === 0 ? Number.POSITIVE_INFINITY : ((key - ROOT_KEY + (d > 0 ? 1 : 0)) * res - origin) / d;
}

function end(
  out: RayHit,
  kind: RayHit["kind"],
  kx: number,
  ky: number,
  kz: number,
  res: number,
  distanceM: number,
): RayHit {
  out.kind = kind;
  out.x = centreOf(kx, res);
  out.y = centreOf(ky, res);
  out.z = centreOf(kz, res);
  out.distanceM = distanceM;
  return out;
}
