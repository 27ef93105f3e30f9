import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type PairFolder, readPairFolder } from "../../src/io/pair-folder.ts";
import { writeVoxelsCsv } from "../../src/io/voxels-csv.ts";
import { pointsFromDisparity } from "../../src/stereo/ground-truth.ts";
import { scoreFrame } from "../../src/stereo/metrics.ts";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";
import { guessedFrame, mulberry } from "./pairs.ts";

const judge = sharedData("..", "eval", "voxel_score.py");
const stereo = sharedData("open", "stereo");
const python = pythonWith("numpy", "scipy");

/** The judge casts 20,000 rays drawn at random; with more points than that these differ by the draw, seen up to 0.008. */
const byRays = ["iou_ray_15m", "iou_ray_32m", "free_violation", "free_recall"];

describe.skipIf(judge === undefined || stereo === undefined || python === undefined)(
  "scoreFrame and shared/eval/voxel_score.py",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "voxelguard-judge-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each([
      ["kitti_object_demo", 0.5, -0.25, "all rays"],
      ["kitti_object_demo", 0.2, 0, "all rays"],
      ["drivingstereo_demo", 0.5, 0.45, "some rays"],
      ["mb_motorcycle", 0.05, 0, "some rays"],
    ] as const)(
      "agree on %s at %d m, bias %d px (%s)",
      async (name, voxelSizeM, biasPx, rays) => {
        const entry = await readPairFolder(join(stereo!, name));
        if (entry.kind !== "pair") throw new Error(`${name} has no metres`);
        const points = truthOf(entry.pair, biasPx);
        const grid = { voxelSizeM, origin: [-32, -12, 0], size: [64, 16, 64], levels: 4 } as const;
        const frame = guessedFrame(grid, points, mulberry(3));
        const csv = join(folder, `${name}.csv`);
        await writeVoxelsCsv(csv, frame);
        const theirs = judged([entry.pair.path, csv, String(voxelSizeM), String(biasPx)]);
        const ours = scoreFrame(frame, points, entry.pair.calibration) as unknown as Record<string, number>;
        expect(theirs["pred_occupied"]).toBeGreaterThan(100);
        expect(theirs["gt_occupied"]).toBeGreaterThan(100);
        for (const [key, value] of Object.entries(theirs)) {
          const tolerance = rays === "some rays" && byRays.includes(key) ? 0.015 : 1e-9;
          expect(Math.abs(ours[key]! - value), key).toBeLessThanOrEqual(tolerance);
        }
      },
      180_000,
    );
  },
);

function judged(args: readonly string[]): Record<string, number> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = spawnSync(python!, [judge!, ...args], { encoding: "utf8", env });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function truthOf({ truth, calibration }: PairFolder, biasPx: number): Float64Array {
  if (truth?.kind !== "disparity") throw new Error("no disparity");
  const { width, height, disparityPx: data } = truth;
  return pointsFromDisparity({ width, height, data }, calibration, biasPx);
}
