import { cellOf } from "./difference.ts";
import type { Points } from "./point-cloud.ts";

/** Which points are drawn: index[0 .. count - 1]. scale[point]: how many voxels an axis a drawn point stands for. */
export interface Thinned {
  count: number;
  index: Uint32Array;
  scale: Uint8Array;
}

export function makeThinned(): Thinned {
  return { count: 0, index: new Uint32Array(0), scale: new Uint8Array(0) };
}

/** Beyond this far from the eye's target a voxel is a few pixels: eight become one of twice the edge; then of four times. */
const steps = [
  { fromM: 60, scale: 4 },
  { fromM: 28, scale: 2 },
] as const;

/** Every voxel near (x, y), one for each coarse cell farther away: what lies far costs little. `edgeM`: of a voxel. */
export function thinInto(out: Thinned, { xyz, count }: Points, edgeM: number, x: number, y: number): void {
  reserve(out, count);
  const seen = new Set<number>();
  let n = 0;
  for (let i = 0; i < count; i += 1) {
    const [px, py, pz] = [xyz[i * 3]!, xyz[i * 3 + 1]!, xyz[i * 3 + 2]!];
    const awayM = Math.hypot(px - x, py - y);
    const scale = steps.find(({ fromM }) => awayM > fromM)?.scale ?? 1;
    if (scale > 1) {
      // Cells of both sizes in one set: negative numbers are those of the larger.
      const cell = cellOf(px, py, pz, edgeM * scale) + 1;
      const name = scale === 4 ? -cell : cell;
      if (seen.has(name)) continue;
      seen.add(name);
    }
    out.index[n] = i;
    out.scale[i] = scale;
    n += 1;
  }
  out.count = n;
}

/** All points, each for itself. */
export function keepAllInto(out: Thinned, count: number): void {
  reserve(out, count);
  for (let i = 0; i < count; i += 1) out.index[i] = i;
  out.scale.fill(1, 0, count);
  out.count = count;
}

function reserve(out: Thinned, count: number): void {
  if (out.index.length >= count) return;
  out.index = new Uint32Array(count * 2);
  out.scale = new Uint8Array(count * 2);
}
