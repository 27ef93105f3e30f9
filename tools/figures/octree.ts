import type { DrivePair } from "../../bench/support/drive.ts";
import { cellSizeM, FREE, OCCUPIED, type OctreeFrame, type OctreeGrid } from "../../src/core/occupancy.ts";
import type { LevelAnswer, StereoModel } from "../../src/core/ports.ts";
import { makeOctreeDecoder } from "../../src/stereo/decode-octree.ts";
import { Figure, ink } from "./svg.ts";

const VOXEL_M = 0.5;
const ORIGIN = [-32, -12, 0] as const;
const SIZE = [64, 16, 64] as const;
const LEVELS = 4;
const grid: OctreeGrid = { voxelSizeM: VOXEL_M, origin: ORIGIN, size: SIZE, levels: LEVELS };
/** The slice from above: leaves at the height of the camera. */
const SLICE = -ORIGIN[1];
const PANEL = 220;

/** One pair of the demo drive through the model: what each level is asked, what it keeps, what the octree becomes. */
export async function octreeFigure(model: StereoModel, pair: DrivePair): Promise<string> {
  const { left, right, calibration } = pair;
  const image = (data: Uint8Array) => ({
    width: calibration.width,
    height: calibration.height,
    channels: 1 as const,
    data,
  });
  const answer = await model.run(
    { left: image(left), right: image(right), calibration, stampNs: 0n, frameId: "left" },
    VOXEL_M,
  );
  if (answer === undefined) throw new Error("the model gave no answer");
  const frame = makeOctreeDecoder(grid, model.keep)(answer, calibration, {
    occupancyThreshold: 0.3,
    freeThreshold: 0.1,
    maxRangeM: 32,
  });
  const figure = new Figure("One stereo pair from 4 m cells to the octree", 5 * (PANEL + 14) + 14, 320);
  for (const [level, found] of answer.levels.entries()) drawLevel(figure, level, found, model.keep[level]);
  drawOctree(figure, frame);
  return figure.toString();
}

const leftOf = (panel: number) => 14 + panel * (PANEL + 14);
/** Whether a cell of a level holds the slice. */
const isInSlice = (level: number, y: number) => y === SLICE >> (LEVELS - 1 - level);

/** The cell as a square of the panel: x to the right, distance upwards. */
function cell(figure: Figure, panel: number, level: number, x: number, z: number, fill: string): void {
  const edge = (PANEL / SIZE[0]) * 2 ** (LEVELS - 1 - level);
  figure.rect(leftOf(panel) + x * edge, 50 + PANEL - (z + 1) * edge, edge - 0.4, edge - 0.4, fill);
}

function drawLevel(figure: Figure, level: number, { index, p }: LevelAnswer, keep: number | undefined): void {
  figure.rect(leftOf(level), 50, PANEL, PANEL, ink.outside);
  figure.text(leftOf(level), 34, `${cellSizeM(grid, level)} m`, { size: 16 });
  const more = keep === undefined ? ink.occupied : ink.divided;
  let kept = 0;
  for (let i = 0; i < index.length; i += 3) {
    const [unknown, free, occupied] = [p[i]!, p[i + 1]!, p[i + 2]!];
    const isKept = occupied > (keep ?? 0.3);
    if (isKept) kept += 1;
    if (!isInSlice(level, index[i + 1]!)) continue;
    const fill = isKept ? more : free > unknown ? ink.free : ink.unknown;
    cell(figure, level, level, index[i]!, index[i + 2]!, fill);
  }
  const all = (SIZE[0] * SIZE[1] * SIZE[2]) / 8 ** (LEVELS - 1 - level);
  const what = keep === undefined ? "occupied" : "divided further";
  figure.text(leftOf(level), 292, `asked ${index.length / 3} of ${all} cells`, { size: 12 });
  figure.text(leftOf(level), 309, `${kept} ${what}`, { size: 12, fill: more });
}

function drawOctree(figure: Figure, { count, level, x, y, z, state }: OctreeFrame): void {
  figure.rect(leftOf(LEVELS), 50, PANEL, PANEL, ink.outside);
  figure.text(leftOf(LEVELS), 34, "the octree", { size: 16 });
  for (let i = 0; i < count; i += 1) {
    if (!isInSlice(level[i]!, y[i]!)) continue;
    const fill = state[i] === OCCUPIED ? ink.occupied : state[i] === FREE ? ink.free : ink.unknown;
    cell(figure, LEVELS, level[i]!, x[i]!, z[i]!, fill);
  }
  const keys = [
    [ink.occupied, "occupied"],
    [ink.free, "free"],
    [ink.unknown, "unknown"],
  ] as const;
  for (const [i, [fill, name]] of keys.entries()) {
    figure.rect(leftOf(LEVELS) + i * 76, 282, 11, 11, fill);
    figure.text(leftOf(LEVELS) + i * 76 + 16, 292, name, { size: 12 });
  }
  figure.text(leftOf(LEVELS), 309, `${count} leaves`, { size: 12 });
}
