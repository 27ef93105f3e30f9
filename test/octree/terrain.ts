import { FREE, OCCUPIED } from "../../src/core/occupancy.ts";
import { keyOf, TREE_DEPTH } from "../../src/octree/key.ts";
import { loadLeaves } from "../../src/octree/load.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";

/** Metres, map frame; NaN: nothing was seen there. */
export type HeightAt = (xM: number, yM: number) => number;

export interface TerrainOptions {
  readonly resolutionM: number;
  /** Edges along x and y of the rectangle that is known, centred on the origin. */
  readonly edgeM: number;
  readonly widthM?: number;
  /** Above the ground, seen free. */
  readonly skyM?: number;
  /** Further occupied boxes: x, y, z from and to, metres. */
  readonly boxes?: readonly (readonly [number, number, number, number, number, number])[];
}

/**
 * A map of a ground as a perfect sensor sees it: the cell that each point of the surface lies in is occupied, so are the
 * faces of steps, and what is above is free.
 */
export function terrainMap(heightAt: HeightAt, options: TerrainOptions): OccupancyMap {
  const { resolutionM: res, edgeM, widthM = edgeM, skyM = 1.4, boxes = [] } = options;
  const map = new OccupancyMap({ resolutionM: res, windowM: edgeM + 16 * res, maxBricks: 1 << 16, decayPerS: 0 });
  const [occupied, free]: [number[], number[]] = [[], []];
  const [columns, rows] = [2 * Math.round(edgeM / 2 / res), 2 * Math.round(widthM / 2 / res)];
  for (let i = 0; i < columns; i += 1) {
    for (let j = 0; j < rows; j += 1) {
      const [x, y] = [(i - columns / 2 + 0.5) * res, (j - rows / 2 + 0.5) * res];
      const surface = heightAt(x, y);
      if (Number.isNaN(surface)) continue;
      const [kx, ky, kz] = [keyOf(x, res), keyOf(y, res), keyOf(surface + 1e-9, res)];
      const around = [heightAt(x - res, y), heightAt(x + res, y), heightAt(x, y - res), heightAt(x, y + res)];
      const lowest = Math.min(...around.filter((h) => !Number.isNaN(h)), surface);
      const below = surface - lowest > 2 * res ? keyOf(lowest + 1e-9, res) + 1 : kz;
      for (let k = below; k <= kz; k += 1) occupied.push(kx, ky, k);
      for (let k = kz + 1; k <= kz + skyM / res; k += 1) free.push(kx, ky, k);
    }
  }
  for (const [x0, x1, y0, y1, z0, z1] of boxes) {
    for (let x = x0 + res / 2; x < x1; x += res) {
      for (let y = y0 + res / 2; y < y1; y += res) {
        for (let z = z0 + res / 2; z < z1; z += res) occupied.push(keyOf(x, res), keyOf(y, res), keyOf(z, res));
      }
    }
  }
  // What comes last holds.
  for (const [keys, value] of [
    [free, FREE],
    [occupied, OCCUPIED],
  ] as const) {
    const count = keys.length / 3;
    const depth = new Uint8Array(count).fill(TREE_DEPTH);
    const state = new Uint8Array(count).fill(value);
    loadLeaves(map, { count, keys: Uint16Array.from(keys), depth, state, nodes: 0 });
  }
  return map;
}
