import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { StereoCalibration } from "../core/calibration.ts";
import { Fault, messageOf } from "../core/fault.ts";
import { readCalibration } from "./calibration-file.ts";
import { arrayOf, readNpz } from "./npz.ts";

/** What a pair folder knows of the true scene. */
export type PairTruth =
  /** Row-major, pixels of the left view; NaN or <= 0 = unknown. */
  | { readonly kind: "disparity"; readonly width: number; readonly height: number; readonly disparityPx: Float32Array }
  /** xyz[3 i..], metres, left optical frame. */
  | { readonly kind: "points"; readonly xyz: Float64Array };

/** What kind of scene, in what light, by what cameras; free words. */
export type PairTags = Readonly<Partial<Record<(typeof tagNames)[number], string>>>;
export const tagNames = ["kind", "lighting", "rig"] as const;

/** Dense labels of every leaf of the grid: 0 unknown, 1 free, 2 occupied, 3 out of view; index (x * sizeY + y) * sizeZ + z. */
export interface PairLabels {
  readonly size: readonly [number, number, number];
  readonly voxelSizeM: number;
  readonly labels: Uint8Array;
}

interface PairFiles {
  readonly name: string;
  readonly path: string;
  readonly leftPath: string;
  readonly rightPath: string;
  readonly tags: PairTags;
}

export interface PairFolder extends PairFiles {
  readonly calibration: StereoCalibration;
  readonly truth: PairTruth | undefined;
  readonly labels: PairLabels | undefined;
}

/** A pair whose metres are unknown or approximate: only disparities can be measured. */
export interface ScalelessPair extends PairFiles {
  readonly truth: Extract<PairTruth, { kind: "disparity" }>;
}

/** `skipped`: a pair of which nothing can be measured, with the reason in words. */
export type PairEntry =
  | { readonly kind: "pair"; readonly pair: PairFolder }
  | { readonly kind: "scaleless"; readonly pair: ScalelessPair }
  | { readonly kind: "skipped"; readonly name: string; readonly reason: string };

const picture = (eye: string) => new RegExp(`^${eye}\\.(png|jpe?g|webp|tiff?)$`, "i");

/**
 * The folders below `folder` that hold a left picture, sorted by name; `folder` itself if it does. Throws `Fault`
 * DATASET_INVALID when there are none.
 */
export async function pairFoldersIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  if ((await filesOf(folder)).some((name) => picture("left").test(name))) return [folder];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const path = join(folder, entry.name);
    const names = await filesOf(path).catch(() => []);
    if (names.some((name) => picture("left").test(name))) found.push(path);
  }
  if (found.length > 0) return found;
  throw invalid(`${folder} holds no stereo pair, neither itself nor in its folders`);
}

/**
 * Reads one pair folder: left.*, right.*, calib.json, and where they are gt_disparity.npz (array `disparity`) or lidar.npz
 * (array `points`), disparity preferred, and gt_labels.npz (arrays `labels` uint8 [x, y, z], `voxel_size_m` [1]). Tags
 * stand in calib.json or in meta.json, which wins. Throws `Fault` DATASET_INVALID, CALIBRATION_*.
 */
export async function readPairFolder(path: string): Promise<PairEntry> {
  const name = basename(resolve(path));
  const names = await filesOf(path);
  const leftPath = join(path, eyeOf(names, "left", path));
  const rightPath = join(path, eyeOf(names, "right", path));
  const calibrationPath = join(path, "calib.json");
  const said = await objectIn(calibrationPath);
  const files = {
    name,
    path,
    leftPath,
    rightPath,
    tags: tagsOf({ ...said, ...(await objectIn(join(path, "meta.json"))) }),
  };
  const truth = await readTruth(path, names);
  if (isWithoutMetres(said)) {
    if (truth?.kind === "disparity") return { kind: "scaleless", pair: { ...files, truth } };
    return { kind: "skipped", name, reason: "its calibration has no metric scale (focal length or baseline unknown)" };
  }
  const calibration = (await readCalibration({ json: calibrationPath })).stereo;
  const labels = names.includes("gt_labels.npz") ? await readLabels(join(path, "gt_labels.npz")) : undefined;
  return { kind: "pair", pair: { ...files, calibration, truth, labels } };
}

async function readLabels(file: string): Promise<PairLabels> {
  const arrays = await readNpz(file);
  const { shape, data } = arrayOf(arrays, "labels", 3, file);
  const voxelSizeM = arrayOf(arrays, "voxel_size_m", 1, file).data[0]!;
  const labels = Uint8Array.from(data);
  if (!(voxelSizeM > 0) || labels.some((label) => label > 3)) {
    throw invalid(`${file}: wanted labels 0 to 3 and a voxel size above 0`);
  }
  return { size: [shape[0]!, shape[1]!, shape[2]!], voxelSizeM, labels };
}

async function readTruth(path: string, names: readonly string[]): Promise<PairTruth | undefined> {
  if (names.includes("gt_disparity.npz")) {
    const file = join(path, "gt_disparity.npz");
    const { shape, data } = arrayOf(await readNpz(file), "disparity", 2, file);
    return { kind: "disparity", height: shape[0]!, width: shape[1]!, disparityPx: Float32Array.from(data) };
  }
  if (names.includes("lidar.npz")) {
    const file = join(path, "lidar.npz");
    const { shape, data } = arrayOf(await readNpz(file), "points", 2, file);
    if (shape[1] !== 3) throw invalid(`${file}: points have ${shape[1]} columns, wanted 3`);
    return { kind: "points", xyz: Float64Array.from(data) };
  }
  return undefined;
}

/** A calib.json that says so itself, or leaves focal length or baseline empty. Unreadable ones are not judged here. */
function isWithoutMetres({ metric, fx, baseline_m }: Readonly<Record<string, unknown>>): boolean {
  return metric === false || metric === "approximate" || fx === null || baseline_m === null;
}

/** Empty where the file is absent or no JSON object. */
async function objectIn(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return Object(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return {};
  }
}

function tagsOf(said: Readonly<Record<string, unknown>>): PairTags {
  return Object.fromEntries(tagNames.flatMap((tag) => (typeof said[tag] === "string" ? [[tag, said[tag]]] : [])));
}

function eyeOf(names: readonly string[], eye: string, path: string): string {
  const found = names.filter((name) => picture(eye).test(name));
  if (found.length === 1) return found[0]!;
  throw invalid(`${path} holds ${found.length === 0 ? "no" : found.join(", ")} as its ${eye} picture, wanted one`);
}

async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((thrown: unknown) => {
    throw invalid(`Cannot open the folder ${folder} (${messageOf(thrown)})`);
  });
}

function invalid(message: string): Fault {
  return new Fault(message, {
    code: "DATASET_INVALID",
    remedy: "A pair folder holds left.png, right.png (or .jpg, ...), calib.json and gt_disparity.npz or lidar.npz.",
  });
}
