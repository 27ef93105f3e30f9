import { BRICK_EDGE, ROOT_KEY } from "../../src/octree/key.ts";
import { mapDefaults } from "../../src/octree/map-options.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { Figure, ink } from "./svg.ts";

const CELL_M = 0.5;
const FRAME_NS = 100_000_000n;

/** One cell of the real map through 20 s at 10 Hz: seen solid, seen free, no longer seen; and the bricks of a drive. */
export function mapFigure(): string {
  const figure = new Figure("One cell of the map through time, and the bricks of a window", 960, 360);
  drawCell(figure);
  drawWindow(figure);
  return figure.toString();
}

/** What the sensor sees in the direction of the cell, and from which frame on. */
const acts = [
  { from: 0, says: "a car stands there", point: [4.25, 0.25, 0.25] },
  { from: 15, says: "it drove off: rays pass", point: [12.25, 0.25, 0.25] },
  { from: 40, says: "it is back", point: [4.25, 0.25, 0.25] },
  { from: 55, says: "out of sight: after 5 s it fades", point: [0.25, 9.25, 0.25] },
] as const;
const FRAMES = 200;

function drawCell(figure: Figure): void {
  const map = new OccupancyMap({ resolutionM: CELL_M });
  const { clampMin, clampMax } = mapDefaults;
  const logOdds = (p: number) => Math.log(p / (1 - p));
  const [left, right, top, bottom] = [60, 560, 60, 300];
  const x = (frame: number) => left + ((right - left) * frame) / FRAMES;
  const y = (value: number) =>
    bottom - ((bottom - top) * (value - logOdds(clampMin))) / (logOdds(clampMax) - logOdds(clampMin));
  figure.text(left, 30, "One cell: evidence adds up, is limited, and is forgotten", { size: 15 });
  figure.rect(left, top, right - left, y(0) - top, "#3a2f22");
  figure.rect(left, y(0), right - left, bottom - y(0), ink.free, 'opacity="0.5"');
  const points: [number, number][] = [];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const act = acts.findLast(({ from }) => frame >= from)!;
    map.insertPoints({ count: 1, xyz: Float32Array.from(act.point) }, [0.25, 0.25, 0.25], BigInt(frame) * FRAME_NS);
    const value = map.logOddsAt(4.25, 0.25, 0.25);
    if (value !== undefined) points.push([x(frame), y(value)]);
    else if (points.length > 0) figure.dot(x(frame), y(0), 1.5, ink.line);
  }
  figure.line(points, ink.occupied, 2.5);
  for (const [i, { from, says }] of acts.entries()) {
    figure.line(
      [
        [x(from), top],
        [x(from), bottom + 8],
      ],
      ink.line,
      1,
      'stroke-dasharray="3 4"',
    );
    figure.text(x(from) + 2, bottom + 18 + 13 * (i % 3), says, { size: 11 });
  }
  for (const [value, label] of [
    [logOdds(clampMax), `p ${clampMax}`],
    [0, "p 0.5"],
    [logOdds(clampMin), `p ${clampMin.toFixed(2)}`],
  ] as const)
    figure.text(left - 6, y(value) + 4, label, { size: 11, anchor: "end" });
  figure.text(right - 6, top + 16, "occupied", { size: 12, anchor: "end" });
  figure.text(right - 6, bottom - 8, "free", { size: 12, anchor: "end" });
  figure.text(right - 6, y(0) + 16, "unknown again", { size: 11, anchor: "end" });
}

const WINDOW_M = 40;
const STEPS = 60;

/** A drive along a bend with walls at both sides, as the bricks that the map still holds at its end. */
function drawWindow(figure: Figure): void {
  const map = new OccupancyMap({ resolutionM: CELL_M, windowM: WINDOW_M });
  const centre = { x: 0, y: 0 };
  const path: { x: number; y: number }[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const heading = step * 0.02;
    centre.x += Math.cos(heading);
    centre.y += Math.sin(heading);
    path.push({ ...centre });
    const xyz = new Float32Array(120 * 3);
    for (let i = 0; i < 120; i += 1) {
      const [along, side] = [(i >> 1) * 0.25, i % 2 === 0 ? 5.5 : -5.5];
      xyz[3 * i] = centre.x + Math.cos(heading) * along - Math.sin(heading) * side;
      xyz[3 * i + 1] = centre.y + Math.sin(heading) * along + Math.cos(heading) * side;
      xyz[3 * i + 2] = 0.25;
    }
    map.insertPoints({ count: 120, xyz }, [centre.x, centre.y, 0.25], BigInt(step) * FRAME_NS);
  }
  const brickM = BRICK_EDGE * CELL_M;
  const [left, top, scale] = [610, 316, 4.4];
  const px = (metres: number) => left + (metres + 4) * scale;
  const py = (metres: number) => top - (metres + 10) * scale;
  figure.text(left, 30, "The window: bricks that are far are dropped", { size: 15 });
  const { store, window } = map;
  for (let slot = 0; slot < store.count; slot += 1) {
    const [bx, by] = [store.bx[slot]!, store.by[slot]!].map((brick) => (brick * BRICK_EDGE - ROOT_KEY) * CELL_M);
    figure.rect(px(bx!), py(by! + brickM), brickM * scale, brickM * scale, ink.free, `stroke="${ink.page}"`);
  }
  for (let i = 0; i < 160; i += 1) {
    for (let j = 0; j < 160; j += 1) {
      const [x, y] = [-10 + i * CELL_M + 0.25, -14 + j * CELL_M + 0.25];
      if (map.stateAt(x, y, 0.25) === 2) figure.rect(px(x) - 1, py(y) - 1, 2.4, 2.4, ink.occupied);
    }
  }
  const edge = (2 * window.halfBricks + 1) * brickM;
  const corner = [window.centreX, window.centreY].map(
    (brick) => ((brick - window.halfBricks) * BRICK_EDGE - ROOT_KEY) * CELL_M,
  );
  figure.rect(
    px(corner[0]!),
    py(corner[1]! + edge),
    edge * scale,
    edge * scale,
    "none",
    `stroke="${ink.line}" stroke-dasharray="4 4"`,
  );
  figure.line(
    path.map((at) => [px(at.x), py(at.y)] as const),
    ink.text,
    1.5,
  );
  figure.dot(px(centre.x), py(centre.y), 4, ink.text);
  figure.text(left, 344, `${store.count} bricks of 8 x 8 x 8 cells held, 2 KiB each`, { size: 11 });
}
