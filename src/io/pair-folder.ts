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

export interface PairFolder {
  readonly name: string;
  readonly path: string;
  readonly leftPath: string;
  readonly rightPath: string;
  readonly calibration: StereoCalibration;
  readonly truth: PairTruth | undefined;
}

/** `skipped`: a pair that cannot be measured in metres, with the reason in words. */
export type PairEntry =
  | { readonly kind: "pair"; readonly pair: PairFolder }
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
 * Reads one pair folder: left.*, right.*, calib.json, and gt_disparity.npz (array `disparity`) or lidar.npz (array
 * `points`) where they are; disparity is preferred. Throws `Fault` DATASET_INVALID, CALIBRATION_*.
 */
export async function readPairFolder(path: string): Promise<PairEntry> {
  const name = basename(resolve(path));
  const names = await filesOf(path);
  const leftPath = join(path, eyeOf(names, "left", path));
  const rightPath = join(path, eyeOf(names, "right", path));
  const calibrationPath = join(path, "calib.json");
  if (await isWithoutMetres(calibrationPath)) {
    return { kind: "skipped", name, reason: "its calibration has no metric scale (focal length or baseline unknown)" };
  }
  const calibration = (await readCalibration({ json: calibrationPath })).stereo;
  const truth = await readTruth(path, names);
  return { kind: "pair", pair: { name, path, leftPath, rightPath, calibration, truth } };
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
async function isWithoutMetres(path: string): Promise<boolean> {
  try {
    const json = JSON.parse(await readFile(path, "utf8"));
    return json?.metric === false || json?.fx === null || json?.baseline_m === null;
  } catch {
    return false;
  }
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
