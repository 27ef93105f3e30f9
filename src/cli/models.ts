import { Command } from "commander";
import { modelSummary, shippedModels, stereoModelFolder } from "./model-folder.ts";
import { tryModel } from "./model-trial.ts";
import { importCommand } from "./models-import.ts";

const SIZE = { width: 320, height: 160 };

/** `voxelguard models list | verify | import`. */
export function modelsCommand(): Command {
  const models = new Command("models").description("list the networks that ship, check one, add a detector");
  models.addCommand(listCommand());
  models.addCommand(verifyCommand());
  models.addCommand(importCommand());
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
      const { name, sha256, loadMs: load_ms, runMs: run_ms } = await tryModel(folder, SIZE);
      const files = (await modelSummary(folder))?.files ?? [];
      if (json) return print(JSON.stringify({ name, folder, sha256, files, load_ms, run_ms }));
      print(`${name} in ${folder} is whole`);
      print(`sha256 ${sha256}`);
      for (const file of files) print(`  ${file.name}  ${file.bytes} bytes`);
      print(
        `loads in ${load_ms.toFixed(0)} ms, answers a made-up pair of ${SIZE.width} x ${SIZE.height} in ${run_ms.toFixed(1)} ms`,
      );
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
