import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Health } from "../../src/core/health.ts";
import type { Image } from "../../src/core/image.ts";
import type { StereoInput } from "../../src/core/ports.ts";
import { rectifiedPairs } from "../../src/pipeline/frames.ts";
import type { FrameOptions, PosedPair } from "../../src/pipeline/frames-assemble.ts";
import { makeFrameCounts } from "../../src/pipeline/frames-counts.ts";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";
import { runPython } from "./run-python.ts";
import { sqliteInputs } from "./sqlite-inputs.ts";

const bag = sharedData("open", "bags", "euroc_raw_sqlite3", "euroc_raw_sqlite3.db3");
const python = pythonWith("cv2", "numpy");

async function play(path: string, options: Partial<FrameOptions> = {}) {
  async function* source(): AsyncGenerator<StereoInput> {
    yield* sqliteInputs(path);
  }
  const health = new Health();
  const counts = makeFrameCounts();
  const out: PosedPair[] = [];
  const all = { rectify: "auto", rectifiedByName: false, ...options } as const;
  for await (const posed of rectifiedPairs(source(), all, health, counts)) out.push(posed);
  return { out, health, counts };
}

interface RowDifference {
  readonly medianPx: number;
  /** Mean of left minus right over the matches that are less than 3 px apart. */
  readonly biasPx: number;
  readonly matches: number;
}

/** How far apart the rows of matched ORB features are, over every fourth pair. */
function rowDifference(all: readonly PosedPair[]): RowDifference {
  const out = all.filter((_, i) => i % 4 === 0);
  const folder = mkdtempSync(join(tmpdir(), "rows-"));
  try {
    const write = (name: string, image: Image) => writeFileSync(join(folder, name), image.data);
    out.forEach(({ pair }, i) => {
      write(`${i}l`, pair.left);
      write(`${i}r`, pair.right);
    });
    const { width, height } = out[0]!.pair.left;
    return runPython(python!, script, { folder, count: out.length, width, height }) as RowDifference;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const script = `
import cv2, numpy as np
orb, matcher = cv2.ORB_create(1500), cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
rows = []
for i in range(given["count"]):
    eyes = [np.fromfile(f"{given['folder']}/{i}{eye}", np.uint8).reshape(given["height"], given["width"]) for eye in "lr"]
    (kl, dl), (kr, dr) = (orb.detectAndCompute(eye, None) for eye in eyes)
    best = sorted(matcher.match(dl, dr), key=lambda m: m.distance)[:200]
    rows += [kl[m.queryIdx].pt[1] - kr[m.trainIdx].pt[1] for m in best]
rows = np.array(rows)
near = rows[abs(rows) < 3]
bias = float(near.mean()) if len(near) else 99.0
print(json.dumps({"medianPx": float(np.median(abs(rows))), "biasPx": bias, "matches": len(rows)}))
`;

describe.skipIf(bag === undefined)("the EuRoC bag: raw images, stamps apart, eyes swapped, one image missing", () => {
  test.each([
    ["auto", {}],
    ["approximate", { sync: { mode: "approximate", slopNs: 5_000_000n } }],
    ["auto, deciding at once", { sync: { reorder: 1, queueSize: 2 } }],
  ] as const)("%s: 23 of 23 pairs, and the lone left image by name", async (_, options) => {
    const { out, health, counts } = await play(bag!, options);
    expect(counts).toEqual({ seen: 23, processed: 23, dropped: { lone_left: 1 }, images: 47 });
    const lone = health.list().find(({ code }) => code === "PAIR_LONE");
    expect(lone?.message).toContain("The left image of 1403715273.712143104 s has no right partner");
    expect(out.every(({ pair }, i) => i === 0 || pair.stampNs > out[i - 1]!.pair.stampNs)).toBe(true);
    expect(health.list().map(({ code }) => code)).toEqual(["TF_MISSING", "PAIR_LONE"]);
  });

  test("exact stamps: no pair, and each image is accounted for", async () => {
    const { counts } = await play(bag!, { sync: { mode: "exact" } });
    expect(counts).toMatchObject({ seen: 0, processed: 0, dropped: { lone_left: 24, lone_right: 23 }, images: 47 });
  });

  test("the calibration is that of the rectified pair", async () => {
    const { out } = await play(bag!);
    const { calibration } = out[0]!.pair;
    expect(calibration).toMatchObject({ width: 752, height: 480, doffsPx: 0 });
    expect(calibration.fx).toBeCloseTo(436.2443, 4);
    expect(calibration.baselineM).toBeCloseTo(0.110078, 6);
  });

  test.skipIf(python === undefined)("rectification puts matched features on one row", async () => {
    const [raw, flat] = [await play(bag!, { rectify: "off" }), await play(bag!)];
    const [before, after] = [rowDifference(raw.out), rowDifference(flat.out)];
    console.info("row differences, raw and rectified:", before, after);
    expect(before.matches).toBeGreaterThan(900);
    expect(after.matches).toBeGreaterThan(900);
    expect(before.medianPx).toBeGreaterThan(2);
    expect(after.medianPx).toBeLessThan(0.5);
    expect(Math.abs(after.biasPx)).toBeLessThan(0.25);
  });
});
