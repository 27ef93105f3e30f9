import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";

const stereo = sharedData("open", "stereo");
const judge = sharedData("..", "eval", "voxel_score.py");
const peer = sharedData("..", "eval", "sgbm_voxels.py");
const python = pythonWith("numpy", "scipy", "cv2");
const isComplete = [stereo, judge, peer, python].every((one) => one !== undefined);

/** Voxel edge, metres, and the published bias of the truth, pixels (shared/data/README.md). */
const pairs = {
  drivingstereo_demo: { eyes: "jpg", voxelSizeM: 0.5, biasPx: 0.45 },
  kitti_object_demo: { eyes: "png", voxelSizeM: 0.5, biasPx: -0.25 },
  mb_motorcycle: { eyes: "png", voxelSizeM: 0.05, biasPx: 0 },
} as const;

type Score = Readonly<Record<string, number>>;
interface Row {
  readonly pair: keyof typeof pairs;
  /** Added to the truth. */
  readonly biasPx: number;
  readonly ours: Score;
  readonly sgbm: Score;
}
const columns = ["iou_ray_15m", "iou_ray_32m", "missed", "free_violation", "precision", "recall", "chamfer_m"];

/**
 * `infer` and OpenCV's SGBM on the same pairs, both scored by the independent judge, with and without the bias of the
 * truth; the table goes to out/accuracy.json.
 */
describe.skipIf(!isComplete)("real pairs against SGBM", () => {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  const rows: Row[] = [];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    for (const pair of Object.keys(pairs) as (keyof typeof pairs)[]) {
      const { eyes, voxelSizeM, biasPx } = pairs[pair];
      const at = join(stereo!, pair);
      const out = join(folder, pair);
      const images = ["left", "right"].flatMap((eye) => [`--${eye}`, join(at, `${eye}.${eyes}`)]);
      const options = [...images, "--calibration", join(at, "calib.json"), "--voxel-size", String(voxelSizeM)];
      const sgbmCsv = join(folder, `${pair}-sgbm.csv`);
      await Promise.all([
        outputOf("npx", ["tsx", "src/cli/main.ts", "infer", ...options, "--out", out]),
        outputOf(python!, [peer!, at, sgbmCsv, String(voxelSizeM)]),
      ]);
      for (const bias of new Set([0, biasPx])) {
        const [ours, sgbm] = await Promise.all(
          [join(out, "voxels.csv"), sgbmCsv].map(async (csv): Promise<Score> => {
            return JSON.parse(await outputOf(python!, [judge!, at, csv, String(voxelSizeM), String(bias)]));
          }),
        );
        rows.push({ pair, biasPx: bias, ours: ours!, sgbm: sgbm! });
      }
    }
    mkdirSync("out", { recursive: true });
    writeFileSync("out/accuracy.json", `${JSON.stringify(rows, null, 2)}\n`);
    console.log(tableOf(rows));
  }, 300_000);

  test("iou_ray_32m reaches SGBM's on one street pair at least, and comes within .05 on each", () => {
    const streets = rows.filter(({ pair, biasPx }) => pairs[pair].voxelSizeM === 0.5 && biasPx === 0);
    const leads = streets.map(({ ours, sgbm }) => ours["iou_ray_32m"]! - sgbm["iou_ray_32m"]!);
    expect(leads.length).toBe(2);
    expect(Math.max(...leads)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...leads)).toBeGreaterThanOrEqual(-0.05);
  });
});

/** Standard output; rejects, with what it said, if the command fails. */
async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  return (await promisify(execFile)(command, args, { encoding: "utf8", env })).stdout;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ pair, biasPx, ours, sgbm }) =>
    Object.entries({ ours, sgbm }).map(([who, score]) => [
      pair,
      `${biasPx} px`,
      who,
      ...columns.map((name) => score[name]?.toFixed(3) ?? "-"),
    ]),
  );
  const widths = [20, 10, 6, ...columns.map(() => 16)];
  return [["pair", "bias", "who", ...columns], ...lines]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join(""))
    .join("\n");
}
