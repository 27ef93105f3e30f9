import { isKey, ROOT_KEY } from "./key.ts";
import type { ScanGrid } from "./scan-grid.ts";

const { fround } = Math;

/**
 * Part of a cell by which crossings of two axes may differ and still be one: OctoMap's walk then takes z before y
 * before x. Far above what a double loses over a ray, far below what a float32 point can say.
 */
const TIE = 1e-9;

/**
 * Rays from one origin, one at a time. The cells are those of the walk of Amanatides and Woo (1987), found without
 * walking: each cell but the last is left through exactly one face, and the faces of one axis follow each other at equal
 * steps, in which the other two axes advance by a constant. So each axis is a loop without a comparison. Directions are
 * rounded to float32 and cell faces placed as in OctoMap (`computeRayKeys`), so that the same cells result.
 */
export class RayWalk {
  readonly #resolutionM: number;
  /** Metres, map frame. */
  readonly origin: Float64Array = new Float64Array(3);
  /** Key of the origin's cell. */
  readonly home: Int32Array = new Int32Array(3);
  /** Cells from the origin to the next face of each axis, against (0..2) and along (3..5) the axis. */
  readonly phase: Float64Array = new Float64Array(6);

  constructor(resolutionM: number) {
    this.#resolutionM = resolutionM;
  }

  setOrigin(origin: ArrayLike<number>): void {
    const res = this.#resolutionM;
    const half = fround(res * 0.5);
    for (let a = 0; a < 3; a += 1) {
      const o = origin[a]!;
      const key = Math.floor((1 / res) * o);
      const centre = (key + 0.5) * res;
      this.origin[a] = o;
      this.home[a] = key + ROOT_KEY;
      this.phase[a] = (o - (centre - half)) / res;
      this.phase[a + 3] = (centre + half - o) / res;
    }
  }

  /** Marks the ray to point `i` of `xyz` and the cell in which it ends; a point that is not finite is skipped. */
  walkTo(grid: ScanGrid, xyz: Float32Array, i: number, maxRangeM: number): void {
    const perM = 1 / this.#resolutionM;
    const ox = this.origin[0]!;
    const oy = this.origin[1]!;
    const oz = this.origin[2]!;
    const kx = this.home[0]!;
    const ky = this.home[1]!;
    const kz = this.home[2]!;
    const { free, hit, low, size } = grid;
    const lowX = low[0]!;
    const lowY = low[1]!;
    const lowZ = low[2]!;
    const sizeX = size[0]!;
    const sizeY = size[1]!;
    const sizeZ = size[2]!;
    const strideY = sizeX;
    const strideZ = sizeX * sizeY;
    const home = kx - lowX + (ky - lowY) * strideY + (kz - lowZ) * strideZ;
    let ex = xyz[i * 3]!;
    let ey = xyz[i * 3 + 1]!;
    let ez = xyz[i * 3 + 2]!;
    let dx = fround(ex - ox);
    let dy = fround(ey - oy);
    let dz = fround(ez - oz);
    let norm = normOf(dx, dy, dz);
    if (!(norm < Number.POSITIVE_INFINITY)) return;
    const isCut = norm > maxRangeM;
    if (isCut) {
      const range = fround(maxRangeM);
      const length = fround(norm);
      ex = fround(ox + fround(fround(dx / length) * range));
      ey = fround(oy + fround(fround(dy / length) * range));
      ez = fround(oz + fround(fround(dz / length) * range));
      dx = fround(ex - ox);
      dy = fround(ey - oy);
      dz = fround(ez - oz);
      norm = normOf(dx, dy, dz);
    }
    const endX = Math.floor(perM * ex) + ROOT_KEY;
    const endY = Math.floor(perM * ey) + ROOT_KEY;
    const endZ = Math.floor(perM * ez) + ROOT_KEY;
    if (!(isKey(endX) && isKey(endY) && isKey(endZ))) return;
    const length = fround(norm);
    // Cells a metre along the ray, and from the origin to the first face.
    const gx = Math.abs(fround(dx / length)) * perM;
    const gy = Math.abs(fround(dy / length)) * perM;
    const gz = Math.abs(fround(dz / length)) * perM;
    const px = this.phase[dx > 0 ? 3 : 0]!;
    const py = this.phase[dy > 0 ? 4 : 1]!;
    const pz = this.phase[dz > 0 ? 5 : 2]!;
    let reach = length;
    const atX = endX - lowX;
    const atY = endY - lowY;
    const atZ = endZ - lowZ;
    if (atX >= 0 && atX < sizeX && atY >= 0 && atY < sizeY && atZ >= 0 && atZ < sizeZ) {
      const at = atX + atY * strideY + atZ * strideZ;
      if (!isCut) hit[at >> 5]! |= 1 << at;
      if (at === home) return;
    } else {
      reach = Math.min(reach, lastFace(kx - lowX, sizeX, dx, px, gx));
      reach = Math.min(reach, lastFace(ky - lowY, sizeY, dy, py, gy));
      reach = Math.min(reach, lastFace(kz - lowZ, sizeZ, dz, pz, gz));
    }
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? strideY : -strideY;
    const stepZ = dz > 0 ? strideZ : -strideZ;
    const facesX = Math.min(Math.abs(endX - kx), Math.floor(reach * gx - px) + 1);
    const facesY = Math.min(Math.abs(endY - ky), Math.floor(reach * gy - py) + 1);
    const facesZ = Math.min(Math.abs(endZ - kz), Math.floor(reach * gz - pz) + 1);
    if (facesX > 0) {
      const y = gy / gx;
      const z = gz / gx;
      walk(free, facesX, home, stepX, 1 - py + px * y + TIE, y, stepY, 1 - pz + px * z + TIE, z, stepZ);
    }
    if (facesY > 0) {
      const x = gx / gy;
      const z = gz / gy;
      walk(free, facesY, home, stepY, 1 - px + py * x - TIE, x, stepX, 1 - pz + py * z + TIE, z, stepZ);
    }
    if (facesZ > 0) {
      const x = gx / gz;
      const y = gy / gz;
      walk(free, facesZ, home, stepZ, 1 - px + pz * x - TIE, x, stepX, 1 - py + pz * y - TIE, y, stepY);
    }
  }
}

/** As OctoMap's `point3d::norm`. */
function normOf(x: number, y: number, z: number): number {
  return Math.sqrt(fround(fround(fround(x * x) + fround(y * y)) + fround(z * z)));
}

/** Way (metres) at which a ray is in the middle of the outermost layer of cells on one axis; nothing is lost beyond. */
function lastFace(at: number, size: number, d: number, phase: number, perM: number): number {
  if (perM === 0) return Number.POSITIVE_INFINITY;
  const cells = d > 0 ? size - 1 - at : at;
  return (phase + cells - 0.5) / perM;
}

/**
 * Marks the cells left through the faces of one axis: the face before is `step` bits away, where the other two axes
 * have advanced by whole cells of u (0.. growing by du, `stepU` bits each) and v.
 */
function walk(
  bits: Uint32Array,
  faces: number,
  home: number,
  step: number,
  u0: number,
  du: number,
  stepU: number,
  v0: number,
  dv: number,
  stepV: number,
): void {
  let u = u0;
  let v = v0;
  let base = home;
  for (let i = 0; i < faces; i += 1) {
    const at = (base + Math.imul(u | 0, stepU) + Math.imul(v | 0, stepV)) | 0;
    bits[at >> 5]! |= 1 << at;
    base = (base + step) | 0;
    u += du;
    v += dv;
  }
}
