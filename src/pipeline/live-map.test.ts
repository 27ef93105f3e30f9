import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { frame, ms } from "../../test/frames/inputs.ts";
import { Health } from "../core/health.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import { makeFrameCounts } from "./frames-counts.ts";
import { LiveMap, type LiveMapOptions } from "./live-map.ts";
import type { MapStep } from "./map-steps.ts";

/** A model that answers when it is told to. */
class HeldModel implements StereoModel {
  readonly name = "held";
  readonly sha256 = "";
  readonly keep = [];
  readonly asked: number[] = [];
  readonly #answers: ((answer: StereoAnswer) => void)[] = [];

  grid(voxelSizeM: number): OctreeGrid {
    return { voxelSizeM, origin: [-8, -8, 0], size: [16, 16, 64], levels: 1 };
  }

  run({ stampNs }: RectifiedPair): Promise<StereoAnswer> {
    this.asked.push(Number(stampNs) / 1e6);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  /** Answers the oldest pair in work: one occupied voxel, 5 m ahead; resolves when its step has come out. */
  async answer(index = Int32Array.of(8, 8, 10)): Promise<void> {
    this.#answers.shift()!({ levels: [{ index, p: Float32Array.of(0, 0, 1) }], stagesMs: {} });
    await settled();
  }

  async close(): Promise<void> {}
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await turn();
}

function makeLive(change: Partial<LiveMapOptions> = {}) {
  const model = new HeldModel();
  const [health, counts] = [new Health(), makeFrameCounts()];
  const stepsMs: number[] = [];
  const map = {
    voxelSizeM: 0.5,
    occupancyThreshold: 0.5,
    freeThreshold: 0.2,
    maxRangeM: 32,
    windowM: 100,
    decayHalfLifeS: 0,
    ahead: 0,
  };
  const options: LiveMapOptions = {
    frames: { rectify: "auto", rectifiedByName: undefined },
    map,
    model,
    refuses: () => undefined,
    onStep: ({ header }: MapStep) => void stepsMs.push(Number(header.stampNs) / 1e6),
    ...change,
  };
  const live = new LiveMap(options, health, counts, new StageTimes());
  /** One pair of each stamp, as a driver sends them. */
  const push = async (...stampsMs: readonly number[]) => {
    for (const input of stampsMs.flatMap(frame)) live.push(input);
    await settled();
  };
  return { live, model, health, counts, stepsMs, push };
}

describe("LiveMap", () => {
  it("answers each pair as soon as it is there", async () => {
    const { model, counts, stepsMs, push, live } = makeLive();
    for (const at of [1000, 1100, 1200]) {
      await push(at);
      expect(model.asked.at(-1)).toBe(at);
      await model.answer();
      expect(stepsMs.at(-1)).toBe(at);
    }
    expect(counts).toMatchObject({ seen: 3, processed: 3, dropped: {} });
    await live.stop();
  });

  it("takes the newest pair next while the model is busy, and counts those in between", async () => {
    const { model, counts, stepsMs, push, live } = makeLive();
    await push(1000, 1100, 1200, 1300);
    // The first three came at once: none of them was in work yet when the next was there.
    expect(model.asked).toEqual([1300]);
    await push(1400, 1500, 1600);
    expect(model.asked).toEqual([1300]);
    await model.answer();
    expect(model.asked).toEqual([1300, 1600]);
    await model.answer();
    expect(stepsMs).toEqual([1300, 1600]);
    expect(counts).toMatchObject({ seen: 7, processed: 2, dropped: { newer_pair: 5 } });
    await live.stop();
  });

  it("asks whether to answer a pair when its turn comes, not when it arrives", async () => {
    let nowMs = 1000;
    const { model, counts, push, live } = makeLive({
      refuses: (stampNs) => (ms(nowMs) - stampNs > ms(500) ? "stale" : undefined),
    });
    await push(1000, 1100);
    nowMs = 2000;
    await model.answer();
    expect(model.asked).toEqual([1100]);
    await push(1200);
    expect(model.asked).toEqual([1100]);
    await push(1900);
    expect(model.asked).toEqual([1100, 1900]);
    await model.answer();
    expect(counts).toMatchObject({ seen: 4, processed: 2, dropped: { newer_pair: 1, stale: 1 } });
    await live.stop();
  });

  it("finishes the pair in work when it is stopped, hands nothing out any more, and drops what waits", async () => {
    const { live, model, counts, stepsMs, push } = makeLive();
    await push(1000);
    await push(1100);
    let isDone = false;
    const stopping = live.stop().then(() => {
      isDone = true;
    });
    await settled();
    expect(isDone).toBe(false);
    await model.answer();
    await stopping;
    await push(1200);
    expect([model.asked, stepsMs]).toEqual([[1000], []]);
    expect(counts).toMatchObject({ seen: 2, processed: 1, dropped: { stopped_pair: 1 } });
  });

  it("stops at once where nothing is in work", async () => {
    const { live } = makeLive();
    await live.stop();
  });

  it("tells what the receiver of a step throws, goes on, and clears it with the next good step", async () => {
    let isBroken = true;
    const { model, health, push, live } = makeLive({
      onStep: () => {
        if (isBroken) throw new Error("no room");
      },
    });
    await push(1000);
    await model.answer();
    expect(health.list()).toMatchObject([
      { where: "occupancy_grid" },
      { where: "outputs", code: "OUTPUT_UNWRITABLE", level: "error" },
    ]);
    expect(health.list()[1]!.message).toContain("no room");
    isBroken = false;
    await push(1100);
    await model.answer();
    expect(health.list()).toMatchObject([{ where: "occupancy_grid" }]);
    await live.stop();
  });

  it("tells of a defect that ends it, instead of ending the process", async () => {
    const { model, health, push, live, stepsMs } = makeLive();
    await push(1000);
    // No levels at all: the decoder chokes on it.
    await model.answer(null as unknown as Int32Array<ArrayBuffer>);
    expect(health.worst()).toBe("error");
    expect(health.list().at(-1)).toMatchObject({ where: "map", code: "MODEL_MISMATCH" });
    expect(stepsMs).toEqual([]);
    await live.stop();
  });
});
