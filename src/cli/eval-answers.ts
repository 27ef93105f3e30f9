import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, messageOf } from "../core/fault.ts";
import { makeOctreeFrame, type OctreeFrame, type OctreeGrid, type State, stateNames } from "../core/occupancy.ts";

const header = "x,y,z,size_m,state,p_occupied";

/**
 * Reads `<folder>/<pair>.csv`, the answer of any program in the format of `infer` (src/io/voxels-csv.ts): centres and
 * edges of cells in metres, left optical frame. Throws `Fault` DATASET_INVALID where a row is no cell of the grid.
 */
export async function readAnswer(folder: string, pair: string, grid: OctreeGrid): Promise<OctreeFrame> {
  const path = join(folder, `${pair}.csv`);
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    throw invalid(`Cannot read the answer ${path} (${messageOf(thrown)})`);
  });
  const [first, ...rows] = text.trimEnd().split(/\r?\n/);
  if (first !== header) throw invalid(`${path} begins with "${first}", wanted "${header}"`);
  const frame = makeOctreeFrame(grid, rows.length);
  for (const [i, row] of rows.entries()) {
    if (!setCell(frame, i, row.split(","))) throw invalid(`${path}, line ${i + 2}, is no cell of the grid: ${row}`);
  }
  frame.count = rows.length;
  return frame;
}

/** False where the columns name no cell. */
function setCell(frame: OctreeFrame, i: number, [x, y, z, size, state, p]: readonly string[]): boolean {
  const { voxelSizeM, origin, size: leaves, levels } = frame.grid;
  const edge = Number(size) / voxelSizeM;
  const level = levels - 1 - Math.round(Math.log2(edge));
  const cell = [x, y, z].map((metres, axis) => Math.floor((Number(metres) / voxelSizeM - origin[axis]!) / edge));
  const isCell =
    level >= 0 && level < levels && cell.every((n, axis) => n >= 0 && (n + 1) * edge <= leaves[axis]! + 0.5);
  const known = stateNames.indexOf(state as (typeof stateNames)[number]);
  if (!isCell || known < 0 || !(Number(p) >= 0 && Number(p) <= 1)) return false;
  frame.level[i] = level;
  [frame.x[i], frame.y[i], frame.z[i]] = cell as [number, number, number];
  frame.state[i] = known as State;
  frame.pOccupied[i] = Number(p);
  return true;
}

function invalid(message: string): Fault {
  return new Fault(message, {
    code: "DATASET_INVALID",
    remedy: "--answers wants one <pair>.csv for each pair, as `voxelguard eval stereo --voxels` writes them.",
  });
}
