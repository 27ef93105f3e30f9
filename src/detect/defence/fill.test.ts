import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interleaved, planar } from "../raster.ts";
import { fillWindow } from "./fill.ts";

const WIDTH = 12;
const HEIGHT = 9;
const frame = [0, 0, WIDTH, HEIGHT] as const;

function grey(valueAt: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => valueAt(i % WIDTH, Math.floor(i / WIDTH)));
}

describe("fillWindow", () => {
  it("continues a slope of brightness", () => {
    const slope = grey((x) => 20 * x);
    const pixels = slope.slice();
    fillWindow(interleaved(pixels, WIDTH, 1), frame, [4, 3, 8, 6]);
    for (let i = 0; i < pixels.length; i += 1) expect(Math.abs(pixels[i]! - slope[i]!)).toBeLessThanOrEqual(12);
    // Middle row: left and right sides weigh as a line would, above and below agree with it but for softening.
    expect(pixels[4 * WIDTH + 5]! - pixels[4 * WIDTH + 4]!).toBeGreaterThan(8);
  });

  it("takes what surrounds the window, never what was inside, and touches nothing else", () => {
    const whole = fc.record({
      x0: fc.integer({ min: -2, max: WIDTH }),
      y0: fc.integer({ min: -2, max: HEIGHT }),
      width: fc.integer({ min: 0, max: WIDTH + 4 }),
      height: fc.integer({ min: 0, max: HEIGHT + 4 }),
      inside: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(whole, ({ x0, y0, width, height, inside }) => {
        const isIn = (x: number, y: number) => x >= x0 && x < x0 + width && y >= y0 && y < y0 + height;
        const before = grey((x, y) => (isIn(x, y) ? inside : 100 + ((x * 7 + y * 13) % 50)));
        const pixels = before.slice();
        fillWindow(interleaved(pixels, WIDTH, 1), frame, [x0, y0, x0 + width, y0 + height]);
        const isAll = before.every((_, i) => isIn(i % WIDTH, Math.floor(i / WIDTH)));
        for (let i = 0; i < pixels.length; i += 1) {
          if (!isIn(i % WIDTH, Math.floor(i / WIDTH))) expect(pixels[i]).toBe(before[i]);
          else if (isAll) expect(pixels[i]).toBe(inside);
          else expect(pixels[i]! >= 99 && pixels[i]! <= 150).toBe(true);
        }
      }),
    );
  });

  it("does the same in planes of floats as in packed bytes, channel by channel", () => {
    const packed = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 37) % 251);
    const planes = new Float32Array(packed.length);
    for (let i = 0; i < packed.length; i += 1) planes[(i % 3) * WIDTH * HEIGHT + Math.floor(i / 3)] = packed[i]!;
    const window = [2.4, 0, 7, 5.5] as const;
    fillWindow(interleaved(packed, WIDTH, 3), frame, window);
    fillWindow(planar(planes, WIDTH, HEIGHT, 3), frame, window);
    for (let i = 0; i < packed.length; i += 1) {
      expect(Math.abs(packed[i]! - planes[(i % 3) * WIDTH * HEIGHT + Math.floor(i / 3)]!)).toBeLessThanOrEqual(0.5001);
    }
  });
});
