import { Fault } from "../core/fault.ts";
import type { OccupancyMap } from "../octree/occupancy-map.ts";
import { OctomapEncoder } from "../octree/octomap.ts";
import { writeBt, writeOt } from "../octree/octomap-file.ts";
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
