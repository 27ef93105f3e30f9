import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Box, Detections, Detector } from "../../src/core/detection.ts";
import type { Image } from "../../src/core/image.ts";
import { Defence } from "../../src/detect/defence/defence.ts";
import { Tracker } from "../../src/detect/tracker.ts";
import { openDetector } from "../../src/infer/detector.ts";
import { readPicture } from "../../src/io/picture-file.ts";
import { sharedData } from "../support/shared-data.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
/** Made by training/attacks against this very detector; says on which picture it lies, and where. */
const attack = JSON.parse(readFileSync(join(here, "fixtures/white-box.json"), "utf8"));
const photo = sharedData("open", "detect", "coco_val", "images", attack.image);

let detector: Detector;
beforeAll(async () => {
  detector = await openDetector(join(root, "build/centernet"), { cues: true, threads: 1 });
}, 120_000);
afterAll(async () => await detector.close());

/** Score of the attacked object, 0 where it is not found. */
function scoreOf({ count, boxes, scores, classes }: Detections): number {
  for (let i = 0; i < count; i += 1) {
    const box = boxes.subarray(4 * i, 4 * i + 4);
    if (classes[i] === attack.kind && overlap(box, attack.box) > 0.5) return scores[i]!;
  }
  return 0;
}

function overlap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const common =
    Math.max(0, Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!)) *
    Math.max(0, Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!));
  const area = (box: ArrayLike<number>) => (box[2]! - box[0]!) * (box[3]! - box[1]!);
  return common / (area(a) + area(b) - common);
}

async function attacked(): Promise<Image> {
  const image = await readPicture(photo!);
  const patch = await readPicture(join(here, "fixtures/white-box.png"));
  const [left, top] = attack.patch as Box;
  const data = image.data.slice();
  for (let y = 0; y < patch.height; y += 1) {
    const row = patch.data.subarray(y * patch.width * 3, (y + 1) * patch.width * 3);
    data.set(row, ((top + y) * image.width + left) * 3);
  }
  return { ...image, data };
}

describe.skipIf(photo === undefined)("the defence of the default detector", () => {
  it("gives back what a patch hides, and leaves the clean picture alone", { timeout: 120_000 }, async () => {
    const image = await attacked();
    expect(scoreOf((await detector.run(image))!)).toBeLessThan(0.3);
    const answer = (await new Defence(detector).run(image))!;
    expect(scoreOf(answer)).toBeGreaterThan(0.4);
    expect(answer.masks).toHaveLength(1);
    expect(overlap(answer.masks[0]!.box, attack.patch)).toBeGreaterThan(0.2);
    const clean = (await new Defence(detector).run(await readPicture(photo!)))!;
    expect(clean.masks).toEqual([]);
    expect(scoreOf(clean)).toBeGreaterThan(0.4);
  });

  it("holds the mask over a video that stands still, at little cost", { timeout: 240_000 }, async () => {
    const defence = new Defence(detector);
    const tracker = new Tracker();
    const image = await attacked();
    const passes: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      // The clock stops, too.
      const stampNs = BigInt(Math.min(n, 6)) * 100_000_000n;
      const answer = (await defence.run(image, stampNs, tracker.tracks))!;
      tracker.update(answer, stampNs);
      expect(scoreOf(answer)).toBeGreaterThan(0.4);
      passes.push(answer.passes);
    }
    expect(passes.slice(1).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(11 + 2);
  });
});

describe("the defence, given what is no ordinary image", () => {
  const image = (width: number, height: number, channels: 1 | 3, valueAt: (i: number) => number): Image => ({
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) => valueAt(i)),
  });
  const noise = (i: number) => (i * 2654435761) >>> 24;
  const cases = {
    "one pixel": () => image(1, 1, 3, () => 200),
    "a line": () => image(4000, 1, 1, noise),
    "nothing but noise": () => image(640, 480, 3, noise),
    "grey noise": () => image(640, 480, 1, noise),
    "48 million pixels": (): Image => ({ width: 8000, height: 6000, channels: 1, data: new Uint8Array(48e6).fill(90) }),
  };
  for (const [name, make] of Object.entries(cases)) {
    it(`answers ${name}`, { timeout: 120_000 }, async () => {
      const answer = (await new Defence(detector).run(make()))!;
      expect(answer.masks).toEqual([]);
      expect(answer.passes).toBeLessThanOrEqual(name === "nothing but noise" ? 4 : 2);
      expect(answer.boxes.every((edge) => Number.isFinite(edge))).toBe(true);
    });
  }
});
