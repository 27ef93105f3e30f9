import { judge } from "../../src/detect/evidence.ts";
import { CELL_PX, SolidView } from "../../src/detect/solid-view.ts";
import { Figure, ink } from "./svg.ts";

const view = { fx: 320, fy: 320, cx: 160, cy: 90, width: 320, height: 180 };
const VOXEL_M = 0.1;
const RANGE_M = 20;

/** A solid block, metres, left optical frame; the camera stands 1 m above the ground. */
type Block = readonly [x0: number, x1: number, y0: number, y1: number, z: number];

const wall = (z: number): Block => [-12, 12, -3, 1, z];
/** What the detector says is a person, 1.7 m high, and what is really there. */
const scenes: readonly { readonly says: string; readonly blocks: readonly Block[]; readonly personM: number }[] = [
  { says: "a person stands before a wall", blocks: [wall(14), [-0.3, 0.3, -0.7, 1, 6]], personM: 6 },
  { says: "a poster on a wall", blocks: [wall(6)], personM: 6 },
  { says: "a doll, seen as large as a person", blocks: [wall(14), [-0.1, 0.1, -0.2, 0.3, 1.6]], personM: 6 },
  { says: "nothing; a far hut behind", blocks: [[-0.9, 0.9, -3, 1, 14]], personM: 5 },
];

/** Blocks as voxels, painted and judged by the product; brighter is nearer. */
export function evidenceFigure(): string {
  const figure = new Figure("Four scenes and what their voxels say of a detected person", 960, 210);
  for (const [i, { says, blocks, personM }] of scenes.entries()) {
    const solid = new SolidView();
    const xyz = [...ground(), ...blocks.flatMap(voxelsOf)];
    solid.paint(Float32Array.from(xyz), xyz.length / 3, VOXEL_M, view);
    const [left, top, scale] = [16 + i * 236, 44, 0.69];
    drawDepths(figure, solid, left, top, scale);
    const box = boxAt(personM);
    const { support, share, depthM } = judge(solid, box, "person", RANGE_M);
    const colour = support === "upright" ? ink.good : ink.bad;
    const [x0, y0, x1, y1] = box.map((value) => value * scale) as [number, number, number, number];
    figure.rect(left + x0, top + y0, x1 - x0, y1 - y0, "none", `stroke="${colour}" stroke-width="2"`);
    figure.text(left, 30, says, { size: 12 });
    const depth = Number.isFinite(depthM) ? `, ${depthM.toFixed(1)} m` : "";
    figure.text(left, 190, `${support} (${(100 * share).toFixed(0)} % solid at one depth${depth})`, {
      size: 11,
      fill: colour,
    });
  }
  return figure.toString();
}

/** Cells of 8 x 8 pixels, neighbours of one grey in a row as one. */
function drawDepths(figure: Figure, solid: SolidView, left: number, top: number, scale: number): void {
  const edge = CELL_PX * scale;
  const greyAt = (row: number, column: number) => {
    const depth = solid.at(row, column);
    return Number.isFinite(depth) ? Math.round(235 - 200 * Math.min(1, depth / 16)) : 20;
  };
  for (let row = 0; row < solid.rows; row += 1) {
    for (let from = 0, to = 0; from < solid.columns; from = to) {
      const grey = greyAt(row, from);
      while (to < solid.columns && greyAt(row, to) === grey) to += 1;
      figure.rect(
        left + from * edge,
        top + row * edge,
        (to - from) * edge + 0.3,
        edge + 0.3,
        `rgb(${grey},${grey},${grey})`,
      );
    }
  }
}

/** Where the detector puts a person of 1.7 m on the ground at this depth, pixels. */
function boxAt(z: number): readonly [number, number, number, number] {
  const u = (x: number) => (view.fx * x) / z + view.cx;
  const v = (y: number) => (view.fy * y) / z + view.cy;
  return [u(-0.3), v(-0.7), u(0.3), v(1)];
}

function* steps(from: number, to: number): Generator<number> {
  for (let at = from + VOXEL_M / 2; at < to; at += VOXEL_M) yield at;
}

function voxelsOf([x0, x1, y0, y1, z]: Block): number[] {
  return [...steps(x0, x1)].flatMap((x) => [...steps(y0, y1)].flatMap((y) => [x, y, z]));
}

function ground(): number[] {
  return [...steps(-6, 6)].flatMap((x) => [...steps(2, 14)].flatMap((z) => [x, 1 + VOXEL_M / 2, z]));
}
