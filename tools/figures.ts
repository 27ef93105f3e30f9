/**
 * Draws the figures of docs/how-*.md with the product's own code: `npm run figures`. The SVG files come out the same on every
 * machine and are held against the code by test/docs/figures.test.ts; how-octree.png and how-defence.png come from the model
 * and from a picture of the demo drive.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { demoBag, loadDrive } from "../bench/support/drive.ts";
import { root } from "../bench/support/report.ts";
import { Fault } from "../src/core/fault.ts";
import { openStereoModel } from "../src/infer/stereo-model.ts";
import { openBag } from "../src/io/bag.ts";
import { findImageTopic, imageSource } from "../src/io/bag-image.ts";
import { defenceFigure } from "./figures/defence.ts";
import { drawnFigures } from "./figures/drawn.ts";
import { octreeFigure } from "./figures/octree.ts";

/** Frames into the demo drive. */
const FRAME = 40;
const folder = join(root, "docs/images");
mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries(drawnFigures)) writeFileSync(join(folder, name), draw());

const model = await openStereoModel(join(root, "models/octree-stereo"));
const pairs = await loadDrive(demoBag, 2, FRAME);
const octree = await octreeFigure(model, pairs[1]!);
await sharp(Buffer.from(octree)).png({ palette: true }).toFile(join(folder, "how-octree.png"));
await model.close();

const bag = await openBag(demoBag);
let n = 0;
for await (const found of imageSource(bag, findImageTopic(bag.topics), "rgb")) {
  if (found instanceof Fault) throw found;
  if (n++ < FRAME) continue;
  const { data, width, height } = found.image;
  writeFileSync(join(folder, "how-defence.png"), await defenceFigure(Buffer.from(data), width, height));
  break;
}
await bag.close();
