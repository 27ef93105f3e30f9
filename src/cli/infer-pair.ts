import type { StereoConfig } from "../config/stereo-schema.ts";
import type { StereoCalibration } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import { FREE, OCCUPIED, type OctreeFrame, UNKNOWN } from "../core/occupancy.ts";
import type { AnswerWants, RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import type { CalibrationFile } from "../io/calibration-file.ts";
import { readPicture } from "../io/picture-file.ts";
import { greyOfRgbInto } from "../msg/image-layout.ts";
import { PairCalibrator } from "../pipeline/frames-calibrate.ts";
import { decodeLimits } from "../pipeline/stereo-options.ts";
import { makeOctreeDecoder } from "../stereo/decode-octree.ts";

/** A pair from files, ready for the model. */
export interface LoadedPair {
  /** Rectified left image with its colours, where it has any. */
  readonly left: Image;
  /** Grey, rectified. */
  readonly pair: RectifiedPair;
}

/**
 * Reads two pictures and rectifies them where the calibration says that they are raw. Throws `Fault` IMAGE_*, CALIBRATION_INVALID, or IMAGE_SHAPE when a picture has not the calibration's size.
 */
export async function loadPair(
  leftPath: string,
  rightPath: string,
  calibration: Pick<CalibrationFile, "stereo"> & Partial<CalibrationFile>,
): Promise<LoadedPair> {
  const [left, right] = await Promise.all([readPicture(leftPath), readPicture(rightPath)]);
  checkSize(left, leftPath, calibration.stereo);
  checkSize(right, rightPath, calibration.stereo);
  const pair = rectified(left, right, calibration);
  return { left: pair.left, pair: { ...pair, left: greyOf(pair.left), right: greyOf(pair.right) } };
}

function rectified(
  left: Image,
  right: Image,
  { stereo, left: leftInfo, right: rightInfo }: Pick<CalibrationFile, "stereo"> & Partial<CalibrationFile>,
): RectifiedPair {
  const header = { stampNs: 0n, frameId: "" };
  if (leftInfo === undefined || rightInfo === undefined) return { ...header, left, right, calibration: stereo };
  const calibrator = new PairCalibrator({ rectify: "auto", rectifiedByName: undefined });
  calibrator.add("left", leftInfo);
  calibrator.add("right", rightInfo);
  const result = calibrator.calibrate({ left: { ...header, image: left }, right: { ...header, image: right } });
  if (result.kind === "ok") return result.pair;
  const { code, message } = result.reason;
  throw new Fault(message, { code, remedy: "Give the calibration that belongs to these pictures." });
}

function checkSize(image: Image, path: string, { width, height }: StereoCalibration): void {
  if (image.width === width && image.height === height) return;
  throw new Fault(
    `${path} has ${image.width} x ${image.height} pixels, the calibration is for ${width} x ${height} pixels`,
    {
      code: "IMAGE_SHAPE",
      remedy: "Give the calibration of these pictures, or the pictures as the camera delivers them.",
    },
  );
}

function greyOf(image: Image): Image {
  if (image.channels === 1) return image;
  const { width, height, data } = image;
  const grey = new Uint8Array(width * height);
  greyOfRgbInto(grey, data);
  return { width, height, channels: 1, data: grey };
}

export type InferSettings = Pick<StereoConfig, "voxel_size" | "occupancy_threshold" | "free_threshold" | "max_range">;

export interface Inferred {
  /** Valid until the next call of the same function. */
  readonly frame: OctreeFrame;
  /** Milliseconds: `match`, `network`, `octree` and, of all of it, `total`. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** The product on one pair: a function that runs the model and decodes its answer. */
export function makeInfer(model: StereoModel, settings: InferSettings): (pair: RectifiedPair) => Promise<Inferred> {
  const decode = makeOctreeDecoder(model.grid(settings.voxel_size), model.keep);
  const limits = decodeLimits(settings);
  return async (pair) => {
    const began = performance.now();
    const answer = await answerTo(model, pair, settings.voxel_size);
    const answered = performance.now();
    const frame = decode(answer, pair.calibration, limits);
    const done = performance.now();
    return { frame, stagesMs: { ...answer.stagesMs, octree: done - answered, total: done - began } };
  };
}

/** The answer to a pair of a model that is asked one thing at a time. */
export async function answerTo(
  model: StereoModel,
  pair: RectifiedPair,
  voxelSizeM: number,
  wants?: AnswerWants,
): Promise<StereoAnswer> {
  const answer = await model.run(pair, voxelSizeM, wants);
  if (answer === undefined) throw new Error("the model left out a pair though nothing else was asked of it");
  return answer;
}

export interface CellCounts {
  readonly cells: number;
  readonly occupied: number;
  readonly free: number;
  readonly unknown: number;
}

export function countCells({ count, state }: OctreeFrame): CellCounts {
  const counts = [0, 0, 0];
  for (let i = 0; i < count; i += 1) counts[state[i]!]! += 1;
  return { cells: count, occupied: counts[OCCUPIED]!, free: counts[FREE]!, unknown: counts[UNKNOWN]! };
}
