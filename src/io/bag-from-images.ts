import { readFile } from "node:fs/promises";
import type { CameraInfo } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { StampedTransform } from "../core/ports.ts";
import { compose, invert, type Transform } from "../core/transform.ts";
import { writeCameraInfo, writeCompressedImage, writeImage } from "../msg/write-camera.ts";
import { writeTfMessage } from "../msg/write-tf.ts";
import { type CalibrationFile, type CalibrationPaths, readCalibration } from "./calibration-file.ts";
import { compressedSize, decodeCompressed } from "./decode-compressed.ts";
import { listImages, readPoses, readTimestamps, usage } from "./image-files.ts";
import { McapSink } from "./mcap-writer.ts";

export interface FromImagesOptions {
  /** Folder or pattern of each eye; the files are paired in natural order. */
  readonly left: string;
  readonly right: string;
  readonly calibration: CalibrationPaths;
  /** Frames a second, where no `timestamps` file is given. */
  readonly rateHz?: number;
  /** File with one time a frame. */
  readonly timestamps?: string;
  /** File with one camera-to-first-frame pose a frame; becomes /tf. */
  readonly poses?: string;
  /** Height of the left camera over base_link, metres; 0 unless given. */
  readonly cameraHeightM?: number;
  /** sensor_msgs/Image instead of passing the files through as CompressedImage. */
  readonly raw?: boolean;
}

const frames = {
  odom: "odom",
  base: "base_link",
  left: "stereo_left_optical_frame",
  right: "stereo_right_optical_frame",
};

/** Axes of the optical frame (right, down, forward) in base_link (forward, left, up): REP-103. */
const opticalAxes = [0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0] as const;

/**
 * Writes an mcap bag from picture files: per eye `/stereo/<eye>/image_rect[/compressed]` (image_raw where the
 * calibration has distortion) and `camera_info`; `/tf_static` base_link -> left optical -> right optical; with poses
 * `/tf` odom -> base_link, odom being where base_link is at the first frame. Times that start at 0 are moved to 1 s,
 * because ROS reads a stamp of 0 as "latest". Throws `Fault` USAGE, CALIBRATION_*, IMAGE_CORRUPT, OUTPUT_UNWRITABLE.
 */
export async function bagFromImages(out: string, options: FromImagesOptions): Promise<{ readonly pairs: number }> {
  const calibration = await readCalibration(options.calibration);
  const left = await listImages(options.left);
  const right = await listImages(options.right);
  if (left.length !== right.length) {
    throw usage(`${left.length} left images but ${right.length} right ones`, "Give one right image for each left one.");
  }
  const stamps = await stampsOf(options, left.length);
  const poses = options.poses === undefined ? undefined : await readPoses(options.poses);
  if (poses !== undefined && poses.length < left.length) {
    throw usage(`${options.poses} has ${poses.length} poses for ${left.length} pairs`, "Give one line a pair.");
  }
  const sink = await McapSink.open(out, { compression: options.raw === true ? "zstd" : "none" });
  try {
    const writer = new PairWriter(sink, calibration, options);
    await writer.statics(stamps[0] ?? 0n);
    for (const [at, stampNs] of stamps.entries()) {
      const pose = poses?.[at];
      if (pose !== undefined) await writer.pose(stampNs, pose);
      await writer.eye("left", stampNs, left[at] as string);
      await writer.eye("right", stampNs, right[at] as string);
    }
    await sink.close();
  } catch (thrown) {
    await sink.abandon();
    throw thrown;
  }
  return { pairs: left.length };
}

async function stampsOf(options: FromImagesOptions, count: number): Promise<bigint[]> {
  if (options.timestamps === undefined) {
    const rateHz = options.rateHz ?? 10;
    if (!(rateHz > 0)) throw usage(`The rate is ${rateHz} Hz, wanted more than 0`, "Give --rate 10.");
    return Array.from({ length: count }, (_, at) => 1_000_000_000n + BigInt(Math.round((at * 1e9) / rateHz)));
  }
  const stamps = (await readTimestamps(options.timestamps)).slice(0, count);
  if (stamps.length < count) {
    throw usage(`${options.timestamps} has ${stamps.length} times for ${count} pairs`, "Give one line a pair.");
  }
  const back = stamps.findIndex((stamp, at) => at > 0 && stamp <= (stamps[at - 1] as bigint));
  if (back > 0) throw usage(`${options.timestamps}: time ${back + 1} is not after the one before`, "Sort the times.");
  const shift = stamps[0] === 0n ? 1_000_000_000n : 0n;
  return stamps.map((stamp) => stamp + shift);
}

class PairWriter {
  readonly #sink: McapSink;
  readonly #calibration: CalibrationFile;
  readonly #raw: boolean;
  readonly #T_base_left: Transform;
  readonly #imageName: string;

  constructor(sink: McapSink, calibration: CalibrationFile, options: FromImagesOptions) {
    this.#sink = sink;
    this.#calibration = calibration;
    this.#raw = options.raw ?? false;
    this.#T_base_left = Float64Array.of(...opticalAxes, options.cameraHeightM ?? 0);
    const isRectified = [calibration.left, calibration.right].every(isUndistorted);
    this.#imageName = `image_${isRectified ? "rect" : "raw"}${this.#raw ? "" : "/compressed"}`;
    sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");
    if (options.poses !== undefined) sink.addTopic("/tf", "tf2_msgs/msg/TFMessage");
    for (const side of ["left", "right"] as const) {
      sink.addTopic(`/stereo/${side}/camera_info`, "sensor_msgs/msg/CameraInfo");
      sink.addTopic(`/stereo/${side}/${this.#imageName}`, `sensor_msgs/msg/${this.#raw ? "Image" : "CompressedImage"}`);
    }
  }

  async statics(stampNs: bigint): Promise<void> {
    const { left, right, stereo } = this.#calibration;
    const baseline = Float64Array.of(1, 0, 0, stereo.baselineM, 0, 1, 0, 0, 0, 0, 1, 0);
    // R turns a raw eye into the common rectified one, in which the right eye is one baseline to the right.
    const T_left_right = compose(invert(rotation(left.r)), compose(baseline, rotation(right.r)));
    const transforms = [
      edge(stampNs, frames.base, frames.left, this.#T_base_left, true),
      edge(stampNs, frames.left, frames.right, T_left_right, true),
    ];
    await this.#sink.write("/tf_static", stampNs, writeTfMessage(transforms));
  }

  async pose(stampNs: bigint, T_first_left: Transform): Promise<void> {
    const T_odom_base = compose(this.#T_base_left, compose(T_first_left, invert(this.#T_base_left)));
    const transform = edge(stampNs, frames.odom, frames.base, T_odom_base, false);
    await this.#sink.write("/tf", stampNs, writeTfMessage([transform]));
  }

  async eye(side: "left" | "right", stampNs: bigint, path: string): Promise<void> {
    const header = { stampNs, frameId: frames[side] };
    const data = await readFile(path);
    const info = this.#calibration[side];
    const { width, height, format } = await compressedSize(data, path);
    if (width !== info.width || height !== info.height) {
      throw new Fault(`${path} is ${width} x ${height} pixels, the calibration is for ${info.width} x ${info.height}`, {
        code: "CALIBRATION_INVALID",
        remedy: "Give the calibration of these images, at their size.",
      });
    }
    const message = this.#raw
      ? writeImage(header, (await decodeCompressed({ ...header, format, data }, "native")).image)
      : writeCompressedImage(header, format, data);
    await this.#sink.write(`/stereo/${side}/camera_info`, stampNs, writeCameraInfo({ ...info, ...header }));
    await this.#sink.write(`/stereo/${side}/${this.#imageName}`, stampNs, message);
  }
}

function isUndistorted({ d, r }: CameraInfo): boolean {
  const isIdentity = Array.from(r).every((value, at) => Math.abs(value - (at % 4 === 0 ? 1 : 0)) < 1e-9);
  return isIdentity && Array.from(d).every((value) => value === 0);
}

function rotation(r: ArrayLike<number>): Transform {
  return Float64Array.of(r[0]!, r[1]!, r[2]!, 0, r[3]!, r[4]!, r[5]!, 0, r[6]!, r[7]!, r[8]!, 0);
}

function edge(
  stampNs: bigint,
  parent: string,
  child: string,
  T_parent_child: Transform,
  isStatic: boolean,
): StampedTransform {
  return { stampNs, parent, child, T_parent_child, isStatic };
}
