import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { tempFolder } from "../../test/support/temp.ts";
import type { StereoInput } from "../core/ports.ts";
import { readCompressedImage } from "../msg/read-compressed-image.ts";
import { openBag } from "./bag.ts";
import { bagFromImages, type FromImagesOptions } from "./bag-from-images.ts";
import { findEyes, listImages, readPoses, readTimestamps } from "./image-files.ts";
import { stereoSource } from "./stereo-bag.ts";
import { findStereoTopics } from "./stereo-topics.ts";

const folder = tempFolder();
const [width, height] = [32, 24];
const pictures = join(folder, "drive");
const json = join(folder, "c.json");

beforeAll(async () => {
  mkdirSync(pictures);
  writeFileSync(json, JSON.stringify({ width, height, fx: 20, fy: 20, cx: 16, cy: 12, baseline_m: 0.5, doffs_px: 2 }));
  for (const [at, name] of ["1", "2", "10"].entries()) {
    for (const [side, value] of [
      ["left", 50],
      ["right", 150],
    ] as const) {
      const raw = { width, height, channels: 1 } as const;
      await sharp(new Uint8Array(width * height).fill(value + at), { raw })
        .toColourspace("b-w")
        .png()
        .toFile(join(pictures, `${name}_${side}.png`));
    }
  }
});

async function make(name: string, options: Partial<FromImagesOptions> = {}): Promise<string> {
  const out = join(folder, `${name}.mcap`);
  const eyes = { left: join(pictures, "*_left.png"), right: join(pictures, "*_right.*") };
  await bagFromImages(out, { ...eyes, calibration: { json }, ...options });
  return out;
}

async function inputsOf(path: string): Promise<StereoInput[]> {
  const bag = await openBag(path);
  const inputs: StereoInput[] = [];
  for await (const input of stereoSource(bag, findStereoTopics(bag.topics), { want: "native" })) inputs.push(input);
  await bag.close();
  return inputs;
}

describe("a bag from pictures", () => {
  it.each([false, true])("replays as a stereo drive (raw: %s), in natural order", async (raw) => {
    const inputs = await inputsOf(await make(`drive-${raw}`, { raw, rateHz: 4 }));
    const images = inputs.flatMap((input) => (input.kind === "image" ? [input] : []));
    const seen = images.map(({ side, image }) => [
      side,
      Number(image.stampNs / 1_000_000n),
      image.image.data[100],
      image.frameId,
    ]);
    expect(seen).toEqual(
      [0, 1, 2].flatMap((at) => [
        ["left", 1000 + 250 * at, 50 + at, "stereo_left_optical_frame"],
        ["right", 1000 + 250 * at, 150 + at, "stereo_right_optical_frame"],
      ]),
    );
    const infos = inputs.flatMap((input) => (input.kind === "info" && input.side === "right" ? [input.info] : []));
    expect(Array.from(infos[0]!.p)).toEqual([20, 0, 18, -10, 0, 20, 12, 0, 0, 0, 1, 0]);
    const statics = inputs.flatMap((input) => (input.kind === "transform" ? [input.transform] : []));
    expect(statics.map(({ parent, child }) => [parent, child])).toEqual([
      ["base_link", "stereo_left_optical_frame"],
      ["stereo_left_optical_frame", "stereo_right_optical_frame"],
    ]);
    expect(statics[1]!.T_parent_child[3]).toBeCloseTo(0.5, 12);
  });

  it("passes files through byte for byte, and is the same twice", async () => {
    const [a, b] = [await make("a"), await make("b")];
    expect(Buffer.compare(readFileSync(a), readFileSync(b))).toBe(0);
    const bag = await openBag(a);
    const topic = "/stereo/left/image_rect/compressed";
    for await (const { data } of bag.messages({ topics: new Set([topic]) })) {
      const image = readCompressedImage(data);
      expect([image.format, Buffer.compare(image.data, readFileSync(join(pictures, "1_left.png")))]).toEqual([
        "png",
        0,
      ]);
      break;
    }
    await bag.close();
  });

  it("times are exact; those that begin at 0 are moved to 1 s", async () => {
    const stamps = async (lines: string): Promise<bigint[]> => {
      const timestamps = join(folder, "timestamps.txt");
      writeFileSync(timestamps, lines);
      const inputs = await inputsOf(await make("times", { timestamps }));
      return inputs.flatMap((input) => (input.kind === "image" && input.side === "left" ? [input.image.stampNs] : []));
    };
    expect(await stamps("1403715273.262142897\n1403715273.312143087\n1403715273.362143040\n")).toEqual([
      1403715273262142897n,
      1403715273312143087n,
      1403715273362143040n,
    ]);
    expect(await stamps("# seconds\n0.000000\n0.1\n0.2\n0.3\n")).toEqual([
      1_000_000_000n,
      1_100_000_000n,
      1_200_000_000n,
    ]);
    expect(await stamps("1403715273262142897\n1403715273312143087\n1403715273362143040")).toEqual([
      1403715273262142897n,
      1403715273312143087n,
      1403715273362143040n,
    ]);
  });

  it("poses move base_link in odom: one metre ahead, half a metre right, a tenth up", async () => {
    const poses = join(folder, "poses.txt");
    // Optical axes: x right, y down, z ahead.
    writeFileSync(
      poses,
      ["1 0 0 0 0 1 0 0 0 0 1 0", "1 0 0 0.5 0 1 0 -0.1 0 0 1 1", "1 0 0 0 0 1 0 0 0 0 1 2"].join("\n"),
    );
    const inputs = await inputsOf(await make("poses", { poses, cameraHeightM: 1.6 }));
    const moving = inputs.flatMap((input) =>
      input.kind === "transform" && !input.transform.isStatic ? [input.transform] : [],
    );
    expect(moving.map(({ parent, child }) => `${parent} ${child}`)).toEqual(Array(3).fill("odom base_link"));
    const at = [3, 7, 11].map((i) => Math.round(moving[1]!.T_parent_child[i]! * 1e9) / 1e9);
    expect(at).toEqual([1, -0.5, 0.1]);
    const camera = inputs.find((input) => input.kind === "transform" && input.transform.isStatic);
    expect(
      camera?.kind === "transform" && Array.from(camera.transform.T_parent_child, (v) => Math.round(v * 1e6) / 1e6 + 0),
    ).toEqual([0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 1.6]);
  });
});

describe("what cannot be made", () => {
  it.each([
    ["unequal numbers", { right: "1_right.png" }, "USAGE", /3 left images but 1 right/],
    ["no pictures", { left: "*.tif" }, "USAGE", /names no \.jpg or \.png/],
    ["a rate of 0", { rateHz: 0 }, "USAGE", /rate is 0 Hz/],
    ["too few times", { timestamps: "short" }, "USAGE", /2 times for 3 pairs/],
    ["times that go back", { timestamps: "back" }, "USAGE", /time 3 is not after/],
    ["too few poses", { poses: "poses1" }, "USAGE", /1 poses for 3 pairs/],
    [
      "another size",
      { calibration: { json: "big" } },
      "CALIBRATION_INVALID",
      /32 x 24 pixels, the calibration is for 64 x 48/,
    ],
    ["a picture that is none", { left: "bad*" }, "IMAGE_CORRUPT", /bad1\.png is no whole JPEG or PNG/],
  ] as const)("%s", async (name, change, code, message) => {
    const file = (content: string): string => {
      const path = join(folder, `${name.replace(/\W/g, "")}.txt`);
      writeFileSync(path, content);
      return path;
    };
    for (const at of [1, 2, 3]) writeFileSync(join(pictures, `bad${at}.png`), "no picture");
    const texts: Record<string, string> = {
      short: "1\n2\n",
      back: "1\n2\n2\n",
      poses1: "1 0 0 0 0 1 0 0 0 0 1 0\n",
      big: JSON.stringify({ width: 64, height: 48, fx: 1, fy: 1, cx: 1, cy: 1, baseline_m: 1 }),
    };
    const resolved = Object.fromEntries(
      Object.entries(change).map(([key, value]) => {
        if (key === "left" || key === "right") return [key, join(pictures, value as string)];
        if (typeof value === "object") return [key, { json: file(texts[value.json]!) }];
        return [key, typeof value === "string" ? file(texts[value]!) : value];
      }),
    );
    await expect(make("never", resolved)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("bad lines of files", async () => {
    const path = join(folder, "lines.txt");
    writeFileSync(path, "1.5\nnoon\n");
    await expect(readTimestamps(path)).rejects.toThrow(/line 2: "noon"/);
    writeFileSync(path, "1 2 3\n");
    await expect(readPoses(path)).rejects.toThrow(/line 1 holds 3 numbers, wanted 12/);
    await expect(readPoses(join(folder, "none"))).rejects.toMatchObject({ code: "USAGE" });
  });
});

it("finds the eyes of a folder", async () => {
  expect(await findEyes(pictures)).toEqual({ left: join(pictures, "*left*"), right: join(pictures, "*right*") });
  expect((await listImages((await findEyes(pictures)).left)).length).toBe(3);
  const nested = join(folder, "nested");
  for (const name of ["", "image_0", "image_1"]) mkdirSync(join(nested, name));
  expect(await findEyes(nested)).toEqual({ left: join(nested, "image_0"), right: join(nested, "image_1") });
  mkdirSync(join(folder, "neither"));
  await expect(findEyes(join(folder, "neither"))).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(/image_0 and image_1/),
  });
});
