import type { Header } from "../core/image.ts";
import { CdrBytes } from "./write-cdr.ts";

/** What both kinds of detection say. */
interface Hypothesis {
  /** Stays the same while the object is followed; empty where it is not. */
  readonly id: string;
  /** Name of the class. */
  readonly classId: string;
  /** 0..1 */
  readonly score: number;
}

/** A box in an image: pixels of that image, measured at pixel edges. */
export interface ImageDetection extends Hypothesis {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** An upright box in space, metres, its axes those of the header's frame. */
export interface SpaceDetection extends Hypothesis {
  readonly centreM: readonly [x: number, y: number, z: number];
  readonly sizeM: readonly [x: number, y: number, z: number];
}

/** vision_msgs/Detection2DArray (4.x: Pose2D with a position). The header is that of the image. */
export function writeDetections2D(header: Header, found: readonly ImageDetection[]): Uint8Array<ArrayBuffer> {
  const out = arrayOf(header, found);
  for (const each of found) {
    hypothesis(out.header(header), each, [0, 0, 0]);
    out.float64s([(each.left + each.right) / 2, (each.top + each.bottom) / 2, 0]);
    out.float64s([each.right - each.left, each.bottom - each.top]).string(each.id);
  }
  return out.take();
}

/** vision_msgs/Detection3DArray. */
export function writeDetections3D(header: Header, found: readonly SpaceDetection[]): Uint8Array<ArrayBuffer> {
  const out = arrayOf(header, found);
  for (const each of found) {
    hypothesis(out.header(header), each, each.centreM);
    out.float64s(each.centreM).float64s([0, 0, 0, 1]).float64s(each.sizeM).string(each.id);
  }
  return out.take();
}

function arrayOf(header: Header, found: readonly Hypothesis[]): CdrBytes {
  return new CdrBytes(128 + found.length * 640).header(header).uint32(found.length);
}

const noCovariance = new Float64Array(36);

/** One vision_msgs/ObjectHypothesisWithPose: class, score, pose with identity rotation, covariance not known. */
function hypothesis(out: CdrBytes, { classId, score }: Hypothesis, position: readonly number[]): void {
  out.uint32(1).string(classId).float64(score);
  out.float64s(position).float64s([0, 0, 0, 1]).float64s(noCovariance);
}
