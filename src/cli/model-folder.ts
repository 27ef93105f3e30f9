import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StereoConfig } from "../config/stereo-schema.ts";
import { Fault } from "../core/fault.ts";
import type { StereoModel } from "../core/ports.ts";
import { openStereoModel } from "../infer/stereo-model.ts";
import { packageRoot } from "./package-root.ts";

/** Folder of the stereo model: the one given, else the one that ships. */
export function stereoModelFolder(given: string | undefined): string {
  return given === undefined || given === "" ? join(packageRoot(), "models", "octree-stereo") : given;
}

/** Folder of the detector: the one given, else the one that set-up makes. Throws `Fault` MODEL_MISSING. */
export async function detectorFolder(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const folder = join(packageRoot(), "build", "centernet");
  if ((await stat(join(folder, "manifest.json")).catch(() => undefined)) !== undefined) return folder;
  throw new Fault(`There is no default detector: ${folder} is missing.`, {
    code: "MODEL_MISSING",
    remedy: "In a clone run `npm run setup`; else name a folder with --model, made by `voxelguard models import`.",
  });
}

/** The model that the configuration names, or the one that ships, with the threads that it says. */
export async function openModel(config: StereoConfig): Promise<StereoModel> {
  return await openStereoModel(stereoModelFolder(config.model_path), { threads: config.intra_op_threads });
}

export interface ModelFile {
  readonly name: string;
  readonly bytes: number;
}

/** What a manifest says of its model, whatever kind it is; `undefined` where it cannot be read. */
export interface ModelSummary {
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly files: readonly ModelFile[];
}

export async function modelSummary(folder: string): Promise<ModelSummary | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Record<string, unknown>;
    const files: ModelFile[] = [];
    for (const part of Object.values(manifest)) {
      const name = (part as { file?: unknown } | null)?.file;
      if (typeof name !== "string") continue;
      const found = await stat(join(folder, name)).catch(() => undefined);
      files.push({ name, bytes: found?.size ?? 0 });
    }
    const text = (key: string) => String(manifest[key] ?? "unknown");
    return { name: text("name"), version: text("version"), kind: text("kind"), files };
  } catch {
    return undefined;
  }
}

/** Folders of the models that ship, sorted. */
export async function shippedModels(): Promise<string[]> {
  const root = join(packageRoot(), "models");
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
    .sort();
}
