import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HEAD_FLOATS, OctreeEvaluator } from "../../src/infer/octree-evaluator.ts";
import { pythonWith } from "../support/python.ts";

const python = pythonWith("torch", "onnxruntime", "wasmtime");
const wasm = readFileSync("build/octree.wasm");
const layout = {
  origin: [-32, -12, 0],
  size: [64, 16, 64],
  levels: 4,
  leafM: 0.5,
  samples: [
    [4, 4, 3],
    [4, 4, 2],
    [4, 4, 2],
    [4, 4, 1],
  ],
  near: { layers: 16, slices: 3 },
} as const;
const view = { width: 157, height: 93, fx: 141.3, fy: 150.7, cx: 83.4, cy: 40.6, baseline: 0.45, margin: 0 };

interface Answer {
  readonly h4: number;
  readonly w4: number;
  readonly keep: readonly number[];
  readonly levels: readonly { readonly index: readonly number[]; readonly p: readonly number[] }[];
}

function floatsOf(path: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
}

describe.skipIf(python === undefined)("octree decoding against torch", () => {
  test("the same voxels, the same probabilities", () => {
    const folder = mkdtempSync(join(tmpdir(), "octree-"));
    try {
      execFileSync(python!, ["test/infer/octree_reference.py", folder], { stdio: ["ignore", "ignore", "pipe"] });
      const { h4, w4, keep, levels } = JSON.parse(readFileSync(join(folder, "answer.json"), "utf8")) as Answer;
      const evaluator = new OctreeEvaluator(wasm, floatsOf(join(folder, "heads.bin")), { ...layout, keep });
      const ours = evaluator.run(floatsOf(join(folder, "rows.bin")), w4, h4, view);
      expect(ours.length).toBe(4);
      for (const [level, truth] of levels.entries()) {
        const expected = new Map<string, readonly number[]>();
        for (let i = 0; i < truth.index.length; i += 3) {
          expected.set(truth.index.slice(i, i + 3).join(), truth.p.slice(i, i + 3));
        }
        const { index, p } = ours[level]!;
        expect(index.length).toBe(truth.index.length);
        expect(index.length).toBeGreaterThan(100);
        let worst = 0;
        for (let i = 0; i < index.length; i += 3) {
          const q = expected.get(index.slice(i, i + 3).join());
          expect(q).toBeDefined();
          for (let c = 0; c < 3; c += 1) worst = Math.max(worst, Math.abs(p[i + c]! - q![c]!));
        }
        // Single precision on both sides, another order of additions.
        expect(worst).toBeLessThan(1e-4);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("refuses heads of another size", () => {
  const few = new Float32Array(HEAD_FLOATS);
  expect(() => new OctreeEvaluator(wasm, few, { ...layout, keep: [0, 0, 0] })).toThrow(/heads hold/);
});
