import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProgram } from "../../src/cli/program.ts";
import { run } from "../../src/cli/run.ts";
import { encodeOnnx } from "../../src/infer/onnx-file.ts";
import { cutBag } from "../../src/io/bag-tools.ts";
import { writeDetector, yoloxClasses, yoloxGraph } from "./graphs.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = mkdtempSync(join(tmpdir(), "voxelguard-detect-"));
const pictures = join(folder, "pictures");
const model = join(folder, "model");
const graph = yoloxGraph([{ cell: 10, values: [0.5, 0.5, Math.log(2), 0, 1, 0.2, 0.75] }]);

beforeAll(async () => {
  mkdirSync(pictures);
  writeDetector(model, graph);
  const grey = { width: 128, height: 128, channels: 3, background: "#808080" } as const;
  await sharp({ create: grey }).png().toFile(join(pictures, "a.png"));
  await sharp({ create: grey }).toColourspace("b-w").jpeg().toFile(join(pictures, "c.jpg"));
  writeFileSync(join(pictures, "b.png"), "no picture");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function voxelguard(...args: string[]) {
  const main = join(root, "src/cli/main.ts");
  return spawnSync(process.execPath, ["--import", "tsx", main, ...args], { encoding: "utf8", cwd: root });
}

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The fault that `--json` shows. */
async function failureOf(...args: string[]): Promise<{ exit: number; code: string; message: string; remedy: string }> {
  let out = "";
  const streams = { stdout: { write: (text: string) => (out += text) }, stderr: { write: () => {} } };
  const exit = await run(makeProgram(), [...args, "--json"], streams);
  return { exit, ...JSON.parse(out).error };
}

describe("voxelguard detect", () => {
  it("prints a line for each picture, says which cannot be read, draws the others", async () => {
    const out = join(folder, "drawn");
    const { status, stdout, stderr } = voxelguard("detect", pictures, "--model", model, "--draw", out);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    const [a, b, c] = linesOf(stdout);
    const dog = { class: "dog", class_id: 1, score: 0.75, box: [24, 16, 56, 32] };
    expect(a).toMatchObject({ image: join(pictures, "a.png"), width: 128, height: 128, detections: [dog] });
    expect(Object.keys(a.stages_ms)).toEqual(["letterbox", "network", "decode", "cues"]);
    expect(a).toMatchObject({ passes: 1, masks: [], looked_into: [] });
    expect(b.error).toMatchObject({ code: "IMAGE_CORRUPT" });
    expect(c.detections).toEqual([dog]);
    for (const name of ["a.png", "c.png"]) {
      const { data, info } = await sharp(join(out, name)).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height, info.channels]).toEqual([128, 128, 3]);
      const pixel = (x: number, y: number) => [...data.subarray((y * 128 + x) * 3, (y * 128 + x) * 3 + 3)];
      const [red, green, blue] = pixel(24, 24) as [number, number, number];
      // The left edge has the colour of the class, the middle and the outside are as they were.
      expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeGreaterThan(60);
      expect([pixel(40, 24), pixel(100, 100)].flat().every((value) => Math.abs(value - 128) <= 1)).toBe(true);
    }
  });

  it("writes COCO's results format, with what was masked in each image", async () => {
    const few = join(folder, "few");
    mkdirSync(few);
    for (const name of ["000000000012.png", "7.png"]) copyFileSync(join(pictures, "a.png"), join(few, name));
    const out = join(folder, "detections.json");
    const off = voxelguard("detect", "--images", few, "--out", out, "--model", model, "--defence", "off");
    expect(off).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const written = JSON.parse(readFileSync(out, "utf8"));
    expect(written.detections).toEqual([
      { image_id: 7, category_id: 2, bbox: [24, 16, 32, 16], score: 0.75 },
      { image_id: 12, category_id: 2, bbox: [24, 16, 32, 16], score: 0.75 },
    ]);
    expect(written.categories[1]).toEqual({ id: 2, name: "dog" });
    expect(written.images[0]).toEqual({ id: 7, image: join(few, "7.png"), width: 128, height: 128 });
    const masks = join(folder, "masks");
    const on = voxelguard("detect", few, "--out", out, "--model", model, "--mask-out", masks);
    expect(on.status).toBe(0);
    const defended = JSON.parse(readFileSync(out, "utf8"));
    expect(defended.detections).toEqual(written.detections);
    expect(defended.images[0]).toMatchObject({ passes: 1, masks: [] });
    const { data, info } = await sharp(join(masks, "7.png"))
      .extractChannel(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels, Math.max(...data)]).toEqual([128, 128, 1, 0]);
  });

  it("looks once more at every picture where it may: what is a little colourful is filled", async () => {
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => 108 + ((i * i * 7919) % 41));
    const colourful = join(folder, "colourful.png");
    await sharp(data, { raw: { width: 64, height: 64, channels: 3 } }).toFile(colourful);
    for (const [options, passes] of [
      [[], 1],
      [["--patrol", "1"], 2],
    ] as const) {
      const { stdout } = voxelguard("detect", colourful, "--model", model, ...options);
      expect(linesOf(stdout)[0]).toMatchObject({ passes, masks: [] });
    }
  });

  it("certifies what does not hang on any part of the picture", async () => {
    const { status, stdout } = voxelguard("detect", join(pictures, "a.png"), "--model", model, "--certify");
    expect(status).toBe(0);
    const [line] = linesOf(stdout);
    // The made-up network answers the same whatever it sees.
    expect(line.detections).toEqual([expect.objectContaining({ class: "dog", survives: "anywhere" })]);
    expect(line).toMatchObject({ passes: 65, patch_px: 13 });
  });

  it("looks at the left camera of a recording", async () => {
    const bag = join(folder, "short.mcap");
    await cutBag(join(root, "demo/drive.mcap"), bag, { toS: 0.35 });
    const { status, stdout, stderr } = voxelguard("detect", bag, "--score", "0.1");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = linesOf(stdout);
    expect(lines.length).toBeGreaterThan(1);
    expect(new Set(lines.map(({ topic }) => topic))).toEqual(new Set([expect.stringContaining("left")]));
    const stamps = lines.map(({ stamp_ns }) => BigInt(stamp_ns));
    expect(stamps).toEqual([...stamps].sort());
    const other = await failureOf("detect", bag, "--topic", "/nowhere", "--model", model);
    expect(other).toMatchObject({ exit: 1, code: "TOPIC_MISSING", message: expect.stringContaining("/left") });
  });

  it("refuses what it cannot do, in words", async () => {
    const a = join(pictures, "a.png");
    expect(await failureOf("detect", join(pictures, "b.png"), "--model", model)).toMatchObject({
      exit: 1,
      code: "IMAGE_CORRUPT",
    });
    expect(await failureOf("detect", join(folder, "none.png"), "--model", model)).toMatchObject({
      code: "IMAGE_MISSING",
    });
    expect(await failureOf("detect", a, "--model", folder)).toMatchObject({ code: "MODEL_MISSING" });
    expect(await failureOf("detect", a, "--model", model, "--classes", "cow")).toMatchObject({
      exit: 2,
      code: "USAGE",
    });
    expect(await failureOf("detect", a, "--images", a)).toMatchObject({ exit: 2, code: "USAGE" });
    expect(await failureOf("detect", a, "--defence", "perhaps")).toMatchObject({ exit: 2 });
    expect(await failureOf("detect", a, "--patrol", "-1")).toMatchObject({ exit: 2 });
    expect(await failureOf("detect", a, "--score", "2")).toMatchObject({
      exit: 2,
      message: expect.stringContaining("0 to 1"),
    });
  });
});

describe("voxelguard models import", () => {
  const file = join(folder, "pets.onnx");
  const names = join(folder, "pets.txt");
  const out = join(folder, "imported");
  const importing = (...args: string[]) => failureOf("models", "import", file, "--out", out, ...args);
  beforeAll(() => {
    writeFileSync(file, graph);
    writeFileSync(names, `${yoloxClasses.join("\n")}\n\n`);
  });

  it("makes a folder that detect and verify take", () => {
    const made = voxelguard("models", "import", file, "--kind", "yolox", "--classes", names, "--out", out);
    expect(made.stdout).toBe(`pets: yolox, 64 x 64, 2 classes -> ${out}\n`);
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({ kind: "yolox", classes: yoloxClasses, outputs: ["output"] });
    const [line] = linesOf(voxelguard("detect", join(pictures, "a.png"), "--model", out).stdout);
    expect(line.detections).toHaveLength(1);
    const verified = voxelguard("models", "verify", out, "--json");
    expect(JSON.parse(verified.stdout)).toMatchObject({ folder: out, files: [{ name: "model.onnx" }] });
  });

  it("names the difference where a graph does not fit", async () => {
    expect(await importing("--kind", "yolox")).toMatchObject({
      code: "MODEL_MISMATCH",
      message: `${file} is no yolox: its output output is [1, 84, 7], wanted [n, 84, 85]`,
    });
    expect((await importing("--kind", "picodet", "--classes", names)).message).toContain(
      "1 outputs are named, wanted 8",
    );
    expect((await importing("--kind", "centernet", "--classes", names)).message).toContain("is float32, wanted uint8");
    expect(await importing("--kind", "other")).toMatchObject({ exit: 2 });
    copyFileSync(join(pictures, "b.png"), file);
    expect(await importing("--kind", "yolox")).toMatchObject({ code: "MODEL_CORRUPT" });
    const open = { name: "images", type: "float32", dims: [1, 3, "h", "w"] } as const;
    const nodes = [{ op: "Identity", inputs: ["images"], output: "output" }];
    const outputs = [{ ...open, name: "output" }];
    writeFileSync(file, encodeOnnx({ name: "open", nodes, constants: [], inputs: [open], outputs }));
    expect((await importing("--kind", "yolox")).message).toContain("leaves the size of its input images open");
  });
});
