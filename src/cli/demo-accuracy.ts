import type { StereoCalibration } from "../core/calibration.ts";
import type { Bag } from "../io/bag.ts";
import { decodeDepth } from "../io/decode-depth.ts";
import { readCompressedImage } from "../msg/read-compressed-image.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import { surfacePointsFromDepth } from "../stereo/ground-truth.ts";
import { type StereoScore, scoreFrame } from "../stereo/metrics.ts";

const TOPIC = "/ground_truth/depth";
const shown = [
  "iou_ray_32m",
  "iou_ray_15m",
  "iou_32m",
  "iou_15m",
  "precision",
  "recall",
  "missed",
  "free_violation",
  "chamfer_m",
] as const;

/** Scores frames of a rendered drive against the exact depth that its bag carries. */
export class DemoAccuracy {
  readonly #truth: ReadonlyMap<bigint, Uint8Array>;
  readonly #scores: StereoScore[] = [];

  /** Reads the bag's depth images (some 20 kB each), still compressed. */
  static async of(bag: Bag): Promise<DemoAccuracy> {
    const truth = new Map<bigint, Uint8Array>();
    for await (const { data } of bag.messages({ topics: new Set([TOPIC]) })) {
      const { stampNs, data: png } = readCompressedImage(data);
      truth.set(stampNs, png.slice());
    }
    return new DemoAccuracy(truth);
  }

  private constructor(truth: ReadonlyMap<bigint, Uint8Array>) {
    this.#truth = truth;
  }

  async see({ frame, pair, header }: MapStep): Promise<void> {
    const png = this.#truth.get(header.stampNs);
    if (png === undefined) return;
    const depth = await decodeDepth(png);
    const calibration = scaled(pair.calibration, depth.width / pair.calibration.width);
    const points = surfacePointsFromDepth(depth, calibration, frame.grid.voxelSizeM / 2);
    this.#scores.push(scoreFrame(frame, points, calibration));
  }

  /** Means over the frames so far. */
  means(): Record<string, number> {
    const out: Record<string, number> = { frames: this.#scores.length };
    for (const name of shown) {
      const values = this.#scores.map((score) => score[name]).filter((value) => value !== undefined);
      if (values.length > 0) out[name] = round(values.reduce((sum, value) => sum + value, 0) / values.length);
    }
    return out;
  }
}

/** Calibration of every n-th pixel, the first included (pixel centres at whole numbers). */
function scaled(c: StereoCalibration, shrink: number): StereoCalibration {
  const { width, height, fx, fy, cx, cy } = c;
  return {
    ...c,
    width: width * shrink,
    height: height * shrink,
    fx: fx * shrink,
    fy: fy * shrink,
    cx: cx * shrink,
    cy: cy * shrink,
  };
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
