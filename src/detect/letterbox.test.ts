import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CanvasSpec, planLetterbox, unletterbox } from "./letterbox.ts";

const centred: CanvasSpec = { width: 512, height: 512, place: "centre", multiple: 32 };

describe("an image in a canvas", () => {
  it("keeps its shape, is centred, and the canvas is cut down to multiples", () => {
    expect(planLetterbox(1242, 375, centred)).toEqual({
      canvasWidth: 512,
      canvasHeight: 160,
      width: 512,
      height: 155,
      left: 0,
      top: 2,
      scaleX: 512 / 1242,
      scaleY: 155 / 375,
    });
  });

  it("lies in the corner of a fixed canvas", () => {
    const box = planLetterbox(640, 480, { width: 416, height: 416, place: "corner" });
    expect(box).toMatchObject({ canvasWidth: 416, canvasHeight: 416, width: 416, height: 312, left: 0, top: 0 });
  });

  it("fills the canvas where it is stretched", () => {
    const box = planLetterbox(640, 480, { width: 352, height: 352, place: "stretch" });
    expect(box).toMatchObject({ width: 352, height: 352, left: 0, top: 0, scaleX: 0.55, scaleY: 352 / 480 });
  });

  it("has at least one pixel, fits, and its own box comes back as the whole image", () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    const specs = fc.constantFrom<CanvasSpec>(
      centred,
      { width: 320, height: 256, place: "corner" },
      { width: 352, height: 352, place: "stretch" },
    );
    fc.assert(
      fc.property(side, side, specs, (width, height, spec) => {
        const box = planLetterbox(width, height, spec);
        expect(Math.min(box.width, box.height, box.left + 1, box.top + 1)).toBeGreaterThanOrEqual(1);
        expect(box.left + box.width).toBeLessThanOrEqual(box.canvasWidth);
        expect(box.top + box.height).toBeLessThanOrEqual(box.canvasHeight);
        expect([box.canvasWidth % (spec.multiple ?? 1), box.canvasHeight % (spec.multiple ?? 1)]).toEqual([0, 0]);
        const boxes = Float32Array.of(
          box.left,
          box.top,
          box.left + box.width,
          box.top + box.height,
          -9,
          -9,
          9999,
          9999,
        );
        unletterbox(boxes, 2, box);
        for (const [i, wanted] of [0, 0, width, height, 0, 0, width, height].entries()) {
          expect(Math.abs(boxes[i]! - wanted)).toBeLessThanOrEqual(1e-6 * wanted);
        }
      }),
    );
  });
});
