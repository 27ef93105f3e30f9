import { Command } from "commander";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { openStereoModel } from "../infer/stereo-model.ts";
import { modelSummary, shippedModels, stereoModelFolder } from "./model-folder.ts";

/** `voxelguard models list | verify`. */
export function modelsCommand(): Command {
  const models = new Command("models").description("list the networks that ship, check that one is whole and runs");
  models.addCommand(listCommand());
  models.addCommand(verifyCommand());
  return models;
}

function listCommand(): Command {
  return new Command("list")
    .description("list the networks that ship with voxelguard")
    .option("--json", "print one JSON object")
    .action(async ({ json }: { json?: boolean }) => {
      const models = [];
      for (const folder of await shippedModels()) {
        const summary = await modelSummary(folder);
        if (summary !== undefined) models.push({ ...summary, folder });
      }
      if (json) return print(JSON.stringify({ models }));
      if (models.length === 0) return print("no models");
      for (const { name, version, kind, folder, files } of models) {
        print(`${name} ${version}  ${kind}  ${megabytes(sum(files))}  ${folder}`);
      }
    });
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("check a network: file hashes, whether it loads, and what it says of a made-up pair")
    .argument("[folder]", "folder of the model (default: the one that ships)")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  voxelguard models verify\n  voxelguard models verify my-models/street-v2\n")
    .action(async (given: string | undefined, { json }: { json?: boolean }) => {
      const folder = stereoModelFolder(given);
      const report = await verify(folder);
      if (json) return print(JSON.stringify(report));
      const { name, sha256, files, load_ms, run_ms } = report;
      print(`${name} in ${folder} is whole`);
      print(`sha256 ${sha256}`);
      for (const file of files) print(`  ${file.name}  ${file.bytes} bytes`);
      print(
        `loads in ${load_ms.toFixed(0)} ms, answers a made-up pair of ${WIDTH} x ${HEIGHT} in ${run_ms.toFixed(1)} ms`,
      );
    });
}

async function verify(folder: string) {
  const began = performance.now();
  const model = await openStereoModel(folder);
  const loadMs = performance.now() - began;
  try {
    const pair = madeUpPair();
    await model.run(pair, VOXEL_M);
    const ran = performance.now();
    const answer = await model.run(pair, VOXEL_M);
    const runMs = performance.now() - ran;
    checkAnswer(answer, model, folder);
    const files = (await modelSummary(folder))?.files ?? [];
    return { name: model.name, folder, sha256: model.sha256, files, load_ms: loadMs, run_ms: runMs };
  } finally {
    await model.close();
  }
}

const WIDTH = 320;
const HEIGHT = 160;
const VOXEL_M = 0.5;
const SHIFT_PX = 16;

/** A wall of random dots: the right image is the left one moved by whole pixels. */
function madeUpPair(): RectifiedPair {
  const left: Image = { width: WIDTH, height: HEIGHT, channels: 1, data: new Uint8Array(WIDTH * HEIGHT) };
  // xorshift32 (Marsaglia, 2003): the same dots on every machine.
  let seed = 2463534242;
  for (let i = 0; i < left.data.length; i += 1) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    left.data[i] = seed & 255;
  }
  const right = { ...left, data: new Uint8Array(left.data.length) };
  for (let i = 0; i < right.data.length; i += 1)
    right.data[i] = left.data[Math.min(i + SHIFT_PX, right.data.length - 1)]!;
  const calibration = { width: WIDTH, height: HEIGHT, fx: 320, fy: 320, cx: 160, cy: 80, baselineM: 0.5, doffsPx: 0 };
  return { stampNs: 0n, frameId: "", left, right, calibration };
}

/** Every level of the grid, indices inside it, probabilities that are ones. Throws `Fault` MODEL_MISMATCH. */
function checkAnswer(answer: StereoAnswer | undefined, model: StereoModel, folder: string): void {
  const grid = model.grid(VOXEL_M);
  let why =
    answer?.levels.length === grid.levels ? undefined : `${answer?.levels.length} levels, wanted ${grid.levels}`;
  for (const [level, { index, p }] of (answer?.levels ?? []).entries()) {
    for (let i = 0; i < index.length; i += 1) {
      const cells = grid.size[i % 3]! >> (grid.levels - 1 - level);
      if (!(index[i]! >= 0 && index[i]! < cells))
        why ??= `index ${index[i]} on level ${level}, wanted 0 to ${cells - 1}`;
      if (!(p[i]! >= 0 && p[i]! <= 1.0001)) why ??= `probability ${p[i]} on level ${level}, wanted 0 to 1`;
    }
  }
  if ((answer?.levels[0]?.index.length ?? 0) === 0) why ??= "no cell at all, wanted those in view";
  if (why === undefined) return;
  throw new Fault(`The model in ${folder} answers a made-up pair with ${why}.`, {
    code: "MODEL_MISMATCH",
    remedy: "Export the model again (training/voxeltrain/export.py), or reinstall voxelguard.",
  });
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
