import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { CameraInfo } from "../../src/core/calibration.ts";
import { makeRectifier, sourceMap } from "../../src/stereo/rectify.ts";
import { pythonWith } from "../support/python.ts";
import { makeInfo } from "./infos.ts";
import { runPython } from "./run-python.ts";

const python = pythonWith("cv2", "numpy");
const folder = mkdtempSync(join(tmpdir(), "rectify-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** OpenCV's maps, and a smooth random image with what remap makes of it. */
const script = `
import cv2, numpy as np
i = given["info"]
w, h = i["width"], i["height"]
K, R, P = np.array(i["k"]).reshape(3, 3), np.array(i["r"]).reshape(3, 3), np.array(i["p"]).reshape(3, 4)
D = np.array(i["d"], float)
make = cv2.fisheye.initUndistortRectifyMap if i["distortionModel"] == "equidistant" else cv2.initUndistortRectifyMap
x, y = make(K, D, R, P[:, :3].copy(), (w, h), cv2.CV_32FC1)
noise = np.random.default_rng(7).integers(0, 256, (h, w, given["channels"]), dtype=np.uint8)
image = cv2.GaussianBlur(noise, (0, 0), 3)
image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX).reshape(h, w, -1)
flat = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
for name, array in (("x", x), ("y", y), ("image", image), ("flat", flat)):
    np.ascontiguousarray(array).tofile(given["folder"] + "/" + name)
print("{}")
`;

const small = { width: 320, height: 240, k: [190, 0, 158.2, 0, 189, 121.7, 0, 0, 1] };
// A turn by a few degrees about all axes, as R of a real pair.
const turned = [
  0.99862953, -0.00872654, 0.05159962, 0.00946871, 0.9998549, -0.01415708, -0.05146859, 0.01462627, 0.9985675,
];
const p = [180, 0, 160.5, 0, 0, 180, 119.25, 0, 0, 0, 1, 0];
const lenses: Record<string, Partial<CameraInfo>> = {
  "plumb_bob, 5 numbers": { d: [-0.28340811, 0.07395907, 0.00019359, 1.76187114e-5, 0.01] },
  "plumb_bob, 4 numbers": { d: [-0.28, 0.074, 0.002, -0.003] },
  "rational_polynomial, 8": {
    distortionModel: "rational_polynomial",
    d: [0.42, -0.21, 0.0011, -0.0007, 0.012, 0.76, -0.19, 0.01],
  },
  "rational_polynomial, 12 (thin prism)": {
    distortionModel: "rational_polynomial",
    d: [0.42, -0.21, 0.0011, -0.0007, 0.012, 0.76, -0.19, 0.01, 0.004, -0.002, 0.003, 0.001],
  },
  "rational_polynomial, 14 (tilted sensor)": {
    distortionModel: "rational_polynomial",
    d: [0.42, -0.21, 0.0011, -0.0007, 0.012, 0.76, -0.19, 0.01, 0.004, -0.002, 0.003, 0.001, 0.03, -0.02],
  },
  equidistant: {
    distortionModel: "equidistant",
    d: [-0.0117, 0.0114, -0.0089, 0.0019],
    p: [90, 0, 160.5, 0, 0, 90, 119.25, 0, 0, 0, 1, 0],
  },
  "equidistant, all zero": { distortionModel: "equidistant", d: [0, 0, 0, 0] },
};

describe.skipIf(python === undefined)("against OpenCV", () => {
  describe.each(Object.entries(lenses))("%s", (_, lens) => {
    const info = makeInfo({ ...small, r: turned, p, ...lens });

    test.each([1, 3] as const)("maps and %d-channel images agree", (channels) => {
      runPython(python!, script, { info: { ...info, stampNs: 0 }, channels, folder });
      const read = (name: string) => readFileSync(join(folder, name));
      const floats = (name: string) => new Float32Array(new Uint8Array(read(name)).buffer);

      const map = sourceMap(info);
      const [x, y] = [floats("x"), floats("y")];
      let worstPx = 0;
      for (let i = 0; i < x.length; i += 1) {
        if (!(Math.abs(x[i]!) < 1000 && Math.abs(y[i]!) < 1000)) continue;
        worstPx = Math.max(worstPx, Math.abs(map.x[i]! - x[i]!), Math.abs(map.y[i]! - y[i]!));
      }
      // float32 of numbers below 1000: 6e-5 apart.
      expect(worstPx).toBeLessThan(2e-4);

      const data = new Uint8Array(read("image"));
      const out = new Uint8Array(data.length).fill(99);
      makeRectifier(info).run(out, { width: info.width, height: info.height, channels, data });
      const flat = read("flat");
      let [worst, sum, outside] = [0, 0, 0];
      for (let i = 0; i < out.length; i += 1) {
        const at = Math.floor(i / channels);
        // OpenCV fades into the border over one pixel; here what is not fully inside is 0.
        const inside =
          map.x[at]! >= 0 && map.y[at]! >= 0 && map.x[at]! <= info.width - 1 && map.y[at]! <= info.height - 1;
        if (!inside) {
          outside += out[i]! > 0 && (map.x[at]! < -0.01 || map.y[at]! < -0.01) ? 1 : 0;
          continue;
        }
        worst = Math.max(worst, Math.abs(out[i]! - flat[i]!));
        sum += Math.abs(out[i]! - flat[i]!);
      }
      expect(outside).toBe(0);
      // OpenCV rounds places to 1/32 px, we to 1/128; the image's slope reaches about 40 grey levels a pixel.
      expect(worst).toBeLessThanOrEqual(2);
      expect(sum / out.length).toBeLessThan(0.25);
    });
  });
});

test("a wrong rotation would be noticed", () => {
  const info = makeInfo({ ...small, r: turned, p });
  const transposed = [0, 3, 6, 1, 4, 7, 2, 5, 8].map((i) => turned[i]!);
  const [a, b] = [sourceMap(info), sourceMap({ ...info, r: transposed })];
  expect(Math.abs(a.x[0]! - b.x[0]!)).toBeGreaterThan(1);
});
