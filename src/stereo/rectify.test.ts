import { describe, expect, test } from "vitest";
import { changed, makeInfo } from "../../test/frames/infos.ts";
import type { CameraInfo } from "../core/calibration.ts";
import type { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import { makeRectifier } from "./rectify.ts";

const width = 64;
const height = 48;

function picture(channels: 1 | 3, levelAt: (x: number, y: number, c: number) => number): Image {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i += 1) {
    const pixel = Math.floor(i / channels);
    data[i] = levelAt(pixel % width, Math.floor(pixel / width), i % channels);
  }
  return { width, height, channels, data };
}

const noisy = picture(1, (x, y) => (x * 37 + y * 101 + x * y) % 256);

function rectify(info: CameraInfo, image: Image): Uint8Array {
  const rectifier = makeRectifier(info);
  // What was in the buffer before must not shine through.
  const out = new Uint8Array(rectifier.width * rectifier.height * image.channels).fill(255);
  rectifier.run(out, image);
  return out;
}

describe("exact cases", () => {
  test("a camera without distortion passes every pixel on, the last row and column too", () => {
    expect(rectify(makeInfo(), noisy)).toEqual(noisy.data);
  });

  test("a principal point three pixels to the right shifts the image, with 0 where nothing was", () => {
    const out = rectify(makeInfo({ p: changed(makeInfo().p, { 2: 34.5 }) }), noisy);
    for (let y = 0; y < height; y += 1) {
      expect([...out.slice(y * width, y * width + 3)]).toEqual([0, 0, 0]);
      for (let x = 3; x < width; x += 1) expect(out[y * width + x]).toBe(noisy.data[y * width + x - 3]);
    }
  });

  test("half a pixel is the mean of two", () => {
    const ramp = picture(1, (x, y) => 2 * x + y);
    const out = rectify(makeInfo({ p: changed(makeInfo().p, { 2: 31, 6: 23 }) }), ramp);
    for (let y = 0; y < height - 1; y += 1) {
      for (let x = 0; x < width - 1; x += 1) expect(out[y * width + x]).toBe(Math.round(2 * x + y + 1.5));
    }
  });

  test("three channels are each treated as one", () => {
    const lens = makeInfo({ d: [-0.2, 0.05, 0.001, 0.002, 0] });
    const levelAt = (x: number, y: number, c: number) => (x * 37 + y * 101 + x * y + c * 71) % 256;
    const out = rectify(lens, picture(3, levelAt));
    for (const c of [0, 1, 2]) {
      const grey = rectify(
        lens,
        picture(1, (x, y) => levelAt(x, y, c)),
      );
      expect(out.filter((_, i) => i % 3 === c)).toEqual(grey);
    }
  });

  test("a binned region of the sensor is the same as cutting the full image", () => {
    const d = [-0.2, 0.05, 0.001, 0.002, 0];
    const roi = { xOffset: 8, yOffset: 6, width: 40, height: 30 };
    const ramp = picture(1, (x, y) => 2 * x + 2 * y);
    const whole = rectify(makeInfo({ d }), ramp);
    const cut: Image = { width: 20, height: 15, channels: 1, data: new Uint8Array(300) };
    for (let y = 0; y < 15; y += 1)
      for (let x = 0; x < 20; x += 1) cut.data[y * 20 + x] = ramp.data[(2 * y + 6) * width + 2 * x + 8]!;
    const out = rectify(makeInfo({ d, roi, binningX: 2, binningY: 2 }), cut);
    for (let y = 2; y < 13; y += 1) {
      for (let x = 2; x < 18; x += 1) {
        expect(Math.abs(out[y * 20 + x]! - whole[(2 * y + 6) * width + 2 * x + 8]!)).toBeLessThanOrEqual(1);
      }
    }
  });

  test("a larger output shows more on the right and below", () => {
    const rectifier = makeRectifier(makeInfo(), { width: 70, height: 50 });
    const out = new Uint8Array(70 * 50).fill(255);
    rectifier.run(out, noisy);
    expect(out[69]).toBe(0);
    expect(out[70 * 10 + 20]).toBe(noisy.data[width * 10 + 20]);
  });
});

describe("what cannot be is refused in words", () => {
  test.each<[string, Partial<CameraInfo>, string]>([
    ["P of zeros", { p: new Float64Array(12) }, "P is [0, 0"],
    ["K of zeros", { k: new Float64Array(9) }, "K is [0, 0"],
    ["R of zeros", { r: new Float64Array(9) }, "R is [0, 0"],
    ["NaN in D", { d: [Number.NaN, 0, 0, 0, 0] }, "D is [NaN"],
    ["three coefficients", { d: [0.1, 0.2, 0.3] }, "D has 3 numbers"],
    ["an unknown lens", { distortionModel: "thin_plate", d: [0.1] }, 'the distortion model "thin_plate" is not known'],
    ["no model", { distortionModel: "", d: [0.1, 0, 0, 0, 0] }, 'the distortion model "" is not known'],
  ])("%s", (_, overrides, text) => {
    let fault: Fault | undefined;
    try {
      makeRectifier(makeInfo(overrides));
    } catch (thrown) {
      fault = thrown as Fault;
    }
    expect(fault?.code).toBe("CALIBRATION_INVALID");
    expect(fault?.message).toContain(text);
    expect(fault?.remedy).not.toBe("");
  });

  test("an image of another size", () => {
    const rectifier = makeRectifier(makeInfo());
    expect(() => rectifier.run(new Uint8Array(width * height), { ...noisy, width: 32 })).toThrow("the image is 32x48");
    expect(() => rectifier.run(new Uint8Array(3), noisy)).toThrow("out has 3 bytes");
  });
});
