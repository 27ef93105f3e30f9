import type { Points } from "./point-cloud.ts";

/** Half of the keys that an axis has: as in OctoMap's key space, cell 0 lies in the middle. */
const half = 32768;

/** A cell by its place: a whole number for each cell of an edge, the same for every point in it. */
export function cellOf(x: number, y: number, z: number, edgeM: number): number {
  const [kx, ky, kz] = [Math.floor(x / edgeM), Math.floor(y / edgeM), Math.floor(z / edgeM)];
  return ((kx + half) * 65536 + ky + half) * 65536 + kz + half;
}

/** The cells that the points lie in. */
export function cellsOf({ xyz, count }: Points, edgeM: number): Set<number> {
  const cells = new Set<number>();
  for (let i = 0; i < count; i += 1) cells.add(cellOf(xyz[i * 3]!, xyz[i * 3 + 1]!, xyz[i * 3 + 2]!, edgeM));
  return cells;
}

/** Writes 1 for each point whose cell is not among `others`, else 0, and answers how many there are of the first. */
export function lonePointsInto(
  out: Uint8Array,
  { xyz, count }: Points,
  others: ReadonlySet<number>,
  edgeM: number,
): number {
  let lone = 0;
  for (let i = 0; i < count; i += 1) {
    const isLone = !others.has(cellOf(xyz[i * 3]!, xyz[i * 3 + 1]!, xyz[i * 3 + 2]!, edgeM));
    out[i] = isLone ? 1 : 0;
    if (isLone) lone += 1;
  }
  return lone;
}
