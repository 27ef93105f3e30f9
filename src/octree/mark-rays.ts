import { CellGroups } from "./cell-groups.ts";
import { KEY_COUNT, ROOT_KEY } from "./key.ts";
import { BUNDLE_SLACK, isBetween, RayBundle } from "./ray-bundle.ts";
import { RayWalk } from "./ray-walk.ts";
import type { ScanGrid } from "./scan-grid.ts";

/** Fewer points than this in a cell are walked one by one. */
const BUNDLE = 4;

/**
 * Marks in `grid` every cell that a ray leaves on its way to a point (free) and the cell of the point itself (hit), as
 * OctoMap's `computeUpdate`: a point beyond `maxRangeM` frees the cells up to that range and hits nothing; a ray that
 * ends outside the key space counts for nothing. Points (metres, map frame) that are not finite are skipped.
 * Points of one cell go together (`RayBundle`), the others one by one (`RayWalk`).
 */
export class RayMarker {
  readonly #resolutionM: number;
  readonly #walk: RayWalk;
  readonly #groups = new CellGroups();
  readonly #bundle = new RayBundle(64);

  constructor(resolutionM: number) {
    this.#resolutionM = resolutionM;
    this.#walk = new RayWalk(resolutionM);
  }

  /** `origin` (float32, metres) must lie in the grid; of a ray that leaves the grid the outermost cell is lost. */
  mark(grid: ScanGrid, xyz: Float32Array, count: number, origin: ArrayLike<number>, maxRangeM: number): void {
    this.#walk.setOrigin(origin);
    const perM = 1 / this.#resolutionM;
    const { origin: from } = this.#walk;
    const ox = from[0]!;
    const oy = from[1]!;
    const oz = from[2]!;
    const { hit, low, size } = grid;
    const lowX = low[0]! - ROOT_KEY;
    const lowY = low[1]! - ROOT_KEY;
    const lowZ = low[2]! - ROOT_KEY;
    const sizeX = size[0]!;
    const strideZ = sizeX * size[1]!;
    // The outermost cells of the grid may lie outside the key space.
    const minX = Math.max(0, -low[0]!);
    const minY = Math.max(0, -low[1]!);
    const minZ = Math.max(0, -low[2]!);
    const maxX = Math.min(sizeX, KEY_COUNT - low[0]!);
    const maxY = Math.min(size[1]!, KEY_COUNT - low[1]!);
    const maxZ = Math.min(size[2]!, KEY_COUNT - low[2]!);
    const near = (maxRangeM * (1 - BUNDLE_SLACK)) ** 2;
    const groups = this.#groups;
    groups.clear(count);
    for (let i = 0; i < count; i += 1) {
      const ex = xyz[i * 3]!;
      const ey = xyz[i * 3 + 1]!;
      const ez = xyz[i * 3 + 2]!;
      const gx = perM * ex - lowX;
      const gy = perM * ey - lowY;
      const gz = perM * ez - lowZ;
      const cx = gx | 0;
      const cy = gy | 0;
      const cz = gz | 0;
      const isInGrid = gx > minX && gx < maxX && gy > minY && gy < maxY && gz > minZ && gz < maxZ;
      const way = (ex - ox) * (ex - ox) + (ey - oy) * (ey - oy) + (ez - oz) * (ez - oz);
      // Where rounding could decide, the exact walk does.
      if (!(isInGrid && way < near && isBetween(gx - cx) && isBetween(gy - cy) && isBetween(gz - cz))) {
        groups.put(i, -1);
        this.#walk.walkTo(grid, xyz, i, maxRangeM);
        continue;
      }
      const at = cx + cy * sizeX + cz * strideZ;
      hit[at >> 5]! |= 1 << at;
      groups.put(i, at);
    }
    groups.sort(xyz, count);
    for (let g = 0; g < groups.count; g += 1) this.#markGroup(grid, g, maxRangeM);
  }

  #markGroup(grid: ScanGrid, g: number, maxRangeM: number): void {
    const { xyz, start, cell } = this.#groups;
    const from = start[g]!;
    const to = start[g + 1]!;
    if (to - from < BUNDLE) {
      for (let i = from; i < to; i += 1) this.#walk.walkTo(grid, xyz, i, maxRangeM);
      return;
    }
    const { origin, home: homeKey, phase } = this.#walk;
    const width = grid.size[0]!;
    const depth = grid.size[0]! * grid.size[1]!;
    const at = cell[g]!;
    const endZ = Math.floor(at / depth);
    const endY = Math.floor((at - endZ * depth) / width);
    const endX = at - endZ * depth - endY * width;
    const homeX = homeKey[0]! - grid.low[0]!;
    const homeY = homeKey[1]! - grid.low[1]!;
    const homeZ = homeKey[2]! - grid.low[2]!;
    const nx = Math.abs(endX - homeX);
    const ny = Math.abs(endY - homeY);
    const nz = Math.abs(endZ - homeZ);
    const stepX = nx === 0 ? 0 : endX > homeX ? 1 : -1;
    const stepY = ny === 0 ? 0 : endY > homeY ? width : -width;
    const stepZ = nz === 0 ? 0 : endZ > homeZ ? depth : -depth;
    const px = phase[endX > homeX ? 3 : 0]!;
    const py = phase[endY > homeY ? 4 : 1]!;
    const pz = phase[endZ > homeZ ? 5 : 2]!;
    const home = homeX + homeY * width + homeZ * depth;
    const ox = origin[0]!;
    const oy = origin[1]!;
    const oz = origin[2]!;
    const bundle = this.#bundle;
    const awayX = bundle.away[0];
    const awayY = bundle.away[1];
    const awayZ = bundle.away[2];
    for (let first = from; first < to; first += awayX.length) {
      const n = Math.min(awayX.length, to - first);
      for (let m = 0; m < n; m += 1) {
        const at = (first + m) * 3;
        awayX[m] = Math.abs(xyz[at]! - ox);
        awayY[m] = Math.abs(xyz[at + 1]! - oy);
        awayZ[m] = Math.abs(xyz[at + 2]! - oz);
      }
      bundle.count = n;
      bundle.bound();
      const isSure =
        bundle.mark(grid.free, home, nx, 0, px, stepX, 1, py, stepY, 2, pz, stepZ) &&
        bundle.mark(grid.free, home, ny, 1, py, stepY, 0, px, stepX, 2, pz, stepZ) &&
        bundle.mark(grid.free, home, nz, 2, pz, stepZ, 0, px, stepX, 1, py, stepY);
      if (isSure) continue;
      for (let i = first; i < first + n; i += 1) {
        this.#walk.walkTo(grid, xyz, i, maxRangeM);
      }
    }
  }
}
