/**
 * Makes build/centernet, the default detector, from npm @vladmandic/human (MIT; the weights stay in that package and are
 * converted on each machine, not passed on). `tools/setup.mjs` runs it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cocoNames } from "../../src/detect/coco.ts";
import { heads } from "../../src/detect/heads.ts";
import type { DetectorManifest } from "../../src/infer/detector-manifest.ts";
import { encodeOnnx } from "../../src/infer/onnx-file.ts";
import { centernetGraph } from "./centernet-graph.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const source = join(root, "node_modules/@vladmandic/human");
const folder = join(root, "build/centernet");

const read = (path: string) => readFileSync(join(source, path));
const { version } = JSON.parse(read("package.json").toString());
const graph = encodeOnnx(
  centernetGraph(JSON.parse(read("models/centernet.json").toString()), read("models/centernet.bin")),
);
const { input, scoreThreshold, iouThreshold } = heads.centernet;
const manifest: DetectorManifest = {
  name: "centernet",
  version,
  kind: "centernet",
  graph: { file: "model.onnx", sha256: createHash("sha256").update(graph).digest("hex") },
  input: { name: "image", width: 512, height: 512, multiple: 32, ...input, mean: [0, 0, 0], std: [1, 1, 1] },
  outputs: ["heat", "size"],
  tap: { name: "tap", stride: 4 },
  classes: [...cocoNames],
  score_threshold: scoreThreshold,
  iou_threshold: iouThreshold,
  threads: 2,
};
mkdirSync(folder, { recursive: true });
write("model.onnx", graph);
write("manifest.json", `${JSON.stringify(manifest, undefined, 2)}\n`);

function write(name: string, content: Uint8Array | string): void {
  writeFileSync(join(folder, `${name}.tmp`), content);
  renameSync(join(folder, `${name}.tmp`), join(folder, name));
}
