import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Box, Cues, Detector, DetectorAnswer, ImageAnswer } from "../../core/detection.ts";
import { common } from "../candidates.ts";
import { certify, maskStarts } from "./certify.ts";

describe("the masks of a certificate", () => {
  it("hide every patch of that size, wherever it lies", () => {
    const sizes = fc.record({
      width: fc.integer({ min: 1, max: 700 }),
      height: fc.integer({ min: 1, max: 700 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      at: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(sizes, ({ width, height, share, at }) => {
        const patch = Math.ceil(Math.sqrt(share * width * height));
        const starts = maskStarts(width, height, patch);
        const x = Math.round(at[0] * Math.max(0, width - patch));
        const y = Math.round(at[1] * Math.max(0, height - patch));
        expect(
          starts.some(
            (start) => start.x <= x && x <= start.x + start.step && start.y <= y && y <= start.y + start.step,
          ),
        ).toBe(true);
        expect(starts.length).toBeLessThanOrEqual(64);
      }),
    );
  });
});

/** Sees a person as long as less than half of it is filled, and a dog unless its nose is. */
class Fake implements Detector {
  readonly name = "fake";
  readonly sha256 = "";
  readonly classes = ["person", "dog"];
  readonly scoreThreshold = 0.3;
  readonly person: Box = [20, 20, 220, 380];
  readonly dog: Box = [300, 300, 380, 360];
  readonly nose: Box = [100, 10, 102, 12];

  async run(): Promise<ImageAnswer> {
    const place = { width: 100, height: 100, left: 0, top: 0, cellWidth: 4, cellHeight: 4 };
    const maps = { hues: new Float32Array(10_000) };
    return { ...this.#look([]), imageId: 1, cues: { ...place, maps } satisfies Cues };
  }

  async again(_: number, variants: readonly (readonly Box[])[]): Promise<DetectorAnswer[]> {
    return variants.map((windows) => this.#look(windows));
  }

  async close(): Promise<void> {}

  #look(windows: readonly Box[]): DetectorAnswer {
    const filled = (box: Box, share: number) =>
      windows.some((each) => common(each, 0, 0, box) > share * (box[2] - box[0]) * (box[3] - box[1]));
    const seen = [
      ...(filled(this.person, 0.5) ? [] : [{ box: this.person, kind: 0 }]),
      ...(filled(this.nose, 0) || filled(this.dog, 0.2) ? [] : [{ box: this.dog, kind: 1 }]),
    ];
    return {
      count: seen.length,
      boxes: Float32Array.from(seen.flatMap(({ box }) => box)),
      scores: new Float32Array(seen.length).fill(0.8),
      classes: Uint16Array.from(seen, ({ kind }) => kind),
      stagesMs: {},
    };
  }
}

describe("a certificate", () => {
  const image = { width: 400, height: 400, channels: 1, data: new Uint8Array(160_000) } as const;
  it("is given to what survives each mask, and says what it cost", async () => {
    const answer = (await certify(new Fake(), image, 0.01))!;
    expect(answer).toMatchObject({ patchPx: 40, survives: ["anywhere", "no"], passes: 65 });
  });

  it("names what only a patch on it takes away", async () => {
    const detector = new Fake();
    Object.assign(detector, { nose: [320, 310, 350, 340] });
    expect((await certify(detector, image, 0.01))!.survives).toEqual(["anywhere", "no"]);
    // Every patch that this nose's masks are there for touches the larger dog.
    Object.assign(detector, { nose: [340, 330, 341, 331], dog: [230, 230, 395, 395] });
    expect((await certify(detector, image, 0.04))!.survives[1]).toBe("beside");
  });
});
