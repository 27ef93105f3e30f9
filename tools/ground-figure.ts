/**
 * Draws the 2D grid of a recorded drive by the height band and by the ground that the robot can reach, beside the first left
 * image: `npx tsx tools/ground-figure.ts BAG OUT.png [VOXEL_SIZE]`. The figure of docs/map.md:
 *
 *     cd training && python -m voxeltrain.ramps --out /tmp/ramps && cd ..
 *     npx tsx tools/make-demo-bag.ts /tmp/ramps /tmp/ramps.mcap
 *     npx tsx tools/ground-figure.ts /tmp/ramps.mcap docs/images/ground.png
 */
import sharp from "sharp";
import { openModel } from "../src/cli/model-folder.ts";
import { replay } from "../src/cli/replay-run.ts";
import { defaultsOf } from "../src/config/parse.ts";
import { stereoSchema } from "../src/config/stereo-schema.ts";
import { Health } from "../src/core/health.ts";
import { GroundProjector } from "../src/octree/ground.ts";
import { GRID_FREE, GRID_OCCUPIED, makeProjection, type Projection, projectInto } from "../src/octree/project.ts";
import type { MapStep } from "../src/pipeline/map-steps.ts";

const [bag, out, voxelSize = "0.1"] = process.argv.slice(2);
if (bag === undefined || out === undefined) throw new Error("usage: ground-figure.ts BAG OUT.png [VOXEL_SIZE]");

const PANEL = { width: 420, height: 420, gap: 12, title: 34 };
const [BEHIND_M, AHEAD_M] = [0.5, 5.5];
/** Of the robot: the bar of voxeltrain.ramps hangs higher. */
const HEIGHT_M = 1.2;
const colours = {
  free: [46, 160, 110],
  occupied: [222, 82, 70],
  unknown: [40, 43, 56],
  robot: [255, 255, 255],
} as const;

const config = { ...defaultsOf(stereoSchema), voxel_size: Number(voxelSize), max_range: Number(voxelSize) * 64 };
const model = await openModel(config);
const [band, ground] = [makeProjection(), makeProjection()];
const projector = new GroundProjector();
let image: Buffer | undefined;
let robot = { x: 0, y: 0 };

const onStep = async ({ pair, map, T_fixed_base: T }: MapStep) => {
  if (T === undefined) throw new Error("the bag tells no pose of the base");
  const { width, height, data } = pair.left;
  image ??= await sharp(data.slice(0, width * height), { raw: { width, height, channels: 1 } })
    .resize({ height: PANEL.height })
    .extract({ left: Math.round((PANEL.height * width) / height / 2) - 340, top: 0, width: 680, height: PANEL.height })
    .png()
    .toBuffer();
  robot = { x: T[3]!, y: T[7]! };
  projectInto(band, map, T[11]! + config.min_height, T[11]! + HEIGHT_M);
  projector.projectInto(ground, map, T, {
    maxStepM: config["ground.max_step"],
    maxSlopeDeg: config["ground.max_slope"],
    clearanceM: HEIGHT_M,
  });
};
await replay({ bag, topics: {}, config, model, health: new Health(), onStep });
await model.close();

/** x up, y to the left, the robot below the middle. */
function panelOf(grid: Projection): { rgb: Buffer; counts: Record<string, number> } {
  const rgb = Buffer.alloc(PANEL.width * PANEL.height * 3);
  const metrePx = PANEL.height / (AHEAD_M + BEHIND_M);
  const counts = { free: 0, occupied: 0, unknown: 0 };
  for (let v = 0; v < PANEL.height; v += 1) {
    for (let u = 0; u < PANEL.width; u += 1) {
      const x = robot.x + AHEAD_M - (v + 0.5) / metrePx;
      const y = robot.y - (u + 0.5 - PANEL.width / 2) / metrePx;
      const column = Math.floor((x - grid.originXM) / grid.resolutionM);
      const row = Math.floor((y - grid.originYM) / grid.resolutionM);
      const value = grid.data[row * grid.width + column];
      const name = value === GRID_OCCUPIED ? "occupied" : value === GRID_FREE ? "free" : "unknown";
      counts[name] += 1;
      const isRobot = Math.hypot(x - robot.x, y - robot.y) < 0.12;
      rgb.set(isRobot ? colours.robot : colours[name], (v * PANEL.width + u) * 3);
    }
  }
  return { rgb, counts };
}

const panels = [band, ground].map(panelOf);
const width = 680 + 2 * (PANEL.width + PANEL.gap);
const text = (x: number, words: string) =>
  `<text x="${x}" y="24" font-family="DejaVu Sans" font-size="18" fill="#e6e9f0">${words}</text>`;
const at = (n: number) => 680 + PANEL.gap + n * (PANEL.width + PANEL.gap);
const words = text(4, "left image") + text(at(0), "height band") + text(at(1), "ground.follow");
const svg = Buffer.from(`<svg width="${width}" height="${PANEL.title}">${words}</svg>`);
const raw = { width: PANEL.width, height: PANEL.height, channels: 3 } as const;
await sharp({
  create: { width, height: PANEL.height + PANEL.title, channels: 3, background: { r: 17, g: 20, b: 27 } },
})
  .composite([
    { input: svg, left: 0, top: 0 },
    { input: image!, left: 0, top: PANEL.title },
    ...panels.map(({ rgb }, n) => ({ input: rgb, raw, left: at(n), top: PANEL.title })),
  ])
  .png({ compressionLevel: 9, palette: true })
  .toFile(out);
for (const [n, { counts }] of panels.entries()) console.log(n === 0 ? "height band" : "ground.follow", counts);
