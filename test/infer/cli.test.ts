import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeProgram } from "../../src/cli/program.ts";
import { run } from "../../src/cli/run.ts";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";
import { npzOf, writeMadeUpPair } from "./pairs.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = mkdtempSync(join(tmpdir(), "voxelguard-infer-"));
const made = join(folder, "made");

// Processes that load the network: slow where other work fills the machine.
vi.setConfig({ testTimeout: 180_000 });

beforeAll(async () => writeMadeUpPair(made));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program as a process of its own. */
function voxelguard(...args: string[]) {
  const main = join(root, "src/cli/main.ts");
  return spawnSync(process.execPath, ["--import", "tsx", main, ...args], { encoding: "utf8", cwd: root });
}

/** The program in this process, for what fails: the fault that `--json` shows. */
async function failureOf(...args: string[]): Promise<{ exit: number; code: string; message: string; remedy: string }> {
  let out = "";
  const streams = { stdout: { write: (text: string) => (out += text) }, stderr: { write: () => {} } };
  const exit = await run(makeProgram(), [...args, "--json"], streams);
  return { exit, ...JSON.parse(out).error };
}

function inferArgs(change: Partial<Record<"left" | "right" | "calibration" | "model-path" | "out", string>>): string[] {
  const files = {
    out: join(folder, "unused"),
    left: join(made, "left.png"),
    right: join(made, "right.png"),
    calibration: join(made, "calib.json"),
    ...change,
  };
  return ["infer", ...Object.entries(files).flatMap(([name, path]) => [`--${name}`, path])];
}

describe("voxelguard infer", () => {
  it("writes its four files and says so", () => {
    const out = join(folder, "out");
    const { status, stdout, stderr } = voxelguard(...inferArgs({ out }), "--intra-op-threads", "1");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(join(out, "preview.png"));
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    const rows = readFileSync(join(out, "voxels.csv"), "utf8").trim().split("\n");
    expect(rows.length).toBe(report.counts.cells + 1);
    expect(rows.filter((row) => row.includes(",occupied,")).length).toBe(report.counts.occupied);
    expect(readFileSync(join(out, "cloud.ply"), "latin1")).toContain(`element vertex ${report.counts.occupied}\n`);
    expect(report.model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(report.stages_ms)).toEqual(expect.arrayContaining(["load", "match", "network", "total"]));
    expect(existsSync(join(out, "voxels.csv.part"))).toBe(false);
  });

  it("accepts the YAML pair of camera_calibration, and makes of it what it makes of C.json", async () => {
    const out = join(folder, "yaml");
    const [left, right] = [join(folder, "left.yaml"), join(folder, "right.yaml")];
    await writeFile(left, cameraYaml(0));
    await writeFile(right, cameraYaml(-320 * 0.5));
    const yaml = voxelguard(...inferArgs({ out, calibration: left }), right);
    expect(yaml.stderr).toBe("");
    const json = voxelguard(...inferArgs({ out: join(folder, "json") }));
    expect(json.stderr).toBe("");
    expect(readFileSync(join(out, "voxels.csv"), "utf8")).toBe(readFileSync(join(folder, "json/voxels.csv"), "utf8"));
  });

  it.each([
    ["left", "nowhere.png", "IMAGE_MISSING", "nowhere.png"],
    ["calibration", "nowhere.json", "CALIBRATION_MISSING", "nowhere.json"],
    ["model-path", "no-model", "MODEL_MISSING", "no-model"],
  ] as const)("reports a missing %s", async (what, name, code, mention) => {
    const failure = await failureOf(...inferArgs({ [what]: join(folder, name) }));
    expect(failure).toMatchObject({ exit: 1, code });
    expect(failure.message).toContain(mention);
    expect(failure.remedy.length).toBeGreaterThan(5);
    expect(existsSync(join(folder, "unused"))).toBe(false);
  });

  it("says both sizes when a picture has not the calibration's", async () => {
    const small = join(folder, "small.png");
    await sharp(join(made, "right.png")).resize(160, 80).png().toFile(small);
    const failure = await failureOf(...inferArgs({ right: small }));
    expect(failure.code).toBe("IMAGE_SHAPE");
    expect(failure.message).toContain("160 x 80");
    expect(failure.message).toContain("320 x 160");
  });

  it("refuses a JPEG that is cut off", async () => {
    const whole = await sharp(join(made, "left.png")).jpeg().toBuffer();
    const cut = join(folder, "cut.jpg");
    await writeFile(cut, whole.subarray(0, whole.length / 2));
    const failure = await failureOf(...inferArgs({ left: cut }));
    expect(failure.code).toBe("IMAGE_CORRUPT");
    expect(failure.message).toContain("cut.jpg");
  });

  it("refuses a model with one wrong byte", async () => {
    const model = join(folder, "flipped");
    await cp(join(root, "models/octree-stereo"), model, { recursive: true });
    const graph = join(model, JSON.parse(await readFile(join(model, "manifest.json"), "utf8")).graph.file);
    const bytes = await readFile(graph);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(graph, bytes);
    const failure = await failureOf(...inferArgs({ "model-path": model }));
    expect(failure).toMatchObject({ exit: 1, code: "MODEL_CORRUPT" });
    expect((await failureOf("models", "verify", model)).code).toBe("MODEL_CORRUPT");
  });

  it("refuses a calibration without baseline", async () => {
    const calibration = join(folder, "zero.json");
    const good = JSON.parse(await readFile(join(made, "calib.json"), "utf8"));
    await writeFile(calibration, JSON.stringify({ ...good, baseline_m: 0 }));
    const failure = await failureOf(...inferArgs({ calibration }));
    expect(failure.code).toBe("CALIBRATION_INVALID");
    expect(failure.message).toContain("baseline_m");
  });

  it("says where it cannot write", async () => {
    const file = join(folder, "file");
    await writeFile(file, "in the way");
    const failure = await failureOf(...inferArgs({ out: join(file, "below") }), "--intra-op-threads", "1");
    expect(failure.code).toBe("OUTPUT_UNWRITABLE");
  });

  it.each([
    [["--voxel-size", "9"], "CONFIG_INVALID"],
    [["--intra-op-threads", "none"], "CONFIG_INVALID"],
    [["--calibration", "a", "b", "c"], "USAGE"],
  ])("refuses %j as a mistake of the command line", async (args, code) => {
    expect(await failureOf(...inferArgs({}), ...args)).toMatchObject({ exit: 2, code });
  });
});

describe("voxelguard models", () => {
  it("verifies the model that ships", () => {
    const { status, stdout } = voxelguard("models", "verify", "--json");
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(report.files.length).toBeGreaterThan(1);
    expect(JSON.parse(voxelguard("models", "list", "--json").stdout).models[0].name).toBe("octree-stereo");
  });
});

describe("voxelguard eval stereo", () => {
  it("tells what it skipped and what failed, and keeps the rest", async () => {
    const data = join(folder, "pairs");
    await mkdir(data);
    for (const name of ["a-whole", "b-scaleless", "c-broken"]) await cp(made, join(data, name), { recursive: true });
    await writeFile(join(data, "b-scaleless/calib.json"), JSON.stringify({ width: 320, metric: false }));
    await copyFile(join(made, "calib.json"), join(data, "c-broken/right.png"));
    const file = join(folder, "eval.json");
    const { status, stdout, stderr } = voxelguard("eval", "stereo", "--data", data, "--repeat", "1", "--json", file);
    expect(status).toBe(1);
    expect(stdout).toContain("skipped b-scaleless: its calibration has no metric scale");
    expect(stdout + stderr).toContain("c-broken");
    const result = JSON.parse(readFileSync(file, "utf8"));
    expect(result.pairs.map(({ pair }: { pair: string }) => pair)).toEqual(["a-whole"]);
    expect(result.failed[0].code).toBe("IMAGE_CORRUPT");
    expect(result.pairs[0].p50_ms.total).toBeGreaterThan(0);
  });

  it("scores what it wrote as it scored the model, by group, and refuses an answer that is none", async () => {
    const data = join(folder, "tagged");
    const voxels = join(folder, "voxels");
    const disparity = npzOf("disparity", [160, 320], new Float32Array(160 * 320).fill(16));
    for (const [name, kind] of Object.entries({ a: "wall", b: "wall", c: "board" })) {
      await cp(made, join(data, name), { recursive: true });
      await writeFile(join(data, name, "gt_disparity.npz"), disparity);
      await writeFile(join(data, name, "meta.json"), JSON.stringify({ kind, rig: 3 }));
    }
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = voxelguard(
        "eval",
        "stereo",
        "--data",
        data,
        "--voxel-size",
        "0.5",
        ...args,
        "--json",
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return JSON.parse(stdout);
    };
    const model = run("--repeat", "1", "--voxels", voxels);
    const answers = run("--answers", voxels);
    const { levels, ...score } = model.all.score;
    const { levels: theirLevels, ...theirs } = answers.all.score;
    expect(score.gt_occupied).toBeGreaterThan(100);
    expect(score.recall).toBeGreaterThan(0.3);
    expect(theirs).toEqual({ ...score, calibration_error: expect.closeTo(score.calibration_error, 5) });
    expect(theirLevels).toEqual(levels.map(({ iou_15m, iou_32m }: Record<string, number>) => ({ iou_15m, iou_32m })));
    expect(
      Object.entries(model.groups.kind).map(([kind, group]) => [kind, (group as { pairs: number }).pairs]),
    ).toEqual([
      ["board", 1],
      ["wall", 2],
    ]);
    expect(model.groups.kind.wall.score.gt_occupied).toBe((score.gt_occupied / 3) * 2);
    expect(model.groups.rig).toEqual({});
    expect(model.all.disparity.labelled).toBe(3 * 160 * 320);
    expect(answers.all.disparity).toBeUndefined();
    const judged = model.reliability.voxels.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
    expect(judged).toBeGreaterThan(1000);
    await writeFile(join(voxels, "b.csv"), "x,y,z,size_m,state,p_occupied\n0.25,0.25,99,0.5,free,0\n");
    const broken = await failureOf("eval", "stereo", "--data", data, "--voxel-size", "0.5", "--answers", voxels);
    expect(broken).toMatchObject({ exit: 1, code: "DATASET_INVALID" });
    expect(broken.message).toContain("b.csv, line 2");
  });

  it("refuses a folder without pairs", async () => {
    expect(await failureOf("eval", "stereo", "--data", root)).toMatchObject({ exit: 1, code: "DATASET_INVALID" });
  });
});

const street = sharedData("open", "stereo", "drivingstereo_demo");
const judge = sharedData("..", "eval", "voxel_score.py");
const python = pythonWith("numpy", "scipy");

describe.skipIf(street === undefined || judge === undefined || python === undefined)("a real pair", () => {
  it("is scored by eval as the independent judge scores what infer writes", () => {
    const out = join(folder, "street");
    // A low threshold: the comparison must see occupied voxels however well the network is trained.
    const options = ["--occupancy-threshold", "0.12", "--intra-op-threads", "1"];
    const files = inferArgs({
      out,
      left: join(street!, "left.jpg"),
      right: join(street!, "right.jpg"),
      calibration: join(street!, "calib.json"),
    });
    expect(voxelguard(...files, ...options)).toMatchObject({ status: 0, stderr: "" });
    const evaluated = voxelguard("eval", "stereo", "--data", street!, "--repeat", "1", ...options, "--json");
    const ours = JSON.parse(evaluated.stdout).pairs[0].score;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    const judged = spawnSync(python!, [judge!, street!, join(out, "voxels.csv")], { encoding: "utf8", env });
    expect(judged.stderr).toBe("");
    const theirs: Record<string, number> = JSON.parse(judged.stdout);
    expect(theirs["pred_occupied"]).toBeGreaterThan(0);
    // More than 20,000 points: the rays are drawn differently, see judge.test.ts.
    const byRays = /ray|free/;
    for (const [key, value] of Object.entries(theirs)) {
      expect(Math.abs(ours[key] - value), key).toBeLessThanOrEqual(byRays.test(key) ? 0.015 : 1e-9);
    }
  });
});

function cameraYaml(shift: number): string {
  const p = [320, 0, 160, shift, 0, 320, 80, 0, 0, 0, 1, 0];
  return `image_width: 320
image_height: 160
camera_name: made_up
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
camera_matrix: {rows: 3, cols: 3, data: [320, 0, 160, 0, 320, 80, 0, 0, 1]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [${p.join(", ")}]}
`;
}
