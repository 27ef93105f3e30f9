import { Fault } from "../core/fault.ts";
import { checkResolution as checkCells, replaceCells } from "../octree/load.ts";
import type { OccupancyMap } from "../octree/occupancy-map.ts";
import { OctomapEncoder } from "../octree/octomap.ts";
import { type OctomapFile, readOctomapFile, writeBt, writeOt } from "../octree/octomap-file.ts";
import { FullOctomapEncoder } from "../octree/octomap-full.ts";

/** The map as the OctoMap file that the ending of `path` asks for. Throws `Fault` CONFIG_INVALID for another ending. */
export function mapFile(path: string, map: OccupancyMap): Uint8Array {
  if (path.endsWith(".bt")) return writeBt(new OctomapEncoder().borrowBinary(map), map.resolutionM);
  if (path.endsWith(".ot")) return writeOt(new FullOctomapEncoder().borrowFull(map), map.resolutionM);
  throw new Fault(`"${path}" does not say in which format the map is to be written.`, {
    code: "CONFIG_INVALID",
    remedy: "Name a file that ends in .bt (occupied and free) or .ot (log-odds).",
  });
}

/** The map's stream of `octomap_msgs/Octomap` with `binary = true`. */
export function mapBinary(map: OccupancyMap): Uint8Array {
  return new OctomapEncoder().borrowBinary(map);
}

/** A map that was saved. */
export interface SavedMap extends OctomapFile {
  /** For words. */
  readonly path: string;
}

/** Reads what `mapFile` or OctoMap wrote. Throws `Fault` MESSAGE_CORRUPT. */
export function parseMapFile(path: string, data: Uint8Array): SavedMap {
  return named(path, () => ({ path, ...readOctomapFile(data) }));
}

/** Throws `Fault` MAP_MISMATCH where the saved map has cells of another size. */
export function checkResolution(saved: SavedMap, voxelSizeM: number): void {
  named(saved.path, () => checkCells(saved, voxelSizeM));
}

/** Puts a saved map in the place of all that the map holds, and says what was done. Throws as `replaceCells` does. */
export function putSavedMap(map: OccupancyMap, saved: SavedMap): string {
  const { loaded, left } = named(saved.path, () => replaceCells(map, saved));
  const cells = `${saved.path}: ${loaded} cells of ${map.resolutionM} m`;
  return left === 0 ? cells : `${cells}; ${left} more lie outside the map's window`;
}

/** The same, with the file's name before what is wrong with it. */
function named<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const { code, remedy, message } = thrown;
    throw new Fault(`${path}: ${message}`, { code, remedy, cause: thrown });
  }
}
