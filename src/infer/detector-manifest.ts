import { z } from "zod";
import { detectorKinds } from "../detect/heads.ts";
import { fileSchema, loadFiles } from "./manifest.ts";

const three = z.tuple([z.number(), z.number(), z.number()]);
const pixels = z.number().int().min(32).max(4096);
const share = z.number().min(0).max(1);

/** manifest.json of a detector's folder: its graph, what it is fed, and how its answers are read (src/detect/heads.ts). */
export const detectorManifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  kind: z.enum(detectorKinds),
  graph: fileSchema,
  input: z.object({
    name: z.string(),
    width: pixels,
    height: pixels,
    /** The graph takes any canvas in multiples of this up to width x height. */
    multiple: z.number().int().min(1).optional(),
    type: z.enum(["uint8", "float32"]),
    layout: z.enum(["nhwc", "nchw"]),
    order: z.enum(["rgb", "bgr"]),
    place: z.enum(["centre", "corner", "stretch"]),
    fill: z.number().int().min(0).max(255),
    mean: three,
    std: three.refine((values) => values.every((value) => value > 0), "wanted numbers above 0"),
  }),
  /** Names of the outputs, in the order of the kind. */
  outputs: z.array(z.string()).min(1),
  /** An early layer [n, channels, h / stride, w / stride], for the patch defence. */
  tap: z.object({ name: z.string(), stride: z.number().int().positive() }).optional(),
  classes: z.array(z.string()).min(1),
  score_threshold: share,
  iou_threshold: share,
  threads: z.number().int().min(1).max(64),
});
export type DetectorManifest = z.infer<typeof detectorManifestSchema>;

export interface LoadedDetector {
  readonly manifest: DetectorManifest;
  readonly graph: Uint8Array;
  /** Of the manifest and the graph together. */
  readonly sha256: string;
}

/** Reads a detector's folder. Throws `Fault` MODEL_MISSING, MODEL_CORRUPT. */
export async function loadDetector(folder: string): Promise<LoadedDetector> {
  const { manifest, parts, sha256 } = await loadFiles(folder, detectorManifestSchema, ({ graph }) => [graph]);
  return { manifest, graph: parts[0]!, sha256 };
}
