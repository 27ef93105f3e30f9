import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { Fault, messageOf } from "../core/fault.ts";
import { cocoNames } from "../detect/coco.ts";
import { type DetectorKind, detectorKinds, type Head, heads } from "../detect/heads.ts";
import { fits, inputMismatch, isOpen, outputMismatch, type TensorInfo } from "../infer/check-detector.ts";
import type { DetectorManifest } from "../infer/detector-manifest.ts";
import { inspectGraph } from "../infer/sessions.ts";
import { writeWhole } from "../io/write-whole.ts";

interface ImportFlags {
  readonly kind: DetectorKind;
  readonly out: string;
  readonly classes?: string;
  readonly json?: boolean;
}

const help = `
Kinds, and what their own exporters give:
  yolox         [1, cells, 5 + classes], not decoded (export without --decode_in_inference)
  nanodet       scores and distances for strides 8, 16, 32
  nanodet-plus  one output [1, cells, classes + 32]
  picodet       scores and distances for strides 8, 16, 32, 64, without post-processing
  fastestdet    [1, 5 + classes, height / 16, width / 16]
  centernet     heat map and box sides at stride 4
The folder then holds the graph and a manifest.json, in which colours, mean, std and thresholds can be changed.

Example:
  voxelguard models import yolox_nano.onnx --kind yolox --out my-models/yolox
  voxelguard detect street.jpg --model my-models/yolox
`;

/** `voxelguard models import`: an ONNX file -> a folder that `detect --model` takes. */
export function importCommand(): Command {
  return new Command("import")
    .description("make a detector's folder from an ONNX file, after checking that it fits")
    .argument("<file>", "the .onnx file, weights inside")
    .addOption(new Option("--kind <kind>", "how its answers are read").choices(detectorKinds).makeOptionMandatory())
    .requiredOption("--out <folder>", "where the graph and its manifest go; made if it is not there")
    .option("--classes <file>", "text file, one class name a line (default: COCO's 80)")
    .option("--json", "print one JSON object")
    .addHelpText("after", help)
    .action(async (file: string, flags: ImportFlags) => {
      const manifest = await importDetector(file, flags);
      const { name, kind, input, classes } = manifest;
      const text = `${name}: ${kind}, ${input.width} x ${input.height}, ${classes.length} classes -> ${flags.out}`;
      process.stdout.write(`${flags.json ? JSON.stringify({ folder: flags.out, manifest }) : text}\n`);
    });
}

async function importDetector(file: string, { kind, out, classes: classFile }: ImportFlags): Promise<DetectorManifest> {
  const graph = await read(file);
  const classes = classFile === undefined ? [...cocoNames] : await readNames(classFile);
  const { inputs, outputs } = await inspectGraph(graph).catch((cause) => {
    throw new Fault(`${file} is no ONNX graph that runs: ${messageOf(cause)}`, {
      code: "MODEL_CORRUPT",
      remedy: "Give a whole .onnx file with its weights inside, of opset 22 or lower.",
      cause,
    });
  });
  const head: Head = heads[kind];
  const [image] = inputs;
  if (inputs.length !== 1 || image === undefined) {
    throw mismatch(file, kind, `it has ${inputs.length} inputs, wanted one image`);
  }
  const canvas = canvasOf(file, kind, image, head);
  const { input } = head;
  const ordered = order(outputs, head, classes.length, canvas);
  const names = ordered.map(({ name }) => name);
  const why =
    inputMismatch(image, image.name, input, canvas) ?? outputMismatch(ordered, names, head, classes.length, canvas);
  if (why !== undefined) throw mismatch(file, kind, why);
  const name = basename(file).replace(/\.onnx$/i, "");
  const sha256 = createHash("sha256").update(graph).digest("hex");
  const manifest: DetectorManifest = {
    name,
    version: sha256.slice(0, 8),
    kind,
    graph: { file: "model.onnx", sha256 },
    input: { name: image.name, ...canvas, ...input, mean: three(input.mean), std: three(input.std) },
    outputs: names,
    classes,
    score_threshold: head.scoreThreshold,
    iou_threshold: head.iouThreshold,
    threads: 2,
  };
  await writeWhole(join(out, "model.onnx"), graph);
  await writeWhole(join(out, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

/** Size of the graph's input. */
function canvasOf(file: string, kind: DetectorKind, { name, dims }: TensorInfo, { input }: Head) {
  const [height, width] = input.layout === "nchw" ? dims.slice(2) : dims.slice(1);
  if (dims.length !== 4 || height === undefined || width === undefined) {
    throw mismatch(file, kind, `its input ${name} has ${dims.length} dimensions, wanted 4`);
  }
  if (!isOpen(height) && !isOpen(width)) return { width: Number(width), height: Number(height) };
  if (kind === "centernet") return { width: 512, height: 512, multiple: 32 };
  throw new Fault(`${file} leaves the size of its input ${name} open ([${dims.join(", ")}])`, {
    code: "MODEL_MISMATCH",
    remedy: "Export it with a fixed height and width.",
  });
}

/** The outputs in the order of the kind, found by their shapes; those that fit nowhere come last. */
function order(outputs: readonly TensorInfo[], head: Head, classes: number, canvas: { width: number; height: number }) {
  const left = [...outputs];
  const found = head.outputs(classes, canvas).flatMap((dims) => {
    const at = left.findIndex((output) => fits(output.dims, ["n", ...dims]));
    return at === -1 ? [] : left.splice(at, 1);
  });
  return found.length === head.outputs(classes, canvas).length ? found : [...found, ...left];
}

function three(values: readonly number[]): [number, number, number] {
  const [a = 0, b = 0, c = 0] = values;
  return [a, b, c];
}

function mismatch(file: string, kind: DetectorKind, why: string): Fault {
  return new Fault(`${file} is no ${kind}: ${why}`, {
    code: "MODEL_MISMATCH",
    remedy:
      "Name another --kind, or its own class names with --classes; `voxelguard models import --help` lists the kinds.",
  });
}

async function readNames(path: string): Promise<string[]> {
  const names = (await read(path))
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim());
  const filled = names.filter((name) => name !== "");
  if (filled.length > 0) return filled;
  throw new Fault(`${path} names no class`, { code: "USAGE", remedy: "Write one class name a line." });
}

async function read(path: string): Promise<Buffer> {
  return await readFile(path).catch((cause) => {
    throw new Fault(`Cannot read ${path} (${messageOf(cause)})`, {
      code: "MODEL_MISSING",
      remedy: "Check the path.",
      cause,
    });
  });
}
