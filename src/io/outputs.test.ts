import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";
import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, UNKNOWN } from "../core/occupancy.ts";
import { distancePalette, heightPalette, shadeAt } from "./palette.ts";
import { plyOf } from "./ply.ts";
import { renderPreview } from "./preview.ts";
import { drawVoxels } from "./preview-camera.ts";
import { voxelsCsv, writeVoxelsCsv } from "./voxels-csv.ts";

const folder = mkdtempSync(join(tmpdir(), "voxelguard-outputs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const calibration: StereoCalibration = {
  width: 120,
  height: 60,
  fx: 100,
  fy: 100,
  cx: 60,
  cy: 30,
  baselineM: 0.5,
  doffsPx: 0,
};
const grid = { voxelSizeM: 0.5, origin: [-32, -12, 0], size: [64, 16, 64], levels: 4 } as const;

type Cell = readonly [level: number, x: number, y: number, z: number, state: number, pOccupied: number];

function frameOf(...cells: readonly Cell[]): OctreeFrame {
  const frame = makeOctreeFrame(grid, cells.length + 3);
  for (const [i, [level, x, y, z, state, p]] of cells.entries()) {
    frame.level[i] = level;
    frame.x[i] = x;
    frame.y[i] = y;
    frame.z[i] = z;
    frame.state[i] = state;
    frame.pOccupied[i] = p;
  }
  frame.count = cells.length;
  // What lies beyond `count` is of an older frame and must not show.
  frame.state.fill(OCCUPIED, cells.length);
  return frame;
}

function picture(channels: 1 | 3, value: number): Image {
  return { width: 120, height: 60, channels, data: new Uint8Array(120 * 60 * channels).fill(value) };
}

describe("voxelsCsv", () => {
  it("names every cell by its centre, coarse ones by their own edge", () => {
    const frame = frameOf([3, 32, 12, 20, OCCUPIED, 0.75], [0, 0, 1, 7, FREE, 0], [1, 15, 0, 3, UNKNOWN, 0.015625]);
    expect(voxelsCsv(frame).split("\n")).toEqual([
      "x,y,z,size_m,state,p_occupied",
      "0.25,0.25,10.25,0.5,occupied,0.750000",
      "-14,0,30,4,free,0.000000",
      "15,-5,7,2,unknown,0.015625",
      "",
    ]);
  });

  it("leaves no binary dust in centres", () => {
    const frame = { ...frameOf([3, 3, 0, 0, OCCUPIED, 1]), grid: { ...grid, voxelSizeM: 0.1 } };
    expect(voxelsCsv(frame).split("\n")[1]).toBe("-2.85,-1.15,0.05,0.1,occupied,1.000000");
  });

  it("replaces the file whole, and leaves nothing else behind", async () => {
    const path = join(folder, "csv", "voxels.csv");
    await writeVoxelsCsv(path, frameOf());
    await writeVoxelsCsv(path, frameOf([3, 0, 0, 0, OCCUPIED, 1]));
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(3);
    expect(readdirSync(join(folder, "csv"))).toEqual(["voxels.csv"]);
  });

  it("says where it cannot write", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(writeVoxelsCsv(join(folder, "file", "voxels.csv"), frameOf())).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
  });
});

describe("plyOf", () => {
  const frame = frameOf([3, 32, 12, 20, OCCUPIED, 0.75], [0, 0, 1, 7, FREE, 0], [3, 0, 0, 0, OCCUPIED, 1]);

  it("holds the occupied cells with the picture's colour, or that of their height where it does not see them", () => {
    const left = picture(3, 0);
    // The first cell's centre (0.25, 0.25, 10.25) projects to (62.4, 32.4).
    left.data.set([10, 20, 30], (32 * 120 + 62) * 3);
    const bytes = plyOf(frame, left, calibration);
    const text = new TextDecoder("latin1").decode(bytes);
    const start = text.indexOf("end_header\n") + "end_header\n".length;
    expect(text.slice(0, start)).toContain("format binary_little_endian 1.0\n");
    expect(text.slice(0, start)).toContain("element vertex 2\n");
    expect(bytes.length - start).toBe(2 * 23);
    const view = new DataView(bytes.buffer, start);
    const floats = (...at: number[]) => at.map((offset) => view.getFloat32(offset, true));
    expect(floats(0, 4, 8, 15, 19)).toEqual([0.25, 0.25, 10.25, 0.5, 0.75]);
    expect([...bytes.subarray(start + 12, start + 15)]).toEqual([10, 20, 30]);
    const high = shadeAt((2 + 5.75) / 8);
    expect([...bytes.subarray(start + 35, start + 38)]).toEqual([...heightPalette.subarray(high, high + 3)]);
  });

  it("colours by height where the picture is grey", () => {
    const bytes = plyOf(frame, picture(1, 200), calibration);
    const at = bytes.length - 2 * 23 + 12;
    const shade = shadeAt((2 - 0.25) / 8);
    expect([...bytes.subarray(at, at + 3)]).toEqual([...heightPalette.subarray(shade, shade + 3)]);
  });
});

describe("drawVoxels", () => {
  /** Colour of a pixel of a black picture under the voxels, undone of the transparency. */
  function drawn(...cells: readonly Cell[]): (x: number, y: number) => readonly number[] {
    const image = picture(3, 0);
    drawVoxels(image, frameOf(...cells), calibration, 1, 32);
    return (x, y) => [...image.data.subarray((y * 120 + x) * 3, (y * 120 + x) * 3 + 3)];
  }

  function colour(distanceM: number): number[] {
    const shade = shadeAt(distanceM / 32);
    return [0, 1, 2].map((c) => Math.floor(distancePalette[shade + c]! * 0.52));
  }

  it("fills the footprint of a cell, and only that", () => {
    // x 0..4, y -2..2, z 4..8: a front face from (60, -20) to (160, 80), so all of the right half of the picture.
    const at = drawn([0, 4, 1, 1, OCCUPIED, 1]);
    const seen = at(90, 30);
    for (const [c, value] of colour(Math.hypot(2, 0, 6)).entries()) {
      expect(Math.abs(seen[c]! - value)).toBeLessThanOrEqual(1);
    }
    expect(at(50, 30)).toEqual([0, 0, 0]);
  });

  it("lets the nearer cell hide the farther one, in whatever order they come", () => {
    const near: Cell = [2, 16, 5, 4, OCCUPIED, 1];
    const far: Cell = [2, 16, 5, 12, OCCUPIED, 1];
    const nearAlone = drawn(near)(68, 24);
    expect(nearAlone).not.toEqual([0, 0, 0]);
    expect(drawn(far)(64, 27)).not.toEqual([0, 0, 0]);
    expect(drawn(near, far)(68, 24)).toEqual(nearAlone);
    expect(drawn(far, near)(68, 24)).toEqual(nearAlone);
  });

  it("draws neither free nor unknown cells, and survives one at the lens", () => {
    const at = drawn([0, 4, 1, 1, FREE, 0], [0, 4, 0, 1, UNKNOWN, 0.4]);
    expect(at(90, 30)).toEqual([0, 0, 0]);
    expect(drawn([3, 32, 12, 0, OCCUPIED, 1])(90, 50)).not.toEqual([0, 0, 0]);
  });
});

describe("renderPreview", () => {
  const frame = frameOf([3, 32, 12, 20, OCCUPIED, 0.9], [1, 8, 3, 2, FREE, 0], [1, 8, 3, 8, UNKNOWN, 0.1]);

  it.each([1, 3] as const)("makes a picture of an image with %d channels", async (channels) => {
    const png = await renderPreview({ left: picture(channels, 90), calibration, frame });
    const { format, width, height } = await sharp(png).metadata();
    expect(format).toBe("png");
    expect(width! / height!).toBeGreaterThan(1);
    const { data } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(new Set(data).size).toBeGreaterThan(50);
  });

  it("grows by the map's panel, with or without a path", async () => {
    const left = picture(3, 90);
    const widthOf = async (input: Parameters<typeof renderPreview>[0]) =>
      (await sharp(await renderPreview(input)).metadata()).width!;
    const plain = await widthOf({ left, calibration, frame });
    const map = { xyz: Float32Array.of(0, 0, 0, 9, 3, 1, 20, -2, 2), count: 3, voxelSizeM: 0.2 };
    const withMap = await widthOf({ left, calibration, frame, map });
    expect(withMap).toBeGreaterThan(plain + 200);
    const cameraPath = Float64Array.of(0, 0, 0, 10, 0, 0);
    expect(await widthOf({ left, calibration, frame, map: { ...map, cameraPath } })).toBe(withMap);
    expect(await widthOf({ left, calibration, frame, map: { ...map, count: 0 } })).toBe(withMap);
  });

  it("escapes the title", async () => {
    const png = await renderPreview({ left: picture(1, 9), calibration, frame, title: "<a> & </svg>" });
    expect(png.length).toBeGreaterThan(1000);
  });

  it("gives the same bytes for the same input", async () => {
    const input = { left: picture(3, 90), calibration, frame };
    expect((await renderPreview(input)).equals(await renderPreview(input))).toBe(true);
  });
});
