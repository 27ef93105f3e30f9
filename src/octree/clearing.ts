import { Fault } from "../core/fault.ts";
import type { OctreeFrame, OctreeGrid } from "../core/occupancy.ts";
import type { ClearingRays } from "./clearing-rays.ts";
import { hasBit, rasterInto } from "./per-frame.ts";
import { type PointList, reserve } from "./points.ts";

/** End points stay this much (leaf voxels) before the face, inside free space, whatever rounding does to them. */
const INSET = 0.05;

/**
 * End points of the free rays of a frame, one a bin: a planner that clears along camera -> point (Nav2's
 * `clearing: true` source) clears what was seen free and nothing else. A ray ends where it enters the first cell that
 * is not free, or at maximum range; it gives no point where it saw nothing free. Before its first free cell it may
 * cross unknown cells up to `blindM` from the camera, and those that reach out of the image at any distance (a consumer
 * that minds sets Nav2's `raytrace_min_range`). `value`
 * is 1 where an obstacle ended the ray, else 0. Metres, left optical frame.
 */
export function clearingPointsInto(out: PointList, frame: OctreeFrame, rays: ClearingRays): void {
  if (!isSameGrid(frame.grid, rays.grid)) {
    throw new Fault("A frame came whose grid is not the one that the clearing rays were made for.", {
      code: "MODEL_MISMATCH",
      remedy: "Call makeClearingRays again when the grid or the calibration changes.",
    });
  }
  const { grid, directions, states, first, word, mask, freeBefore, reachM } = rays;
  const { free, occupied } = states;
  rasterInto(states, frame);
  out.count = 0;
  const count = freeBefore.length;
  reserve(out, count);
  const insetM = INSET * grid.voxelSizeM;
  for (let ray = 0; ray < count; ray += 1) {
    const last = first[ray + 1]!;
    let run = first[ray]!;
    // The first leaf that is known must be free.
    let known = 0;
    for (; run < freeBefore[ray]!; run += 1) {
      known = mask[run]! & (free[word[run]!]! | occupied[word[run]!]!);
      if (known !== 0) break;
    }
    const start = known & -known;
    if ((start & free[word[run]!]!) === 0) continue;
    // And so must all leaves from there on be, up to the one that ends the ray.
    let ending = mask[run]! & -start & ~free[word[run]!]!;
    while (ending === 0 && run + 1 < last) {
      run += 1;
      ending = mask[run]! & ~free[word[run]!]!;
    }
    const leaf = word[run]! * 32 + (31 - Math.clz32(ending & -ending));
    const dx = directions[ray * 3]!;
    const dy = directions[ray * 3 + 1]!;
    const dz = directions[ray * 3 + 2]!;
    const endM = ending === 0 ? reachM[ray]! : entranceM(grid, leaf, dx, dy, dz);
    const rangeM = Math.max(endM - insetM, endM * 0.9);
    const to = out.count * 3;
    out.xyz[to] = dx * rangeM;
    out.xyz[to + 1] = dy * rangeM;
    out.xyz[to + 2] = dz * rangeM;
    out.value[out.count] = ending !== 0 && hasBit(occupied, leaf) ? 1 : 0;
    out.count += 1;
  }
}

/** Metres from the camera to where a ray along a unit vector comes into a leaf, which must not be the camera's. */
function entranceM({ size, origin, voxelSizeM }: OctreeGrid, leaf: number, dx: number, dy: number, dz: number): number {
  const column = Math.floor(leaf / size[2]);
  const z = leaf - column * size[2];
  const y = Math.floor(column / size[0]);
  const x = column - y * size[0];
  // The last of the three faces through which it comes; one that it runs along does not count.
  const atX = dx === 0 ? 0 : ((dx > 0 ? x : x + 1) + origin[0]) / dx;
  const atY = dy === 0 ? 0 : ((dy > 0 ? y : y + 1) + origin[1]) / dy;
  return Math.max(atX, atY, (z + origin[2]) / dz) * voxelSizeM;
}

function isSameGrid(a: OctreeGrid, b: OctreeGrid): boolean {
  const same = (u: readonly number[], v: readonly number[]) => u.every((value, i) => value === v[i]);
  return a.voxelSizeM === b.voxelSizeM && same(a.origin, b.origin) && same(a.size, b.size);
}
