import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planLetterbox } from "../letterbox.ts";
import { interleaved, planar } from "../raster.ts";
import { cueGrid, energyInto, huesInto } from "./cues.ts";

/** 40 x 20 in the middle of a canvas of 64 x 32. */
const box = planLetterbox(80, 40, { width: 40, height: 32, multiple: 32, place: "centre" });

function canvas(valueAt: (x: number, y: number, c: number) => number): Uint8Array {
  const { canvasWidth, canvasHeight } = box;
  return Uint8Array.from({ length: canvasWidth * canvasHeight * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % canvasWidth, Math.floor(i / 3 / canvasWidth)];
    const inside = x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
    return inside ? valueAt(x, y, i % 3) : 0;
  });
}

const grid = cueGrid(box, 4);

function hues(data: Uint8Array) {
  const out = new Float32Array(grid.width * grid.height);
  huesInto(out, interleaved(data, box.canvasWidth, 3), [1, 1, 1], grid);
  return out;
}

describe("cues", () => {
  it("lie on a grid whose cells name their place in the image", () => {
    expect(box).toMatchObject({ canvasWidth: 64, canvasHeight: 32, width: 40, height: 20, left: 12, top: 6 });
    // The first cell with three pixels of the image before it begins at canvas pixel (16, 12), the last ends at (48, 20).
    const place = { width: 8, height: 2, left: 8, top: 12, cellWidth: 8, cellHeight: 8 };
    expect(grid).toEqual({ ...place, stride: 4, firstX: 4, firstY: 3 });
    const thin = cueGrid(planLetterbox(640, 1, { width: 64, height: 64, place: "corner" }), 4);
    expect([thin.width, thin.height]).toEqual([14, 0]);
  });

  it("are nothing in one colour, or in any pattern of grey or of two colours", () => {
    expect([...hues(canvas(() => 200))].every((value) => value === 0)).toBe(true);
    const random = (x: number, y: number) => ((x * 7919 + y * 104_729) % 251) / 250;
    const colour = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: 255 })));
    fc.assert(
      fc.property(colour, colour, (one, other) => {
        // Either of them, so that rounding adds no third.
        const found = hues(canvas((x, y, c) => (random(x, y) < 0.5 ? one : other)[c]!));
        expect(Math.max(...found)).toBeLessThan(0.01);
      }),
    );
  });

  it("are how far colours wander in the direction in which they wander less, and where", () => {
    // Every other pixel is looked at: red and blue take turns there, each alone.
    const at = (x: number, y: number) => x >= 28 && x < 36 && y >= 12 && y < 20 && x % 2 === 0 && y % 2 === 0;
    const isRed = (x: number, y: number) => (x + y) % 4 === 0;
    const found = hues(canvas((x, y, c) => (at(x, y) && c === (isRed(x, y) ? 0 : 2) ? 150 : 100)));
    // Neighbours are three pixels away, and odd: half of the samples have 4 * 50 in the one direction, half in the other.
    const inside = grid.width + 3;
    expect(found[inside]).toBeCloseTo(200 / Math.SQRT2, 3);
    expect(found[inside - 2]).toBe(0);
    const swapped = hues(canvas((x, y, c) => (at(x, y) && c === (isRed(x, y) ? 2 : 0) ? 150 : 100)));
    expect(swapped[inside]).toBeCloseTo(found[inside]!, 3);
  });

  it("are in pixel values for a normalised canvas in planes, too", () => {
    const bytes = canvas((x, y, c) => (x * 31 + y * 17 + c * (101 + x)) % 256);
    const cells = box.canvasWidth * box.canvasHeight;
    const floats = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i += 1) floats[(i % 3) * cells + Math.floor(i / 3)] = (bytes[i]! - 120) / 50;
    const whole = hues(bytes);
    const shares = new Float32Array(whole.length);
    huesInto(shares, planar(floats, box.canvasWidth, box.canvasHeight, 3), [50, 50, 50], grid);
    expect(Math.max(...whole)).toBeGreaterThan(10);
    for (let i = 0; i < whole.length; i += 1) expect(shares[i]).toBeCloseTo(whole[i]!, 2);
  });

  it("energy is the length of the channels' vector, cell by cell", () => {
    const dims = [1, 2, 8, 16];
    const data = new Float32Array(2 * 8 * 16).fill(3);
    data.fill(4, 8 * 16);
    data[(3 * 16 + 5) * 1] = 0;
    const energy = new Float32Array(grid.width * grid.height);
    energyInto(energy, { data, dims }, grid);
    expect(energy[0]).toBe(5);
    // Cell (5, 3) of the canvas.
    expect(energy[1]).toBe(4);
  });
});
