import type { Config, Schema } from "./schema.ts";

/** Parameters that every live node has. */
export const liveSchema = {
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

/** What a live node asks of its parameters, whatever else it has. */
export type LiveConfig = Config<typeof liveSchema> & { readonly intra_op_threads: number };
