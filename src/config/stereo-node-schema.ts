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
  load_map_path: {
    kind: "string",
    fallback: "",
    live: true,
    doc: "Where ~/load_map reads a map: a .bt or .ot file of OctoMap with cells of voxel_size, in the frame map.frame.",
  },
  viewer_port: {
    kind: "integer",
    min: 0,
    max: 65535,
    fallback: 0,
    doc: "Port of the viewer, a page in the browser that Foxglove can connect to as well; 0 serves none.",
  },
  viewer_host: {
    kind: "string",
    fallback: "127.0.0.1",
    doc: "Address that the viewer listens on; other than loopback needs viewer_token.",
  },
  viewer_token: {
    kind: "string",
    fallback: "",
    doc: "Secret that a client of the viewer must bring (?token= in the address); empty for none.",
  },
} as const satisfies Schema;

export type StereoNodeConfig = Config<typeof stereoNodeSchema>;
