import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asFault, Fault } from "../core/fault.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits");
const file = z.object({ file: z.string(), sha256: hash });

/** models/<name>/manifest.json: what belongs to the model, and what it expects. */
export const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  kind: z.literal("stereo-octree"),
  /** WebAssembly matching kernel that the weights were trained on. */
  matcher: file,
  /** ONNX graph of the backbone: evidence, match, prior (uint8), calibration [5] -> rows float32 [cells, 16]. */
  graph: file,
  /** WebAssembly kernel that decodes the octree, and the weights of its heads (float32, little-endian). */
  decoder: file,
  heads: file,
  grid: z.object({
    origin: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
    size: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
    levels: z.number().int().min(1).max(8),
    /** Voxel edge, metres, that the graph's numbers are written in. */
    unit_voxel_m: z.number().positive(),
  }),
  /** A parent is divided where its p_occupied exceeds this, per level but the last. */
  keep: z.array(z.number()),
  /** Inner points of a voxel along x, y, z that are looked up, per level. */
  samples: z.array(z.tuple([z.number().int(), z.number().int(), z.number().int()])),
  /** Width of the heads' hidden layers. */
  hidden: z.literal(32),
  /** Largest disparity that the kernel searches, pixels. */
  max_disparity_px: z.number().positive(),
  threads: z.number().int().min(1).max(64),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface LoadedModel {
  readonly manifest: Manifest;
  readonly matcher: Uint8Array;
  readonly graph: Uint8Array;
  readonly decoder: Uint8Array;
  readonly heads: Uint8Array;
  /** Of all four files together. */
  readonly sha256: string;
}

/** Reads a model folder and refuses what does not have the manifest's hashes: MODEL_MISSING, MODEL_CORRUPT. */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const path = join(folder, "manifest.json");
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new Fault(`There is no model in ${folder}: ${path} cannot be read.`, {
      code: "MODEL_MISSING",
      remedy: "give the folder of a model (it holds manifest.json), or leave --model out to use the one that ships",
      cause,
    });
  });
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw asFault(cause, `${path} is no model manifest.`, {
      code: "MODEL_CORRUPT",
      remedy: "reinstall voxelguard or export the model again (training/voxeltrain/export.py)",
    });
  }
  const parts = await Promise.all(
    (["matcher", "graph", "decoder", "heads"] as const).map((part) => verified(folder, manifest[part])),
  );
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const [matcher, graph, decoder, heads] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { manifest, matcher, graph, decoder, heads, sha256: hash.digest("hex") };
}

async function verified(folder: string, part: { file: string; sha256: string }): Promise<Uint8Array> {
  const path = join(folder, part.file);
  const bytes = await readFile(path).catch((cause) => {
    throw new Fault(`${path} is missing.`, {
      code: "MODEL_MISSING",
      remedy: "reinstall voxelguard or export the model again",
      cause,
    });
  });
  const seen = createHash("sha256").update(bytes).digest("hex");
  if (seen !== part.sha256) {
    throw new Fault(
      `${path} is corrupt: its SHA-256 is ${seen.slice(0, 12)}… (${bytes.length} bytes), the manifest wants ${part.sha256.slice(0, 12)}….`,
      { code: "MODEL_CORRUPT", remedy: "reinstall voxelguard, or run `git checkout -- models` in a clone" },
    );
  }
  return bytes;
}
