import type { CameraInfo, StereoCalibration } from "./calibration.ts";
import type { FaultCode } from "./fault.ts";
import type { Image, StampedImage } from "./image.ts";
import type { OctreeGrid } from "./occupancy.ts";
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

/** Which eye. */
export type Side = "left" | "right";

/** Why a message was not used. */
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
  /** The left image as it came, rectified, where it was asked for. */
  readonly leftNative?: Image;
  readonly calibration: StereoCalibration;
}

/** What the network says of the voxels of one level. */
export interface LevelAnswer {
  /** Cell indices x, y, z, counted in cells of the level from the grid's minimum corner; length 3 * count. */
  readonly index: Int32Array;
  /** Probabilities unknown, free, occupied; length 3 * count. */
  readonly p: Float32Array;
}

/**
 * The network's disparity, one value a cell of 4x4 pixels of the left image, row-major; the image is padded to whole cells.
 * Of the two components of a cell's distribution the one with the higher peak. Counted from infinity: fx baseline / z.
 */
export interface DisparityMap {
  readonly rows: number;
  readonly columns: number;
  /** Centre, pixels of the full image. */
  readonly disparityPx: Float32Array;
  /** Scale of the component, a logistic distribution; pixels, > 0. */
  readonly spreadPx: Float32Array;
  /** Share that the component has in the distribution, 0..1. */
  readonly weight: Float32Array;
}

/** What the model says of a pair. */
export interface StereoAnswer {
  /** Coarse to fine; every level holds the children of the kept cells of the level above. */
  readonly levels: readonly LevelAnswer[];
  /** Only where it was asked for. */
  readonly disparity?: DisparityMap;
  /** Milliseconds per stage: `match`, `network`. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** Parts of the answer that cost extra. */
export interface AnswerWants {
  readonly disparity?: boolean;
}

/** Runs the matcher and the network, outside the calling thread. */
export interface StereoModel {
  readonly name: string;
  /** SHA-256 over the files of the model, hexadecimal. */
  readonly sha256: string;
  /** The grid for leaf voxels of this size, and what a parent's probability must exceed to be divided, per level. */
  grid(voxelSizeM: number): OctreeGrid;
  readonly keep: readonly number[];
  /**
   * Answers in the order of the calls. Undefined where `newest` was asked for and a later pair took its place. Rejects with
   * a Fault (WORKER_DIED, ...); the next call starts a new worker. `wants`: parts of the answer that cost extra.
   */
  run(pair: RectifiedPair, voxelSizeM: number, wants?: AnswerWants): Promise<StereoAnswer | undefined>;
  /** Waits for the run that is on, refuses those that wait for their turn, and ends the worker. */
  close(): Promise<void>;
}
