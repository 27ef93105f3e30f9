import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault, messageOf } from "../core/fault.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits");
export const fileSchema = z.object({ file: z.string(), sha256: hash });

/** models/<name>/manifest.json: what belongs to the model, and what it expects. */
export const manifestSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    kind: z.literal("stereo-octree"),
    /** WebAssembly matching kernel that the weights were trained on. */
    matcher: fileSchema,
    /** ONNX graph of the backbone: evidence, match, prior (uint8), calibration [5] -> rows float32 [cells, 16]. */
    graph: fileSchema,
    /** WebAssembly kernel that decodes the octree, and the weights of its heads (float32, little-endian). */
    decoder: fileSchema,
    heads: fileSchema,
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
    /** Leaves of the first layers in z have a head of their own, with this many inner points along z. */
    near: z.object({ layers: z.number().int().min(0), slices: z.number().int().min(1).max(3) }),
    /** Width of the heads' hidden layers. */
    hidden: z.literal(32),
    /** Largest disparity that the kernel searches, pixels. */
    max_disparity_px: z.number().positive(),
    threads: z.number().int().min(1).max(64),
  })
  .superRefine(({ grid, keep, samples }, context) => {
    const { levels, origin, size } = grid;
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (keep.length !== levels - 1) wrong("keep", `${levels} levels want ${levels - 1} thresholds`);
    if (samples.length !== levels) wrong("samples", `${levels} levels want ${levels} entries`);
    if (samples.some(([x, y, z]) => x < 1 || x > 4 || y < 1 || z < 1 || z > 3)) {
      wrong("samples", "wanted 1..4, at least 1, and 1..3 points");
    }
    const edge = 2 ** (levels - 1);
    if (size.some((n) => n < edge || n % edge !== 0)) wrong("grid", `wanted a size in multiples of ${edge}`);
    if (origin[2] < 0) wrong("grid", "wanted the near face at or before the camera");
  });
export type Manifest = z.infer<typeof manifestSchema>;

export interface LoadedModel {
  readonly manifest: Manifest;
  readonly matcher: Uint8Array;
  readonly graph: Uint8Array;
  readonly decoder: Uint8Array;
  readonly heads: Uint8Array;
  /** Of the manifest and the four files together. */
  readonly sha256: string;
}

/** Reads a model folder and refuses what does not have the manifest's hashes: MODEL_MISSING, MODEL_CORRUPT. */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const { manifest, parts, sha256 } = await loadFiles(folder, manifestSchema, (manifest) =>
    (["matcher", "graph", "decoder", "heads"] as const).map((part) => manifest[part]),
  );
  const [matcher, graph, decoder, heads] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { manifest, matcher, graph, decoder, heads, sha256 };
}

/**
 * The manifest of a model folder and the files that it names, checked by their hashes; `sha256` is that of all together.
 * Throws `Fault` MODEL_MISSING, MODEL_CORRUPT.
 */
export async function loadFiles<T>(
  folder: string,
  schema: z.ZodType<T>,
  filesOf: (manifest: T) => readonly z.infer<typeof fileSchema>[],
): Promise<{ manifest: T; parts: Uint8Array[]; sha256: string }> {
  const path = join(folder, "manifest.json");
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new Fault(`There is no model in ${folder}: ${path} cannot be read.`, {
      code: "MODEL_MISSING",
      remedy: "Give the folder of a model (it holds manifest.json), or none to use the one that ships.",
      cause,
    });
  });
  const manifest = parseManifest(path, text, schema);
  const parts = await Promise.all(filesOf(manifest).map((part) => verified(folder, part)));
  const hash = createHash("sha256").update(text);
  for (const part of parts) hash.update(part);
  return { manifest, parts, sha256: hash.digest("hex") };
}

function parseManifest<T>(path: string, text: string, schema: z.ZodType<T>): T {
  const refuse = (why: string, cause: unknown) =>
    new Fault(`${path} is no model manifest: ${why}.`, {
      code: "MODEL_CORRUPT",
      remedy: "Reinstall voxelguard or export the model again (training/voxeltrain/export.py).",
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(messageOf(cause), cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw refuse(
    parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    parsed.error,
  );
}

async function verified(folder: string, part: { file: string; sha256: string }): Promise<Uint8Array> {
  const path = join(folder, part.file);
  const bytes = await readFile(path).catch((cause) => {
    throw new Fault(`${path} is missing.`, {
      code: "MODEL_MISSING",
      remedy: "Reinstall voxelguard or export the model again.",
      cause,
    });
  });
  const seen = createHash("sha256").update(bytes).digest("hex");
  if (seen !== part.sha256) {
    throw new Fault(
      `${path} is corrupt: its SHA-256 is ${seen.slice(0, 12)}… (${bytes.length} bytes), the manifest wants ${part.sha256.slice(0, 12)}….`,
      { code: "MODEL_CORRUPT", remedy: "Reinstall voxelguard, or run `git checkout -- models` in a clone." },
    );
  }
  return bytes;
}
