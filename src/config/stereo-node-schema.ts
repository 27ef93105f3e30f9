import { liveSchema } from "./live-schema.ts";
import type { Config, Schema } from "./schema.ts";
import { stereoSchema } from "./stereo-schema.ts";

/** Parameters of stereo_voxel_node: those of the pipeline, and those that only a live node has. */
export const stereoNodeSchema = {
  ...stereoSchema,
  ...liveSchema,
  save_map_path: {
    kind: "string",
    fallback: "",
    live: true,
    doc: "Where ~/save_map writes the map: a file that ends in .bt (occupied and free) or .ot (log-odds).",
  },
} as const satisfies Schema;

export type StereoNodeConfig = Config<typeof stereoNodeSchema>;
