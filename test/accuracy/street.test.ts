import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";

const stereo = sharedData("open", "stereo");
const judge = sharedData("..", "eval", "voxel_score.py");
const peer = sharedData("..", "eval", "sgbm_voxels.py");
const python = pythonWith("numpy", "scipy", "cv2");
const isComplete = [stereo, judge, peer, python].every((one) => one !== undefined);

type Score = Readonly<Record<string, number>>;
const columns = ["iou_ray_15m", "iou_ray_32m", "missed", "free_violation", "precision", "recall", "chamfer_m"];

/** `infer` and OpenCV's SGBM on the same pairs, both scored by the independent judge; the table goes to out/accuracy.json. */
describe.skipIf(!isComplete)("street pairs against SGBM", () => {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  const scores: Record<string, { readonly ours: Score; readonly sgbm: Score }> = {};
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    for (const pair of ["drivingstereo_demo", "kitti_object_demo"]) {
      const at = join(stereo!, pair);
      const out = join(folder, pair);
      runOrThrow("npx", ["tsx", "src/cli/main.ts", "infer", ...pairOptions(at), "--out", out]);
      const sgbmCsv = join(folder, `${pair}-sgbm.csv`);
      runOrThrow(python!, [peer!, at, sgbmCsv]);
      scores[pair] = { ours: judged(at, join(out, "voxels.csv")), sgbm: judged(at, sgbmCsv) };
    }
    mkdirSync("out", { recursive: true });
    writeFileSync("out/accuracy.json", `${JSON.stringify(scores, null, 2)}\n`);
    console.log(tableOf(scores));
  }, 300_000);

  test("iou_ray_32m reaches SGBM's on one pair at least, and comes within .05 on each", () => {
    const leads = Object.values(scores).map(({ ours, sgbm }) => ours["iou_ray_32m"]! - sgbm["iou_ray_32m"]!);
    expect(leads.length).toBe(2);
    expect(Math.max(...leads)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...leads)).toBeGreaterThanOrEqual(-0.05);
  });
});

function pairOptions(at: string): string[] {
  const eye = (name: string) => join(at, `${name}.${at.endsWith("kitti_object_demo") ? "png" : "jpg"}`);
  return ["--left", eye("left"), "--right", eye("right"), "--calibration", join(at, "calib.json")];
}

function judged(at: string, csv: string): Score {
  return JSON.parse(runOrThrow(python!, [judge!, at, csv])) as Score;
}

function runOrThrow(command: string, args: readonly string[]): string {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

function tableOf(scores: Readonly<Record<string, { readonly ours: Score; readonly sgbm: Score }>>): string {
  const rows = Object.entries(scores).flatMap(([pair, two]) =>
    Object.entries(two).map(([who, score]) => [pair, who, ...columns.map((name) => score[name]!.toFixed(3))]),
  );
  return [["pair", "who", ...columns], ...rows].map((row) => row.map((cell) => cell.padEnd(19)).join("")).join("\n");
}
