import { join } from "node:path";
import sharp from "sharp";
import type { StereoCalibration } from "../../src/core/calibration.ts";
import { Health } from "../../src/core/health.ts";
import type { Transform } from "../../src/core/transform.ts";
import { openBag } from "../../src/io/bag.ts";
import { stereoSource } from "../../src/io/stereo-bag.ts";
import { findStereoTopics } from "../../src/io/stereo-topics.ts";
import { rectifiedPairs } from "../../src/pipeline/frames.ts";
import { makeFrameCounts } from "../../src/pipeline/frames-counts.ts";
import { root } from "./report.ts";

export const WIDTH = 880;
export const HEIGHT = 400;
export const demoBag = join(root, "demo/drive.mcap");

/** A grey pair of WIDTH x HEIGHT and where its left camera stood. */
export interface DrivePair {
  readonly left: Uint8Array;
  readonly right: Uint8Array;
  readonly calibration: StereoCalibration;
  /** Undefined where the bag has no pose. */
  readonly T_fixed_camera: Transform | undefined;
}

/** Up to `count` pairs of a bag, one of every `stride`, scaled to cover WIDTH x HEIGHT. */
export async function loadDrive(path: string, count: number, stride: number): Promise<DrivePair[]> {
  const bag = await openBag(path);
  const pairs: DrivePair[] = [];
  try {
    const topics = findStereoTopics(bag.topics);
    const source = stereoSource(bag, topics, { want: "grey" });
    const options = { rectify: "auto" as const, rectifiedByName: topics.left.rectified };
    let n = 0;
    for await (const { pair, T_fixed_camera } of rectifiedPairs(source, options, new Health(), makeFrameCounts())) {
      if (n++ % stride !== 0) continue;
      const calibration = scaledCalibration(pair.calibration);
      const [left, right] = [
        await scaled(pair.left.data, pair.calibration),
        await scaled(pair.right.data, pair.calibration),
      ];
      pairs.push({ left, right, calibration, T_fixed_camera });
      if (pairs.length === count) break;
    }
  } finally {
    await bag.close();
  }
  if (pairs.length === 0) throw new Error(`${path} gave no stereo pair`);
  return pairs;
}

/** Size after scaling, and what is cut off at the left and the top (as much goes at the right and the bottom). */
function cover({ width, height }: { readonly width: number; readonly height: number }) {
  const scale = Math.max(WIDTH / width, HEIGHT / height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  return { w, h, left: (w - WIDTH) >> 1, top: (h - HEIGHT) >> 1 };
}

async function scaled(data: Uint8Array, { width, height }: StereoCalibration): Promise<Uint8Array> {
  const { w, h, left, top } = cover({ width, height });
  return await sharp(data, { raw: { width, height, channels: 1 } })
    .resize(w, h, { fit: "fill" })
    .extract({ left, top, width: WIDTH, height: HEIGHT })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
}

function scaledCalibration(calibration: StereoCalibration): StereoCalibration {
  const { w, h, left, top } = cover(calibration);
  const [sx, sy] = [w / calibration.width, h / calibration.height];
  return {
    width: WIDTH,
    height: HEIGHT,
    fx: calibration.fx * sx,
    fy: calibration.fy * sy,
    cx: (calibration.cx + 0.5) * sx - 0.5 - left,
    cy: (calibration.cy + 0.5) * sy - 0.5 - top,
    baselineM: calibration.baselineM,
    doffsPx: calibration.doffsPx * sx,
  };
}
