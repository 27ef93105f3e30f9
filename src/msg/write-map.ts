import type { Header } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";

/**
 * octomap_msgs/Octomap of an "OcTree"; `data` is OctoMap's writeBinaryData stream where `isBinary`, else its writeData
 * stream.
 */
export function writeOctomap(
  header: Header,
  resolutionM: number,
  data: Uint8Array,
  isBinary: boolean,
): Uint8Array<ArrayBuffer> {
  return new CdrBytes(96 + header.frameId.length + data.length)
    .header(header)
    .bool(isBinary)
    .string("OcTree")
    .float64(resolutionM)
    .byteSequence(data)
    .take();
}

/** data[row * width + column], row along y, -1 unknown, 0 free, 100 occupied; more than width * height is ignored. */
export interface GridArrays {
  readonly width: number;
  readonly height: number;
  readonly resolutionM: number;
  /** Corner of cell (0, 0), metres, frame of the header. */
  readonly originXM: number;
  readonly originYM: number;
  readonly data: Int8Array;
}

/** nav_msgs/OccupancyGrid; the plane lies at z = 0 of the header's frame, unturned. */
export function writeOccupancyGrid(header: Header, grid: GridArrays): Uint8Array<ArrayBuffer> {
  const cells = grid.width * grid.height;
  return new CdrBytes(160 + header.frameId.length + cells)
    .header(header)
    .time(header.stampNs)
    .float32(grid.resolutionM)
    .uint32(grid.width)
    .uint32(grid.height)
    .float64s([grid.originXM, grid.originYM, 0, 0, 0, 0, 1])
    .byteSequence(grid.data.subarray(0, cells))
    .take();
}
