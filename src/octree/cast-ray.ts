import { OCCUPIED, type State, UNKNOWN } from "../core/occupancy.ts";
import { centreOf, isKey, keyOf, ROOT_KEY } from "./key.ts";
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
  const length = Math.hypot(direction[0]!, direction[1]!, direction[2]!);
  const key = [0, 0, 0];
  const step = [0, 0, 0];
  const next = [0, 0, 0];
  const delta = [0, 0, 0];
  for (let a = 0; a < 3; a += 1) {
    const d = direction[a]! / length;
    key[a] = keyOf(origin[a]!, res);
    step[a] = Math.sign(d);
    const face = (key[a]! - ROOT_KEY + (d > 0 ? 1 : 0)) * res;
    next[a] = d === 0 ? Number.POSITIVE_INFINITY : (face - origin[a]!) / d;
    delta[a] = d === 0 ? Number.POSITIVE_INFINITY : res / Math.abs(d);
  }
  let distanceM = 0;
  while (distanceM <= rangeM) {
    const inside = isKey(key[0]!) && isKey(key[1]!) && isKey(key[2]!);
    const state: State = inside ? map.stateOfKey(key[0]!, key[1]!, key[2]!) : UNKNOWN;
    if (state === OCCUPIED) return end(out, "occupied", key, res, distanceM);
    if (state === UNKNOWN && unknownStops) return end(out, "unknown", key, res, distanceM);
    if (!inside) break;
    const a = next[0]! <= next[1]! ? (next[0]! <= next[2]! ? 0 : 2) : next[1]! <= next[2]! ? 1 : 2;
    distanceM = next[a]!;
    if (!(distanceM <= rangeM)) break;
    key[a]! += step[a]!;
    next[a]! += delta[a]!;
  }
  return end(out, "clear", key, res, rangeM);
}

function end(out: RayHit, kind: RayHit["kind"], key: readonly number[], res: number, distanceM: number): RayHit {
  out.kind = kind;
  out.x = centreOf(key[0]!, res);
  out.y = centreOf(key[1]!, res);
  out.z = centreOf(key[2]!, res);
  out.distanceM = distanceM;
  return out;
}
