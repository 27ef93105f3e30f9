import type { CameraInfo, StereoCalibration } from "./calibration.ts";
import type { FaultCode } from "./fault.ts";
import type { Image, StampedImage } from "./image.ts";
import type { OctreeFrame } from "./occupancy.ts";
import type { Transform } from "./transform.ts";

/** One transform of /tf: maps points of `child` into `parent`. */
export interface StampedTransform {
  readonly stampNs: bigint;
  readonly parent: string;
  readonly child: string;
  readonly T_parent_child: Transform;
  readonly isStatic: boolean;
}

/** What a stereo source (bag, live topics, test array) delivers, in the order in which it was received. */
export type StereoInput =
  | { readonly kind: "image"; readonly side: Side; readonly image: StampedImage }
  | { readonly kind: "info"; readonly side: Side; readonly info: CameraInfo }
  | { readonly kind: "transform"; readonly transform: StampedTransform }
  /** A message that could not be used: reported, counted, skipped. */
  | { readonly kind: "rejected"; readonly where: string; readonly side: Side | undefined; readonly reason: Rejection };

export type Side = "left" | "right";

export interface Rejection {
  readonly code: FaultCode;
  readonly message: string;
}

/** Two images of one moment. */
export interface StereoPair {
  readonly left: StampedImage;
  readonly right: StampedImage;
}

/** A pair after rectification with the calibration that holds for it. */
export interface RectifiedPair {
  /** Stamp of the left image. */
  readonly stampNs: bigint;
  /** Left optical frame. */
  readonly frameId: string;
  readonly left: Image;
  readonly right: Image;
  readonly calibration: StereoCalibration;
}

/** Turns a rectified pair into an octree; runs the matcher and the network, usually in a worker. */
export interface StereoModel {
  /** Times of the stages of this frame are in `stagesMs`. The result is the caller's. */
  run(
    pair: RectifiedPair,
  ): Promise<{ readonly frame: OctreeFrame; readonly stagesMs: Readonly<Record<string, number>> }>;
  close(): Promise<void>;
}
