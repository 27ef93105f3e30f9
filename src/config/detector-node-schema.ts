import { liveSchema } from "./live-schema.ts";
import type { Config, Schema } from "./schema.ts";
import { stereoSchema } from "./stereo-schema.ts";

/** Parameters of defended_detector_node. */
export const detectorNodeSchema = {
  model_path: {
    kind: "string",
    fallback: "",
    doc: "Folder of the detector, made by `voxelguard models import`. Empty takes the one that set-up makes.",
  },
  intra_op_threads: {
    kind: "integer",
    min: 1,
    max: 64,
    fallback: 1,
    doc: "Threads that the detector runs on.",
  },
  ...liveSchema,
  image_topic: {
    ...liveSchema.image_topic,
    doc: "Which image to subscribe to. Stereo evidence needs rectified ones.",
  },
  "detection.score_threshold": {
    kind: "double",
    min: 0.01,
    max: 1,
    fallback: 0.4,
    doc: "Score from which an object is believed; weaker detections only continue a track.",
  },
  "detection.iou_threshold": {
    kind: "double",
    min: 0,
    max: 1,
    fallback: 0.6,
    doc: "Boxes of a class that overlap by more than this are one.",
  },
  "detection.classes": {
    kind: "string",
    fallback: "",
    doc: "Names of the classes to look for, with commas between: person,car. Empty looks for all.",
  },
  "patch_defense.enabled": {
    kind: "boolean",
    fallback: true,
    live: true,
    doc: "Look for adversarial patches and mask them.",
  },
  "track.patience": {
    kind: "double",
    unit: "s",
    min: 0,
    max: 60,
    fallback: 1,
    doc: "How long a lost object keeps its id.",
  },
  "evidence.enabled": {
    kind: "boolean",
    fallback: true,
    live: true,
    doc: "Weigh detections against the solid voxels of the same moment (the topic points).",
  },
  "evidence.hold": {
    kind: "double",
    unit: "s",
    min: 0,
    max: 600,
    fallback: 5,
    live: true,
    doc: "How long solid voxels keep an object alive that the detector has lost; 0 does not keep it.",
  },
  "evidence.demote": {
    kind: "boolean",
    fallback: true,
    live: true,
    doc: "Take three quarters of the score from detections that stand out nowhere: pictures on a wall or on the ground.",
  },
  "evidence.wait": {
    kind: "double",
    unit: "s",
    min: 0,
    max: 5,
    fallback: 0.2,
    live: true,
    doc: "How long an image waits for its voxels.",
  },
  voxel_size: { ...stereoSchema.voxel_size, doc: "Edge of the voxels in points: voxel_size of stereo_voxel_node." },
  max_range: { ...stereoSchema.max_range, live: false, doc: "How far points reaches: max_range of stereo_voxel_node." },
} as const satisfies Schema;

export type DetectorNodeConfig = Config<typeof detectorNodeSchema>;
