import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Fault } from "../../src/core/fault.ts";
import type { RectifiedPair, StereoAnswer } from "../../src/core/ports.ts";
import { openStereoModel } from "../../src/infer/stereo-model.ts";
import { makeDisparityPixels } from "../../src/stereo/disparity.ts";
import { disparityScoreOf, tallyDisparity } from "../../src/stereo/metrics-disparity.ts";
import { mulberry } from "./pairs.ts";

const model = "models/octree-stereo";
const calibration = { width: 320, height: 160, fx: 300, fy: 300, cx: 160, cy: 80, baselineM: 0.4, doffsPx: 0 };

/** Random dots of `dotPx` pixels a side, `shiftPx` apart in the two eyes. */
function pairOf(shiftPx: number, dotPx = 1): RectifiedPair {
  const { width, height } = calibration;
  const random = mulberry(shiftPx);
  const dots = Uint8Array.from({ length: width * height }, () => Math.floor(random() * 256));
  const dotOf = (i: number) => Math.floor(i / width / dotPx) * width + Math.floor((i % width) / dotPx);
  const left = Uint8Array.from(dots, (_, i) => dots[dotOf(i)]!);
  const right = Uint8Array.from(left, (_, i) => left[Math.min(left.length - 1, i + shiftPx)]!);
  const image = (data: Uint8Array) => ({ width, height, channels: 1 as const, data });
  return { stampNs: BigInt(shiftPx), frameId: "left", left: image(left), right: image(right), calibration };
}

function leaves(answer: StereoAnswer | undefined): Float32Array {
  return answer!.levels.at(-1)!.p;
}

describe("backlog", () => {
  test("every: all pairs are answered, each with its own answer", async () => {
    const opened = await openStereoModel(model, { threads: 1 });
    try {
      const shifts = [8, 16, 32];
      const together = await Promise.all(shifts.map((shift) => opened.run(pairOf(shift), 0.5)));
      for (const [i, shift] of shifts.entries()) {
        expect(leaves(together[i])).toEqual(leaves(await opened.run(pairOf(shift), 0.5)));
      }
      expect(leaves(together[0])).not.toEqual(leaves(together[2]));
    } finally {
      await opened.close();
    }
  });

  test("newest: of the pairs that wait only the last is answered, the others resolve to undefined", async () => {
    const opened = await openStereoModel(model, { threads: 1, backlog: "newest" });
    try {
      const [first, second, third, last] = await Promise.all(
        [8, 12, 16, 32].map((shift) => opened.run(pairOf(shift), 0.5)),
      );
      expect(first).toBeDefined();
      expect(second).toBeUndefined();
      expect(third).toBeUndefined();
      expect(leaves(last)).toEqual(leaves(await opened.run(pairOf(32), 0.5)));
    } finally {
      await opened.close();
    }
  });
});

describe("closing", () => {
  test("with pairs in work finishes the one and refuses the others", async () => {
    const opened = await openStereoModel(model, { threads: 1 });
    const outcomes = [8, 12, 16].map((shift) =>
      opened.run(pairOf(shift), 0.5).then(
        (answer) => (answer === undefined ? "nothing" : "an answer"),
        (fault: Fault) => fault.code,
      ),
    );
    await opened.close();
    expect(await Promise.all(outcomes)).toEqual(["an answer", "WORKER_DIED", "WORKER_DIED"]);
    await expect(opened.run(pairOf(8), 0.5)).rejects.toMatchObject({ code: "WORKER_DIED" });
  });
});

describe("a scaled world", () => {
  test("with half the voxel size and half the baseline gives the same answer", async () => {
    const opened = await openStereoModel(model, { threads: 1 });
    try {
      const pair = pairOf(16);
      const half = { ...pair, calibration: { ...calibration, baselineM: calibration.baselineM / 2 } };
      expect(leaves(await opened.run(half, 0.25))).toEqual(leaves(await opened.run(pair, 0.5)));
    } finally {
      await opened.close();
    }
  });
});

describe("threads", () => {
  test("one and two give the same answer", async () => {
    const [one, two] = await Promise.all([1, 2].map((threads) => openStereoModel(model, { threads })));
    try {
      expect(leaves(await two!.run(pairOf(16), 0.5))).toEqual(leaves(await one!.run(pairOf(16), 0.5)));
    } finally {
      await Promise.all([one!.close(), two!.close()]);
    }
  });
});

describe("disparity", () => {
  test("comes where it is asked for, and is that of the pair", async () => {
    const opened = await openStereoModel(model, { threads: 1 });
    try {
      const pair = pairOf(16);
      const [plain, asked] = [await opened.run(pair, 0.5), await opened.run(pair, 0.5, { disparity: true })];
      expect(plain!.disparity).toBeUndefined();
      expect(leaves(asked)).toEqual(leaves(plain));
      const { rows, columns, disparityPx, spreadPx } = asked!.disparity!;
      expect([rows, columns, disparityPx.length, spreadPx.length]).toEqual([40, 80, 40 * 80, 40 * 80]);
      expect(spreadPx.every((spread) => spread > 0)).toBe(true);
      const { width, height } = calibration;
      const truth = { width, height, data: new Float32Array(width * height).fill(Number.NaN) };
      // The right edge of the left picture is not in the right one.
      for (let i = 0; i < truth.data.length; i += 1) if (i % width > 32 && i % width < width - 32) truth.data[i] = 10;
      const found = makeDisparityPixels()(asked!.disparity!, pair.left);
      const score = disparityScoreOf(tallyDisparity(found, truth, 6));
      expect(score.labelled).toBe(height * (width - 65));
      // No camera sees such dots: the 8-bit network doubts the match of some of them and answers with its own guess.
      expect(score.bad_3).toBeLessThan(0.3);
      expect(disparityScoreOf(tallyDisparity(found, truth, 0)).bad_3).toBeGreaterThan(0.98);
    } finally {
      await opened.close();
    }
  });
});

describe("principal points that differ", () => {
  test("the left border keeps its disparity, and nothing is answered beyond it", async () => {
    const opened = await openStereoModel(model, { threads: 1 });
    try {
      // Two crops of one wide pair: where the right one starts further left, its principal point lies further right.
      const [wide, doffsPx] = [pairOf(16, 3), 12];
      const width = wide.left.width - doffsPx;
      const crop = ({ height, data }: RectifiedPair["left"], from: number) => {
        const rows = Array.from({ length: height }, (_, y) =>
          data.subarray(y * calibration.width + from, y * calibration.width + from + width),
        );
        return { width, height, channels: 1 as const, data: Uint8Array.from(rows.flatMap((row) => [...row])) };
      };
      const stereo = { ...calibration, width, cx: calibration.cx - doffsPx, doffsPx };
      const pair = { ...wide, left: crop(wide.left, doffsPx), right: crop(wide.right, 0), calibration: stereo };
      const answer = await opened.run(pair, 0.5, { disparity: true });
      const { rows, columns, disparityPx, spreadPx } = answer!.disparity!;
      // 308 and the margin of 12 are 320, no padding; without the margin that is 77 cells.
      expect([rows, columns, disparityPx.length, spreadPx.length]).toEqual([40, 77, 3080, 3080]);
      // Counted from infinity it is 16 px, of which 4 are left between the crops: all but the first 4 columns match.
      const strip = Array.from({ length: 40 * 12 }, (_, i) => disparityPx[Math.floor(i / 12) * 77 + 1 + (i % 12)]!);
      expect(strip.filter((value) => Math.abs(value - 16) < 3).length / strip.length).toBeGreaterThan(0.7);
      // No voxel lies wholly in the margin: at its right end, z ahead, none begins before column -1 of the picture.
      const { index } = answer!.levels.at(-1)!;
      const grid = opened.grid(0.5);
      for (let i = 0; i < index.length; i += 3) {
        const [x, z] = [index[i]! + grid.origin[0] + 0.5, index[i + 2]! + grid.origin[2] + 0.5];
        expect((stereo.fx * x) / z + stereo.cx).toBeGreaterThan(-1e-3);
      }
    } finally {
      await opened.close();
    }
  });
});

describe("a folder that is no model", () => {
  const folder = mkdtempSync(join(tmpdir(), "model-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is refused with what is missing", async () => {
    await expect(openStereoModel(folder)).rejects.toMatchObject({ code: "MODEL_MISSING" });
    cpSync(model, folder, { recursive: true });
    rmSync(join(folder, "heads.bin"));
    await expect(openStereoModel(folder)).rejects.toMatchObject({
      code: "MODEL_MISSING",
      message: expect.stringContaining("heads.bin"),
    });
  });
});
