import type { Header } from "../core/image.ts";
import { FREE, OCCUPIED } from "../core/occupancy.ts";
import type { Transform } from "../core/transform.ts";
import { writePointCloud2 } from "../msg/write-cloud.ts";
import { writeString } from "../msg/write-string.ts";
import { writeTfMessage } from "../msg/write-tf.ts";
import { leafCellsInto } from "../octree/leaf-cells.ts";
import { occupiedInto } from "../octree/leaves.ts";
import { OctomapEncoder } from "../octree/octomap.ts";
import { readOctomapBinary } from "../octree/octomap-read.ts";
import { makePointList } from "../octree/points.ts";
import { detections3dMessage, detectionsMessage, patchMaskMessage } from "../pipeline/detect-outputs.ts";
import type { DetectStep } from "../pipeline/live-detect.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import type { Payload } from "../server/viewer-server.ts";
import { leftImageMessage } from "./left-image.ts";

/** What the page draws, by its short name; the topic is made of it in `viewer-feed.ts`. */
export const feedTopics = {
  voxels: ["/voxelguard/map_voxels", "sensor_msgs/msg/PointCloud2"],
  free: ["/voxelguard/free_voxels", "sensor_msgs/msg/PointCloud2"],
  left: ["/voxelguard/left/compressed", "sensor_msgs/msg/CompressedImage"],
  detections: ["/voxelguard/detections", "vision_msgs/msg/Detection2DArray"],
  detections3d: ["/voxelguard/detections_3d", "vision_msgs/msg/Detection3DArray"],
  mask: ["/voxelguard/patch_mask", "sensor_msgs/msg/Image"],
  status: ["/voxelguard/status", "std_msgs/msg/String"],
  tf: ["/tf", "tf2_msgs/msg/TFMessage"],
} as const;

export type FeedTopic = keyof typeof feedTopics;

/** One moment as the page draws it: CDR messages that stay as they are. What is not in it stays on screen. */
export interface FeedFrame {
  readonly stampNs: bigint;
  readonly messages: Readonly<Partial<Record<FeedTopic, Payload>>>;
  /** What it takes to keep it. */
  readonly bytes: number;
}

export interface FrameObjects {
  readonly step: DetectStep;
  readonly classes: readonly string[];
}

const points = makePointList();
const encoder = new OctomapEncoder();

/** A step of the pipeline; independent of it afterwards. `status` is what `src/viewer/status.ts` reads. */
export async function frameOfStep(step: MapStep, status: object, objects?: FrameObjects): Promise<FeedFrame> {
  const { header, fixed, map, pair } = step;
  occupiedInto(points, map);
  const states = encoder.borrowBinary(map).slice();
  const eager = {
    voxels: writePointCloud2(fixed, points),
    tf: poseMessage(header, fixed.frameId, step.T_fixed_camera),
    status: writeString(JSON.stringify({ ...status, ...shapeOf(step) })),
    ...(objects && {
      detections: detectionsMessage(objects.step, objects.classes),
      detections3d: detections3dMessage(objects.step, objects.classes, map.resolutionM),
      mask: patchMaskMessage(objects.step),
    }),
    left: await leftImageMessage(pair),
  };
  const free = freeCloud(fixed, map.resolutionM, states);
  const bytes = Object.values(eager).reduce((sum, data) => sum + data.byteLength, states.byteLength);
  return { stampNs: header.stampNs, messages: { ...eager, free }, bytes };
}

/** Where the camera stands. */
export function poseMessage(camera: Header, parent: string, T_parent_child: Transform): Uint8Array {
  return writeTfMessage([{ stampNs: camera.stampNs, parent, child: camera.frameId, T_parent_child, isStatic: false }]);
}

/** PointCloud2 of the free cells in OctoMap's stream of states, made when it is asked for. */
export function freeCloud(fixed: Header, resolutionM: number, states: Uint8Array): () => Uint8Array {
  return () => cellCloud(fixed, resolutionM, states, FREE, 0);
}

/** PointCloud2 of the occupied ones; the stream does not tell how sure the map was. */
export function occupiedCloud(fixed: Header, resolutionM: number, states: Uint8Array): () => Uint8Array {
  return () => cellCloud(fixed, resolutionM, states, OCCUPIED, 1);
}

function cellCloud(
  fixed: Header,
  resolutionM: number,
  states: Uint8Array,
  state: typeof FREE | typeof OCCUPIED,
  value: number,
): Uint8Array {
  leafCellsInto(points, readOctomapBinary(states), state, resolutionM, value);
  return writePointCloud2(fixed, points);
}

function shapeOf({ map, pair }: MapStep): object {
  const { width, height, fx, fy, cx, cy } = pair.calibration;
  return { voxelSizeM: map.resolutionM, camera: { width, height, fx, fy, cx, cy } };
}
