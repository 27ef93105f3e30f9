import { detectorSchema } from "./detector-schema.ts";
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
  ...detectorSchema,
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
