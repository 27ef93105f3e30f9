import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openModel } from "../../src/cli/model-folder.ts";
import type { StereoModel } from "../../src/core/ports.ts";
import { openBag } from "../../src/io/bag.ts";
import { readTf } from "../../src/msg/read-tf.ts";
import { sharedData } from "../support/shared-data.ts";
import { tempFolder } from "../support/temp.ts";
import { config, expectAlongTheDrive, replaySteps } from "./steps.ts";

// The network on a hundred pairs: slow where other work fills the machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const bags = sharedData("open", "bags");
const folder = tempFolder();

describe.skipIf(bags === undefined)("the bags of another implementation, replayed", () => {
  let model: StereoModel;
  beforeAll(async () => {
    model = await openModel(config);
  });
  afterAll(async () => await model?.close());

  it.each([
    ["kitti_jpeg_mcap", 51],
    ["kitti_jpeg_sqlite3", 20],
  ] as const)("%s: all %d pairs, along the drive", async (name, pairs) => {
    const { run, health, steps } = await replaySteps(join(bags as string, name), model);
    expect(run.counts).toEqual({ seen: pairs, processed: pairs, dropped: {}, images: 2 * pairs });
    expect(health.history()).toEqual([]);
    expectAlongTheDrive(steps, pairs);
  });

  it("euroc_raw_sqlite3: all 23 pairs, the lone left image and the missing poses said", async () => {
    const out = join(folder, "euroc.mcap");
    const { run, health, steps } = await replaySteps(join(bags as string, "euroc_raw_sqlite3"), model, out);
    expect(run.counts).toEqual({ seen: 23, processed: 23, dropped: { lone_left: 1 }, images: 47 });
    const faults = health.list().map(({ where, code, count }) => [where, code, count]);
    expect(faults).toEqual([
      ["tf", "TF_MISSING", 23],
      ["occupancy_grid", "TF_MISSING", 23],
      ["/cam/left/image_raw", "PAIR_LONE", 1],
    ]);
    expect(steps.length).toBe(23);
    for (const step of steps) {
      expect(step).toMatchObject({ isPosed: false, fixed: `${step.optical}_level`, cameraM: [0, 0, 0] });
      // Each map is of its own frame alone: nothing of it is farther away than one frame reaches.
      for (let i = 0; i < step.occupied.length; i += 3) expect(step.occupied[i]!).toBeGreaterThan(-0.5);
    }
    const bag = await openBag(out);
    const still = [];
    for await (const { data } of bag.messages({ topics: new Set(["/tf_static"]) })) {
      still.push(...readTf(data, true).transforms.map(({ parent, child }) => [parent, child]));
    }
    await bag.close();
    expect(still).toContainEqual([steps[0]!.optical, `${steps[0]!.optical}_level`]);
  });
});
