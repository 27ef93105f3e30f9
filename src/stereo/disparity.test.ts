import { describe, expect, it } from "vitest";
import type { Image } from "../core/image.ts";
import type { DisparityMap } from "../core/ports.ts";
import { depthInto, makeDisparityPixels, sureDisparityInto } from "./disparity.ts";

/** Rows of cells from rows of disparities; the same spread for all but those named. */
function cellsOf(rows: readonly (readonly number[])[], unsure: readonly number[] = []): DisparityMap {
  const disparityPx = Float32Array.from(rows.flat());
  const spreadPx = Float32Array.from(disparityPx, (_, i) => (unsure.includes(i) ? 4 : 0.2));
  const weight = new Float32Array(disparityPx.length).fill(0.9);
  return { rows: rows.length, columns: rows[0]!.length, disparityPx, spreadPx, weight };
}

function imageOf(width: number, height: number, greyAt: (u: number, v: number) => number): Image {
  const data = Uint8Array.from({ length: width * height }, (_, i) => greyAt(i % width, Math.floor(i / width)));
  return { width, height, channels: 1, data };
}

const flat = (width: number, height: number) => imageOf(width, height, () => 100);

describe("makeDisparityPixels", () => {
  it("gives each pixel of an even surface its disparity, whatever the picture", () => {
    const noisy = imageOf(18, 11, (u, v) => (u * 83 + v * 149) % 256);
    const { width, height, data } = makeDisparityPixels()(cellsOf(Array(4).fill(Array(6).fill(7.25))), noisy);
    expect([width, height, data.length]).toEqual([18, 11, 18 * 11]);
    expect(new Set(data)).toEqual(new Set([7.25]));
  });

  it("overrules a lone cell, in the middle and in every corner", () => {
    for (const lone of [14, 0, 5, 18, 23]) {
      const values = Array.from({ length: 24 }, (_, i) => (i === lone ? 90 : 10));
      const rows = [0, 6, 12, 18].map((from) => values.slice(from, from + 6));
      expect(new Set(makeDisparityPixels()(cellsOf(rows, [lone]), flat(24, 16)).data)).toEqual(new Set([10]));
    }
  });

  it("weighs by certainty: one sure cell outweighs unsure neighbours", () => {
    const rows = Array(5).fill(Array(5).fill(30)) as number[][];
    const cells = cellsOf(rows, Array.from(Array(25).keys()));
    cells.disparityPx[12] = 8;
    cells.spreadPx[12] = 0.03;
    expect(makeDisparityPixels()(cells, flat(20, 20)).data[10 * 20 + 10]).toBe(8);
  });

  it("lets the edge run where the picture has it, not where the cells end", () => {
    // A bright thing from column 10 on; the cell of columns 8 to 11 belongs to the dark ground.
    const rows = Array(4).fill([5, 5, 5, 20, 20, 20]) as number[][];
    const { data } = makeDisparityPixels()(
      cellsOf(rows),
      imageOf(24, 16, (u) => (u < 10 ? 40 : 200)),
    );
    for (let v = 0; v < 16; v += 1) {
      const line = Array.from(data.subarray(v * 24, (v + 1) * 24));
      expect(line).toEqual([...Array(10).fill(5), ...Array(14).fill(20)]);
    }
  });

  it("lends its answer: a second picture of the same size takes the same array", () => {
    const pixels = makeDisparityPixels();
    const first = pixels(cellsOf([[1, 1]]), flat(8, 4)).data;
    expect(pixels(cellsOf([[2, 2]]), flat(8, 4)).data).toBe(first);
    expect(first[0]).toBe(2);
    expect(pixels(cellsOf([[3], [3]]), flat(3, 7)).data).toHaveLength(21);
  });
});

describe("what is published", () => {
  const calibration = { width: 8, height: 4, fx: 100, fy: 100, cx: 4, cy: 2, baselineM: 0.5, doffsPx: 3 };
  const cells = cellsOf([[10, 2]], [1]);
  const out = new Float32Array(32);

  it("depth is fx baseline / disparity, +Infinity beyond the range, NaN where the network is not sure", () => {
    const pixels = {
      width: 8,
      height: 4,
      data: Float32Array.from({ length: 32 }, (_, i) => [10, 2.4, 0, -1][i >> 3]!),
    };
    depthInto(out, pixels, cells, calibration, 20);
    expect(out.filter((_, i) => i % 8 >= 4).every(Number.isNaN)).toBe(true);
    expect([out[0], out[8], out[16], out[24]]).toEqual([5, ...Array(3).fill(Number.POSITIVE_INFINITY)]);
  });

  it("disparity is never below 0 but where the network is not sure", () => {
    const pixels = { width: 8, height: 4, data: new Float32Array(32).fill(-0.5) };
    sureDisparityInto(out, pixels, cells);
    expect([out[0], out[4]]).toEqual([0, -1]);
  });
});
