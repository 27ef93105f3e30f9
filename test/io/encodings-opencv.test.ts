import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/msg/read-image.ts";
import { pythonWith } from "../support/python.ts";
import { runPython } from "../support/run-python.ts";
import { tempFolder } from "../support/temp.ts";

const python = pythonWith("cv2", "numpy");
const folder = python === undefined ? "" : tempFolder();
const [width, height] = [64, 48];
const padding = 5;

/** Random images in each encoding with junk behind each row, and what cv2.cvtColor makes of them. */
const script = `
import sys, numpy as np, cv2
folder, w, h, pad = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rng = np.random.default_rng(5)
# Smooth colour, so that chroma and mosaics stay near what cameras give, plus noise.
base = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (w, h), interpolation=cv2.INTER_CUBIC)
noisy = lambda c: rng.integers(0, 256, (h, w, c), dtype=np.uint8)
def put(name, raw, rgb, gray):
    raw = raw.reshape(raw.shape[0], -1)
    padded = np.concatenate([raw, rng.integers(0, 256, (raw.shape[0], pad), dtype=np.uint8)], axis=1)
    padded.tofile(f"{folder}/{name}.raw"); rgb.tofile(f"{folder}/{name}.rgb"); gray.tofile(f"{folder}/{name}.gray")
G = cv2.COLOR_RGB2GRAY
for name, code in (("rgb8", None), ("bgr8", cv2.COLOR_BGR2RGB), ("rgba8", cv2.COLOR_RGBA2RGB), ("bgra8", cv2.COLOR_BGRA2RGB)):
    raw = noisy(4 if "a8" in name else 3)
    rgb = raw if code is None else cv2.cvtColor(raw, code)
    put(name, raw, rgb, cv2.cvtColor(rgb, G))
# OpenCV names a pattern by its second row: BayerBG is RGGB.
for name, code in (("rggb", cv2.COLOR_BayerBG2RGB), ("bggr", cv2.COLOR_BayerRG2RGB), ("gbrg", cv2.COLOR_BayerGR2RGB), ("grbg", cv2.COLOR_BayerGB2RGB)):
    raw = noisy(1)[..., 0]
    rgb = cv2.cvtColor(raw, code)
    put(f"bayer_{name}8", raw, rgb, cv2.cvtColor(rgb, G))
for name, to, gray in (("yuv422", cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2GRAY_UYVY), ("yuv422_yuy2", cv2.COLOR_YUV2RGB_YUYV, cv2.COLOR_YUV2GRAY_YUYV)):
    raw = noisy(2)
    put(name, raw, cv2.cvtColor(raw, to), cv2.cvtColor(raw, gray))
raw = rng.integers(0, 256, (h * 3 // 2, w), dtype=np.uint8)
put("nv12", raw, cv2.cvtColor(raw, cv2.COLOR_YUV2RGB_NV12), raw[:h])
raw = rng.integers(0, 65536, (h, w), dtype=np.uint16)
gray = (raw >> 8).astype(np.uint8)
put("mono16", raw.astype("<u2").view(np.uint8), cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), gray)
`;

describe.skipIf(python === undefined)("encodings against OpenCV", () => {
  const cases: readonly (readonly [encoding: string, pixelBytes: number, border: number])[] = [
    ["rgb8", 3, 0],
    ["bgr8", 3, 0],
    ["rgba8", 4, 0],
    ["bgra8", 4, 0],
    // OpenCV copies the border of a mosaic from its neighbours, we mirror the pattern: compare inside.
    ["bayer_rggb8", 1, 1],
    ["bayer_bggr8", 1, 1],
    ["bayer_gbrg8", 1, 1],
    ["bayer_grbg8", 1, 1],
    ["yuv422", 2, 0],
    ["yuv422_yuy2", 2, 0],
    ["nv12", 1, 0],
    ["mono16", 2, 0],
  ];
  let made = false;

  it.each(cases)("%s", (encoding, pixelBytes, border) => {
    if (!made) runPython(python as string, script, folder, String(width), String(height), String(padding));
    made = true;
    const data = readFileSync(join(folder, `${encoding}.raw`));
    const header = { stamp: { sec: 0, nanosec: 0 }, frame_id: "" };
    const step = width * pixelBytes + padding;
    const message = { header, width, height, encoding, is_bigendian: 0, step, data };
    for (const [want, suffix, channels] of [
      ["rgb", "rgb", 3],
      ["grey", "gray", 1],
    ] as const) {
      const wanted = readFileSync(join(folder, `${encoding}.${suffix}`));
      const got = decodeImage(message, want).image.data;
      // One unit: both round fixed-point sums, with other numbers of bits.
      expect(largestDifference(got, wanted, channels, border)).toBeLessThanOrEqual(1);
      expect(wanted.length).toBe(width * height * channels);
    }
  });
});

function largestDifference(a: Uint8Array, b: Uint8Array, channels: number, border: number): number {
  let largest = 0;
  for (let y = border; y < height - border; y += 1) {
    for (let i = (y * width + border) * channels; i < (y * width + width - border) * channels; i += 1) {
      largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
    }
  }
  return largest;
}
