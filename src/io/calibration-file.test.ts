import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempFolder } from "../../test/support/temp.ts";
import { readCalibration } from "./calibration-file.ts";

const folder = tempFolder();

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const good = { width: 640, height: 480, fx: 500, fy: 501, cx: 320.5, cy: 240.5, baseline_m: 0.12 };

/** As camera_calibration writes it. */
function yaml(p: readonly number[], width = 640): string {
  const matrix = (name: string, rows: number, data: readonly number[]): string =>
    `${name}:\n  rows: ${rows}\n  cols: ${data.length / rows}\n  data: [${data.join(", ")}]\n`;
  return [
    `image_width: ${width}\nimage_height: 480\ncamera_name: narrow_stereo/left\n`,
    matrix("camera_matrix", 3, [510, 0, 321, 0, 511, 241, 0, 0, 1]),
    "distortion_model: plumb_bob\n",
    matrix("distortion_coefficients", 1, [-0.28, 0.07, 0.0002, 0.00002, 0]),
    matrix("rectification_matrix", 3, [1, 0, 0, 0, 1, 0, 0, 0, 1]),
    matrix("projection_matrix", 3, p),
  ].join("");
}

const leftP = [500, 0, 320.5, 0, 0, 500, 240.5, 0, 0, 0, 1, 0];
const rightP = [500, 0, 330.5, -60, 0, 500, 240.5, 0, 0, 0, 1, 0];

it("C.json, further keys ignored", async () => {
  const json = file("c.json", JSON.stringify({ ...good, doffs_px: 31.086, note: "x", ndisp: null }));
  const { stereo, left, right } = await readCalibration({ json });
  expect(stereo).toEqual({
    width: 640,
    height: 480,
    fx: 500,
    fy: 501,
    cx: 320.5,
    cy: 240.5,
    baselineM: 0.12,
    doffsPx: 31.086,
  });
  expect(left.p).toEqual([500, 0, 320.5, 0, 0, 501, 240.5, 0, 0, 0, 1, 0]);
  expect([right.p[2], right.p[3]]).toEqual([351.586, -60]);
  expect((await readCalibration({ json: file("d.json", JSON.stringify(good)) })).stereo.doffsPx).toBe(0);
});

it("the YAML pair of a ROS calibration", async () => {
  const { stereo, left } = await readCalibration({
    left: file("l.yaml", yaml(leftP)),
    right: file("r.yaml", yaml(rightP)),
  });
  expect(stereo).toEqual({
    width: 640,
    height: 480,
    fx: 500,
    fy: 500,
    cx: 320.5,
    cy: 240.5,
    baselineM: 0.12,
    doffsPx: 10,
  });
  expect([left.k[0], left.d[0], left.distortionModel]).toEqual([510, -0.28, "plumb_bob"]);
});

describe("what is no calibration", () => {
  it.each([
    ["a missing key", JSON.stringify({ ...good, fx: undefined }), /fx: /],
    ["an unpublished baseline", JSON.stringify({ ...good, baseline_m: null }), /baseline_m: /],
    ["a baseline of zero", JSON.stringify({ ...good, baseline_m: 0 }), /baseline_m: /],
    ["half a pixel", JSON.stringify({ ...good, width: 640.5 }), /width: /],
    ["all faults at once", JSON.stringify({ ...good, width: 0, fy: "x" }), /width: .*; fy: /],
    ["no JSON", "width=640", /cannot be parsed/],
    ["a list", "[]", /the whole: /],
  ])("%s", async (name, content, message) => {
    const json = file(`${name.replace(/\W/g, "")}.json`, content);
    const wanted = {
      code: "CALIBRATION_INVALID",
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/C\.json/),
    };
    await expect(readCalibration({ json })).rejects.toMatchObject(wanted);
  });

  it.each([
    ["swapped eyes", yaml(rightP), yaml(leftP), /baseline is -0\.12 m .*swapped/],
    ["a mono calibration", yaml(leftP), yaml(leftP), /baseline is 0 m/],
    ["two sizes", yaml(leftP), yaml(rightP, 320), /640 x 480 and 320 x 480/],
    ["projections of two rigs", yaml(leftP), yaml(rightP.with(0, 450)), /fx 500 and 450/],
    ["a projection of zeros", yaml(Array(12).fill(0)), yaml(rightP), /focal lengths 0/],
    ["a matrix that is too short", yaml(leftP), yaml(rightP.slice(4)), /projection_matrix\.data/],
  ])("%s", async (name, left, right, message) => {
    const paths = { left: file(`${name}-l.yaml`, left), right: file(`${name}-r.yaml`, right) };
    const wanted = { code: "CALIBRATION_INVALID", message: expect.stringMatching(message) };
    await expect(readCalibration(paths)).rejects.toMatchObject(wanted);
  });

  it("a file that is not there", async () => {
    await expect(readCalibration({ json: join(folder, "none.json") })).rejects.toMatchObject({
      code: "CALIBRATION_MISSING",
    });
  });
});
