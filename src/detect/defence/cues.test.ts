import { describe, expect, it } from "vitest";
import { planLetterbox } from "../letterbox.ts";
import { interleaved, planar } from "../raster.ts";
import { cueGrid, energyInto, textureInto } from "./cues.ts";

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

function maps(data: Uint8Array) {
  const { width, height } = grid;
  const [texture, chroma] = [new Float32Array(width * height), new Float32Array(width * height)];
  textureInto(texture, chroma, interleaved(data, box.canvasWidth, 3), [1, 1, 1], grid);
  return { texture, chroma };
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

  it("are nothing in one colour, however dark the canvas around it", () => {
    const { texture, chroma } = maps(canvas(() => 200));
    expect([...texture, ...chroma].every((value) => value === 0)).toBe(true);
  });

  it("tell grey texture from coloured texture, and where it is", () => {
    const checks = (x: number, y: number) => x >= 28 && x < 36 && (x + y) % 2 === 0;
    const grey = maps(canvas((x, y) => (checks(x, y) ? 180 : 100)));
    // Of every other pixel, and only those whose neighbours three pixels to each side are in the pattern, too.
    const cell = 1 * grid.width + 3;
    expect(grey.texture[cell]).toBeGreaterThan(80);
    expect(grey.chroma[cell]).toBe(0);
    expect(grey.texture[cell - 2]).toBe(0);
    const red = maps(canvas((x, y, c) => (checks(x, y) && c === 0 ? 180 : 100)));
    expect(red.texture[cell]).toBeCloseTo(grey.texture[cell]! / 3);
    expect(red.chroma[cell]).toBeCloseTo(grey.texture[cell]! / Math.SQRT2);
    const blue = maps(canvas((x, y, c) => (checks(x, y) && c === 2 ? 180 : 100)));
    expect(blue.chroma).toEqual(red.chroma);
  });

  it("are in pixel values for a normalised canvas in planes, too", () => {
    const bytes = canvas((x, y, c) => (x * 31 + y * 17 + c * 101) % 256);
    const cells = box.canvasWidth * box.canvasHeight;
    const floats = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i += 1) floats[(i % 3) * cells + Math.floor(i / 3)] = (bytes[i]! - 120) / 50;
    const { texture, chroma } = maps(bytes);
    const [light, colour] = [new Float32Array(texture.length), new Float32Array(texture.length)];
    const planes = planar(floats, box.canvasWidth, box.canvasHeight, 3);
    textureInto(light, colour, planes, [50, 50, 50], grid);
    for (let i = 0; i < texture.length; i += 1) {
      expect(light[i]).toBeCloseTo(texture[i]!, 2);
      expect(colour[i]).toBeCloseTo(chroma[i]!, 2);
    }
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
