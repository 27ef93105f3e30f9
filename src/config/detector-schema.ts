import type { Config, Schema } from "./schema.ts";

/** Parameters of detection: those of the node and of the commands that detect in recordings. */
export const detectorSchema = {
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
  "patch_defense.patrol": {
    kind: "double",
    min: 0,
    max: 1,
    fallback: 0.03,
    doc: "Runs of the network an image, on average, that may go into looks at what is not suspicious enough by itself. 1 takes twice the time and finds some of the patches that were made not to stand out.",
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
} as const satisfies Schema;

export type DetectorConfig = Config<typeof detectorSchema>;
