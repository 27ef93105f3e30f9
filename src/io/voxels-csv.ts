import { cellCentreInto, cellSizeM, type OctreeFrame, stateNames } from "../core/occupancy.ts";
import { writeWhole } from "./write-whole.ts";

const header = "x,y,z,size_m,state,p_occupied";

/**
 * One row a cell of the octree, coarse free and unknown cells included: centre x, y, z and edge in metres, left optical
 * frame (x right, y down, z forward); state occupied, free or unknown; p_occupied 0..1. Rows stand in the frame's order.
 */
export function voxelsCsv(frame: OctreeFrame): string {
  const rows = new Array<string>(frame.count + 2);
  rows[0] = header;
  const centre = new Float64Array(3);
  for (let i = 0; i < frame.count; i += 1) {
    cellCentreInto(centre, 0, frame, i);
    const size = short(cellSizeM(frame.grid, frame.level[i]!));
    const state = stateNames[frame.state[i]!];
    const p = frame.pOccupied[i]!.toFixed(6);
    rows[i + 1] = `${short(centre[0]!)},${short(centre[1]!)},${short(centre[2]!)},${size},${state},${p}`;
  }
  rows[frame.count + 1] = "";
  return rows.join("\n");
}

/** Throws `Fault` OUTPUT_UNWRITABLE. */
export async function writeVoxelsCsv(path: string, frame: OctreeFrame): Promise<void> {
  await writeWhole(path, voxelsCsv(frame));
}

/** To the nanometre, without the dust that binary fractions leave (0.30000000000000004). */
function short(metres: number): string {
  return String(Number(metres.toFixed(9)));
}
