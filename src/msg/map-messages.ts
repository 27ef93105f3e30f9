import type { Health } from "../core/health.ts";
import type { Header } from "../core/image.ts";
import { type CloudArrays, writePointCloud2 } from "./write-cloud.ts";
import { type DisparityArrays, type FloatImage, writeDisparityImage, writeFloatImage } from "./write-depth.ts";
import { type DiagnosticStatus, writeDiagnosticArray } from "./write-diagnostics.ts";
import { type GridArrays, writeOccupancyGrid, writeOctomap } from "./write-map.ts";
import { type CubeOptions, writeCubeMarkers } from "./write-markers.ts";

/** What the map publishes; names are relative, as in the public interface. */
export const mapTopics = {
  points: { topic: "points", type: "sensor_msgs/msg/PointCloud2" },
  pointsClearing: { topic: "points_clearing", type: "sensor_msgs/msg/PointCloud2" },
  octomapBinary: { topic: "octomap_binary", type: "octomap_msgs/msg/Octomap" },
  octomapFull: { topic: "octomap_full", type: "octomap_msgs/msg/Octomap" },
  occupancyGrid: { topic: "occupancy_grid", type: "nav_msgs/msg/OccupancyGrid" },
  voxelMarkers: { topic: "voxel_markers", type: "visualization_msgs/msg/MarkerArray" },
  depth: { topic: "depth", type: "sensor_msgs/msg/Image" },
  disparity: { topic: "disparity", type: "stereo_msgs/msg/DisparityImage" },
  diagnostics: { topic: "/diagnostics", type: "diagnostic_msgs/msg/DiagnosticArray" },
} as const;

export type MapOutput = keyof typeof mapTopics;

/** What a replay writes into its bag; the others are large, and can be had from a live node or made from these. */
export const recordedOutputs = [
  "points",
  "pointsClearing",
  "octomapBinary",
  "occupancyGrid",
  "voxelMarkers",
  "diagnostics",
] as const satisfies readonly MapOutput[];

/** Occupied cells of one frame: stamp of the left image, left optical frame; intensity = probability. */
export function pointsMessage(leftImage: Header, occupied: CloudArrays): Uint8Array<ArrayBuffer> {
  return writePointCloud2(leftImage, occupied);
}

/** Ends of free rays of one frame: stamp of the left image, left optical frame; intensity 1 = ended at an obstacle. */
export function pointsClearingMessage(leftImage: Header, rayEnds: CloudArrays): Uint8Array<ArrayBuffer> {
  return writePointCloud2(leftImage, rayEnds);
}

/** The map's OctoMap stream of states; fixed frame. */
export function octomapBinaryMessage(fixed: Header, resolutionM: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeOctomap(fixed, resolutionM, data, true);
}

/** The map's OctoMap stream of log-odds; fixed frame. */
export function octomapFullMessage(fixed: Header, resolutionM: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeOctomap(fixed, resolutionM, data, false);
}

/** Metres along z for each pixel of the left image (REP-118), +Infinity and NaN as REP-117 has it. */
export function depthMessage(leftImage: Header, depth: FloatImage): Uint8Array<ArrayBuffer> {
  return writeFloatImage(leftImage, depth);
}

/** Disparity of each pixel of the left image; below 0 = not known. */
export function disparityMessage(leftImage: Header, disparity: DisparityArrays): Uint8Array<ArrayBuffer> {
  return writeDisparityImage(leftImage, disparity);
}

/** The map from above; fixed frame. */
export function occupancyGridMessage(fixed: Header, grid: GridArrays): Uint8Array<ArrayBuffer> {
  return writeOccupancyGrid(fixed, grid);
}

/** The map's occupied cells as cubes for RViz; fixed frame. */
export function voxelMarkersMessage(
  fixed: Header,
  occupied: CloudArrays,
  options: CubeOptions,
): Uint8Array<ArrayBuffer> {
  return writeCubeMarkers(fixed, "voxels", occupied, options);
}

/**
 * Health and figures of a node: first its summary `<node>: inference` with `values` in their order, then one status for
 * each standing fault, `<node>: <where>`. `state` says what the node does where nothing is wrong; `isStale`: no input.
 */
export function diagnosticsMessage(
  stampNs: bigint,
  node: string,
  health: Pick<Health, "list" | "worst">,
  values: Readonly<Record<string, string | number>>,
  { state = "all is well", isStale = false }: { readonly state?: string; readonly isStale?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const faults = health.list();
  const worst = health.worst() ?? "ok";
  const summary: DiagnosticStatus = {
    level: isStale ? "stale" : worst,
    name: `${node}: inference`,
    message: faults.length === 0 ? state : faults.map((fault) => `${fault.where}: ${fault.message}`).join("; "),
    hardwareId: "",
    values: Object.entries(values).map(([key, value]) => [key, String(value)]),
  };
  const details = faults.map(
    (fault): DiagnosticStatus => ({
      level: fault.level,
      name: `${node}: ${fault.where}`,
      message: fault.message,
      hardwareId: "",
      values: [
        ["code", fault.code],
        ["count", String(fault.count)],
      ],
    }),
  );
  return writeDiagnosticArray(stampNs, [summary, ...details]);
}
