import type { Config, Schema } from "./schema.ts";
import { stereoSchema } from "./stereo-schema.ts";

/** Parameters of stereo_voxel_node: those of the pipeline, and those that only a live node has. */
export const stereoNodeSchema = {
  ...stereoSchema,
  autostart: {
    kind: "boolean",
    fallback: true,
    doc: "Configure and activate at the start. Off where a lifecycle manager does it.",
  },
  image_topic: {
    kind: "choice",
    choices: ["image_rect", "image_raw"],
    fallback: "image_rect",
    doc: "Which images to subscribe to in left/ and right/: rectified ones, or raw ones that the node rectifies.",
  },
  image_transport: {
    kind: "choice",
    choices: ["raw", "compressed"],
    fallback: "raw",
    doc: "compressed subscribes to <image_topic>/compressed: JPEG or PNG.",
  },
  max_input_age: {
    kind: "double",
    unit: "s",
    min: 0.01,
    max: 60,
    fallback: 0.5,
    live: true,
    doc: "Pairs older than this are dropped; when none has come for as long, the input counts as stale.",
  },
  save_map_path: {
    kind: "string",
    fallback: "",
    live: true,
    doc: "Where ~/save_map writes the map: a file that ends in .bt (occupied and free) or .ot (log-odds).",
  },
  publish_rate_limit: {
    kind: "double",
    unit: "Hz",
    min: 0,
    max: 1000,
    fallback: 0,
    live: true,
    doc: "Pairs to answer per second at most; 0 answers as many as it can.",
  },
} as const satisfies Schema;

export type StereoNodeConfig = Config<typeof stereoNodeSchema>;
