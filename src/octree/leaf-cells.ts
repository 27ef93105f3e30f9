import { Fault } from "../core/fault.ts";
import type { FREE, OCCUPIED } from "../core/occupancy.ts";
import { centreOf, TREE_DEPTH } from "./key.ts";
import type { OctomapLeaves } from "./octomap-read.ts";
import { type PointList, reserve } from "./points.ts";

/** More than any rolling map holds; a stream that claims more is damaged, and would fill the memory. */
const MOST_CELLS = 1 << 24;

/**
 * Centres (metres) of all cells of the finest level in leaves of one state; each gets `value`. Throws `Fault`
 * MESSAGE_CORRUPT for more than 2^24 of them.
 */
export function leafCellsInto(
  out: PointList,
  leaves: OctomapLeaves,
  state: typeof FREE | typeof OCCUPIED,
  resolutionM: number,
  value: number,
): void {
  out.count = 0;
  for (let i = 0; i < leaves.count; i += 1) {
    if (leaves.state[i] !== state) continue;
    const edge = 2 ** (TREE_DEPTH - leaves.depth[i]!);
    if (out.count + edge ** 3 > MOST_CELLS) throw tooMany();
    reserve(out, edge ** 3);
    const [kx, ky, kz] = [leaves.keys[i * 3]!, leaves.keys[i * 3 + 1]!, leaves.keys[i * 3 + 2]!];
    const { xyz, value: values } = out;
    let n = out.count;
    for (let z = 0; z < edge; z += 1) {
      for (let y = 0; y < edge; y += 1) {
        for (let x = 0; x < edge; x += 1) {
          xyz[n * 3] = centreOf(kx + x, resolutionM);
          xyz[n * 3 + 1] = centreOf(ky + y, resolutionM);
          xyz[n * 3 + 2] = centreOf(kz + z, resolutionM);
          values[n] = value;
          n += 1;
        }
      }
    }
    out.count = n;
  }
}

function tooMany(): Fault {
  return new Fault(`An OctoMap stream holds more than ${MOST_CELLS} cells of one state.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Record a map of a limited window; voxelguard's own holds what lies around the robot.",
  });
}
