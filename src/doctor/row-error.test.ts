import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Health } from "../core/health.ts";
import type { Image } from "../core/image.ts";
import type { RectifiedPair } from "../core/ports.ts";
import { makeMatcher } from "../infer/matcher.ts";
import { openBag } from "../io/bag.ts";
import { stereoSource } from "../io/stereo-bag.ts";
import { findStereoTopics } from "../io/stereo-topics.ts";
import { rectifiedPairs } from "../pipeline/frames.ts";
import { makeFrameCounts } from "../pipeline/frames-counts.ts";
import { rowErrorFinding, rowErrors } from "./row-error.ts";

const file = (path: string) => new URL(`../../${path}`, import.meta.url).pathname;
const match = makeMatcher(readFileSync(file("models/octree-stereo/matcher.wasm")));

describe("on a rendered pair, whose rows are exact", () => {
  let pair: RectifiedPair;

  beforeAll(async () => {
    const bag = await openBag(file("demo/drive.mcap"));
    const source = stereoSource(bag, findStereoTopics(bag.topics), { want: "grey" });
    const options = { rectify: "auto", rectifiedByName: true } as const;
    for await (const posed of rectifiedPairs(source, options, new Health(), makeFrameCounts())) {
      pair = posed.pair;
      break;
    }
    await bag.close();
  });

  const errors = (right: Image) => rowErrors([{ left: pair.left, right }], match);

  it("finds none", () => {
    const found = errors(pair.right);
    expect(found.parts.filter((part) => part !== undefined).length).toBeGreaterThanOrEqual(6);
    for (const part of found.parts) expect(Math.abs(part ?? 0)).toBeLessThan(0.25);
    expect(rowErrorFinding(found, false).verdict).toBe("ok");
  });

  it.each([-4, -0.5, 0.75, 1.4, 3])("finds a right eye that sits %d px off", (offPx) => {
    const found = errors(lowered(pair.right, () => offPx));
    for (const part of found.parts) if (part !== undefined) expect(Math.abs(part - offPx)).toBeLessThan(0.4);
    expect(Math.abs(medianOf(found.parts) - offPx)).toBeLessThan(0.12);
    const wanted = Math.abs(offPx) > 1.5 ? "fail" : Math.abs(offPx) > 0.6 ? "warn" : /ok|warn/;
    expect(rowErrorFinding(found, false).verdict).toMatch(wanted);
  });

  it("finds a turned eye, which errs up on one side and down on the other", () => {
    const { width } = pair.right;
    const found = errors(lowered(pair.right, (x) => (4 * x) / width - 2));
    const [left, right] = [found.parts[3], found.parts[5]];
    expect(left).toBeLessThan(-0.7);
    expect(right).toBeGreaterThan(0.7);
    expect(rowErrorFinding(found, true)).toMatchObject({
      verdict: "warn",
      remedy: expect.stringMatching(/^The images were rectified here.*Calibrate the pair anew/),
    });
  });

  it("says so where nothing matches", () => {
    const found = errors(lowered(pair.right, () => 40));
    expect(rowErrorFinding(found, false)).toMatchObject({
      verdict: "warn",
      seen: expect.stringContaining("no rows of left and right were found to match"),
    });
  });
});

/** The picture with each column moved down by so many pixels, linear between rows. */
function lowered({ width, height, data }: Image, byPx: (x: number) => number): Image {
  const out = new Uint8Array(data.length);
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) {
      const from = Math.min(height - 1, Math.max(0, y - byPx(x)));
      const [row, part] = [Math.floor(from), from % 1];
      const below = Math.min(height - 1, row + 1);
      out[y * width + x] = Math.round(data[row * width + x]! * (1 - part) + data[below * width + x]! * part);
    }
  }
  return { width, height, channels: 1, data: out };
}

function medianOf(parts: readonly (number | undefined)[]): number {
  const known = parts.filter((part) => part !== undefined).sort((a, b) => a - b);
  return known[known.length >> 1]!;
}
