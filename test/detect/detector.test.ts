import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Box, Detections, Detector } from "../../src/core/detection.ts";
import type { Image } from "../../src/core/image.ts";
import { type DetectorOptions, openDetector } from "../../src/infer/detector.ts";
import { readPicture } from "../../src/io/picture-file.ts";
import { sharedData } from "../support/shared-data.ts";
import { meanGraph, writeDetector, yoloxGraph } from "./graphs.ts";

const centernet = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "build/centernet");
const folder = mkdtempSync(join(tmpdir(), "voxelguard-detector-"));
const photo = sharedData("open", "detect", "coco_val", "images", "000000000139.jpg");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: Detector[] = [];
async function open(path: string, options: DetectorOptions = {}): Promise<Detector> {
  const detector = await openDetector(path, options);
  opened.push(detector);
  return detector;
}
afterEach(async () => {
  for (const detector of opened.splice(0)) await detector.close();
});

function image(width: number, height: number, channels: 1 | 3, value = 0): Image {
  return { width, height, channels, data: new Uint8Array(width * height * channels).fill(value) };
}

async function found(detector: Detector, seen: Image) {
  const answer = await detector.run(seen);
  if (answer === undefined) return undefined;
  return Array.from({ length: answer.count }, (_, i) => ({
    name: detector.classes[answer.classes[i]!],
    score: answer.scores[i]!,
    box: [...answer.boxes.subarray(4 * i, 4 * i + 4)],
  }));
}

/** Cell x 2, y 1 of stride 8: centre (20, 12), 16 x 8 pixels; beside it, nearly the same, a weaker one. */
const twice = yoloxGraph([
  { cell: 8 + 2, values: [0.5, 0.5, Math.log(2), 0, 1, 0.2, 0.75] },
  { cell: 8 + 3, values: [-0.5, 0.5, Math.log(2), 0, 1, 0.5, 0.6] },
]);

describe("a detector", () => {
  it("gives boxes in pixels of the image, doubles suppressed", async () => {
    const detector = await open(writeDetector(join(folder, "twice"), twice));
    // The canvas shows the image of 128 x 96 at half its size, in the corner.
    const [dog, cat, ...rest] = (await found(detector, image(128, 96, 3)))!;
    expect(rest).toEqual([]);
    expect(dog).toMatchObject({ name: "dog", score: 0.75 });
    for (const [i, edge] of [24, 16, 56, 32].entries()) expect(dog!.box[i]).toBeCloseTo(edge, 4);
    expect(cat).toMatchObject({ name: "cat", score: 0.5 });
  });

  it("keeps to thresholds, classes and number that are asked for", async () => {
    const path = writeDetector(join(folder, "options"), twice);
    const names = async (options: DetectorOptions) =>
      (await found(await open(path, options), image(64, 64, 1)))!.map(({ name }) => name);
    expect(await names({ scoreThreshold: 0.7 })).toEqual(["dog"]);
    expect(await names({ classes: ["cat"] })).toEqual(["cat"]);
    expect(await names({ iouThreshold: 1 })).toEqual(["dog", "dog", "cat"]);
    expect(await names({ iouThreshold: 1, most: 2 })).toEqual(["dog", "dog"]);
    await expect(openDetector(path, { classes: ["bird"] })).rejects.toMatchObject({
      code: "USAGE",
      message: 'The detector knows no class "bird"; it knows cat, dog',
    });
  });

  it("answers every image in order, or of those that wait only the newest", async () => {
    const path = writeDetector(join(folder, "backlog"), twice);
    const sizes = [32, 64, 128, 64];
    const every = await open(path);
    const answers = await Promise.all(sizes.map((size) => every.run(image(size, size, 3))));
    // 24 pixels of the canvas of 64 are so many of the image.
    expect(answers.map((answer) => Math.round(answer!.boxes[2]!))).toEqual([14, 28, 56, 28]);
    const newest = await open(path, { backlog: "newest" });
    const few = await Promise.all(sizes.map((size) => newest.run(image(size, size, 3))));
    expect(few.map((answer) => answer !== undefined)).toEqual([true, false, false, true]);
  });

  it("refuses a folder whose graph is not what the manifest says", async () => {
    const refused = async (name: string, change: Parameters<typeof writeDetector>[2]) => {
      const thrown = await openDetector(writeDetector(join(folder, name), twice, change)).catch((fault) => fault);
      expect(thrown.code).toBe("MODEL_MISMATCH");
      return thrown.message as string;
    };
    expect(await refused("classes", { classes: ["one"] })).toContain(
      "model.onnx does not fit its manifest: its output output is [1, 84, 7], wanted [n, 84, 6]",
    );
    expect(await refused("output", { outputs: ["other"] })).toContain("it has no output other");
    expect(await refused("kind", { kind: "fastestdet" })).toContain("wanted [n, 7, 4, 4]");
    expect(await refused("count", { kind: "picodet" })).toContain("1 outputs are named, wanted 8");
    writeFileSync(join(writeDetector(join(folder, "changed"), twice), "model.onnx"), twice.subarray(1));
    await expect(openDetector(join(folder, "changed"))).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
    await expect(openDetector(join(folder, "nowhere"))).rejects.toMatchObject({ code: "MODEL_MISSING" });
    const broken = writeDetector(join(folder, "broken"), Uint8Array.of(1, 2, 3));
    await expect(openDetector(broken)).rejects.toMatchObject({ code: "MODEL_MISMATCH" });
  });

  it("refuses an image that is not what it says", async () => {
    const detector = await open(writeDetector(join(folder, "shape"), twice));
    await expect(detector.run({ ...image(8, 8, 3), width: 9 })).rejects.toMatchObject({ code: "IMAGE_SHAPE" });
    await expect(detector.run(image(0, 0, 3))).rejects.toMatchObject({ code: "IMAGE_SHAPE" });
    expect(await found(detector, image(8, 8, 3))).toHaveLength(2);
  });
});

describe("an image again", () => {
  it("is answered once for each list of windows, before the next image", async () => {
    const detector = await open(writeDetector(join(folder, "again"), twice));
    const first = (await detector.run(image(128, 96, 3)))!;
    expect(first.cues).toBeUndefined();
    expect(await detector.again(first.imageId, [])).toEqual([]);
    const answers = await detector.again(first.imageId, [[], [[0, 0, 64, 64]]]);
    expect(answers.map(({ boxes }) => boxes)).toEqual([first.boxes, first.boxes]);
    await detector.run(image(8, 8, 1));
    await expect(detector.again(first.imageId, [[]])).rejects.toMatchObject({ code: "USAGE" });
  });

  it("shows the network filled windows: batched or one by one, the same", async () => {
    for (const dims of [
      ["n", 3, 64, 64],
      [1, 3, 64, 64],
    ]) {
      const path = writeDetector(join(folder, `mean-${dims[0]}`), meanGraph(dims));
      const detector = await open(path, { cues: true, scoreThreshold: 0 });
      const half = image(64, 64, 3);
      half.data.fill(255, half.data.length / 2);
      const whole = (await detector.run(half))!;
      expect(whole.scores[0]).toBeCloseTo(0.5);
      expect(whole.cues).toMatchObject({ width: 14, height: 14, left: 4, cellWidth: 4 });
      expect(whole.cues!.maps.hues).toHaveLength(14 * 14);
      const answers = await detector.again(whole.imageId, [[[0, 32, 64, 64]], [], [[0, 0, 64, 32]]]);
      expect(answers.map(({ scores }) => Number(scores[0]!.toFixed(3)))).toEqual([0, 0.5, 1]);
    }
  });

  it("refuses an early layer that is not there", async () => {
    const path = writeDetector(join(folder, "tap"), twice, { tap: { name: "early", stride: 4 } });
    await expect(openDetector(path, { cues: true })).rejects.toMatchObject({
      code: "MODEL_MISMATCH",
      message: expect.stringContaining("it has no output early"),
    });
    const other = writeDetector(join(folder, "tap2"), twice, { tap: { name: "output", stride: 4 } });
    await expect(openDetector(other, { cues: true })).rejects.toMatchObject({
      message: expect.stringContaining("is float32 [1, 84, 7], wanted float32 [n, channels, 16, 16]"),
    });
  });
});

describe("the default detector", () => {
  it.skipIf(photo === undefined)("answers a batch as it does single images, and gives its early layer", async () => {
    const detector = await open(centernet, { cues: true, scoreThreshold: 0.2 });
    const colour = await readPicture(photo!);
    const first = (await detector.run(colour))!;
    const { maps, width, height } = first.cues!;
    expect([width, height, maps.energy!.length]).toEqual([126, 83, 126 * 83]);
    expect(Math.max(...maps.energy!)).toBeGreaterThan(1);
    const tv: Box = [0, 150, 180, 290];
    const [same, without, both] = await detector.again(first.imageId, [[], [tv], [tv, [300, 100, 400, 300]]]);
    expect(same!.boxes).toEqual(first.boxes);
    expect(same!.scores).toEqual(first.scores);
    const names = ({ count, classes }: Detections) =>
      Array.from({ length: count }, (_, i) => detector.classes[classes[i]!]);
    expect(names(first)).toContain("tv");
    const [again] = await detector.again(first.imageId, [[tv]]);
    expect(again!.scores).toEqual(without!.scores);
    expect(names(without!).filter((name) => name === "tv").length).toBeLessThan(
      names(first).filter((name) => name === "tv").length,
    );
    expect(both!.count).toBeGreaterThan(0);
  });

  it("finds nothing in one colour, from one pixel to 24 million", async () => {
    const detector = await open(centernet);
    for (const [width, height] of [
      [1, 1],
      [1, 500],
      [3000, 2],
      [6000, 4000],
    ] as const) {
      expect(await found(detector, image(width, height, 3, 90))).toEqual([]);
    }
  });

  it.skipIf(photo === undefined)("finds the same in a picture at twice its size, and in grey", async () => {
    const colour = await readPicture(photo!);
    const detector = await open(centernet, { scoreThreshold: 0.5 });
    const seen = (await found(detector, colour))!;
    expect(seen.map(({ name }) => name)).toEqual(["tv", "chair"]);
    const tv = seen[0]!;
    for (const [i, edge] of labelledBox(62, colour).entries()) expect(Math.abs(tv.box[i]! - edge)).toBeLessThan(12);
    const double = doubled(colour);
    const again = (await found(detector, double))!.find(({ name }) => name === "tv")!;
    for (const [i, edge] of tv.box.entries()) expect(Math.abs(again.box[i]! / 2 - edge)).toBeLessThan(2);
    const grey = await readPicture(photo!, "grey");
    expect(grey.channels).toBe(1);
    expect((await found(detector, grey))![0]).toMatchObject({ name: "tv" });
  });
});

/** The first labelled box of a class: left, top, right, bottom, pixels. */
function labelledBox(kind: number, { width, height }: Image): number[] {
  const lines = readFileSync(photo!.replace("images", "labels").replace(".jpg", ".txt"), "utf8").split("\n");
  const line = lines.find((each) => each.startsWith(`${kind} `))!;
  const [, cx, cy, w, h] = line.split(" ").map(Number) as [number, number, number, number, number];
  return [(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height];
}

/** Each pixel four times. */
function doubled({ width, height, channels, data }: Image): Image {
  const out = image(2 * width, 2 * height, channels);
  for (let y = 0; y < 2 * height; y += 1) {
    for (let x = 0; x < 2 * width; x += 1) {
      const from = ((y >> 1) * width + (x >> 1)) * channels;
      out.data.set(data.subarray(from, from + channels), (y * 2 * width + x) * channels);
    }
  }
  return out;
}
