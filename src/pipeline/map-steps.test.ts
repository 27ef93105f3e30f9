import { describe, expect, it } from "vitest";
import { Fault } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import type { OctreeGrid } from "../core/occupancy.ts";
import type { AnswerWants, RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import type { Transform } from "../core/transform.ts";
import { decodeCdr } from "../msg/codec.ts";
import { type MapOutput, mapTopics } from "../msg/map-messages.ts";
import { occupiedInto } from "../octree/leaves.ts";
import { OccupancyMap } from "../octree/occupancy-map.ts";
import { makePointList } from "../octree/points.ts";
import type { PosedPair } from "./frames-assemble.ts";
import { makeFrameCounts } from "./frames-counts.ts";
import { mapFile, parseMapFile, type SavedMap } from "./map-file.ts";
import { MapOutputs, type OutputMessage } from "./map-outputs.ts";
import { mapSteps } from "./map-steps.ts";

const options = {
  voxelSizeM: 0.5,
  occupancyThreshold: 0.5,
  freeThreshold: 0.2,
  maxRangeM: 32,
  windowM: 100,
  decayHalfLifeS: 0,
};
const image = { width: 8, height: 8, channels: 1 as const, data: new Uint8Array(64) };
const calibration = { width: 8, height: 8, fx: 8, fy: 8, cx: 4, cy: 4, baselineM: 0.5, doffsPx: 0 };

/** A pair of the i-th tenth of a second; `x`: where the camera stands in odom, undefined: nobody knows. */
function pairAt(i: number, x?: number): PosedPair {
  const pair = { stampNs: BigInt(i) * 100_000_000n, frameId: "cam", left: image, right: image, calibration };
  const T: Transform | undefined = x === undefined ? undefined : Float64Array.of(0, 0, 1, x, -1, 0, 0, 0, 0, -1, 0, 0);
  return { pair, T_fixed_camera: T, T_fixed_base: T, fixedFrame: "odom" };
}

/** Answers one occupied voxel, 5 m ahead; `failing`: pairs that it fails on. */
class StubModel implements StereoModel {
  readonly name = "stub";
  readonly sha256 = "";
  readonly keep = [];
  readonly #failing: readonly number[];
  #calls = 0;

  constructor(failing: readonly number[] = []) {
    this.#failing = failing;
  }

  grid(voxelSizeM: number): OctreeGrid {
    return { voxelSizeM, origin: [-8, -8, 0], size: [16, 16, 64], levels: 1 };
  }

  run(_pair?: RectifiedPair, _voxelSizeM?: number, wants?: AnswerWants): Promise<StereoAnswer | undefined> {
    this.#calls += 1;
    if (this.#failing.includes(this.#calls - 1)) {
      return Promise.reject(new Fault("It died.", { code: "WORKER_DIED", remedy: "Wait." }));
    }
    const level = { index: Int32Array.of(8, 8, 10), p: Float32Array.of(0, 0, 1) };
    const cell = {
      rows: 2,
      columns: 2,
      disparityPx: new Float32Array(4).fill(2),
      spreadPx: new Float32Array(4).fill(0.1),
      weight: new Float32Array(4).fill(0.9),
    };
    const disparity = wants?.disparity === true ? { disparity: cell } : {};
    return Promise.resolve({ levels: [level], stagesMs: { network: 1 }, ...disparity });
  }

  async close(): Promise<void> {}
}

interface Seen {
  readonly at: number;
  readonly frame: string;
  readonly isPosed: boolean;
  /** x of the occupied cells. */
  readonly occupiedX: readonly number[];
}

async function stepsOf(
  pairs: Iterable<PosedPair>,
  model: StereoModel,
  wanted: { health?: Health; out?: Seen[]; start?: SavedMap } = {},
) {
  const { health = new Health(), out = [], ...start } = wanted;
  const counts = makeFrameCounts();
  async function* source() {
    for (const posed of pairs) {
      counts.seen += 1;
      counts.processed += 1;
      yield posed;
    }
  }
  for await (const step of mapSteps(source(), model, { ...options, ...start }, health, counts, new StageTimes())) {
    const points = makePointList();
    occupiedInto(points, step.map);
    const occupiedX = Array.from({ length: points.count }, (_, i) => points.xyz[i * 3]!).sort((a, b) => a - b);
    const at = Number(step.header.stampNs / 100_000_000n);
    out.push({ at, frame: step.fixed.frameId, isPosed: step.isPosed, occupiedX });
  }
  return { out, counts, health };
}

describe("mapSteps", () => {
  it("gathers the frames of a drive in one map", async () => {
    const { out } = await stepsOf([pairAt(0, 0), pairAt(1, 4), pairAt(2, 8)], new StubModel());
    expect(out.map(({ occupiedX }) => occupiedX)).toEqual([[5.25], [5.25, 9.25], [5.25, 9.25, 13.25]]);
  });

  it("gives a pair without a pose a map of its own and keeps the other", async () => {
    const { out, counts } = await stepsOf([pairAt(0, 0), pairAt(1), pairAt(2), pairAt(3, 4)], new StubModel());
    expect(out).toEqual([
      { at: 0, frame: "odom", isPosed: true, occupiedX: [5.25] },
      { at: 1, frame: "cam_level", isPosed: false, occupiedX: [5.25] },
      { at: 2, frame: "cam_level", isPosed: false, occupiedX: [5.25] },
      { at: 3, frame: "odom", isPosed: true, occupiedX: [5.25, 9.25] },
    ]);
    expect(counts).toMatchObject({ processed: 4, dropped: {} });
  });

  it("starts anew in another fixed frame, and where time runs backwards", async () => {
    const pairs = [pairAt(0, 0), { ...pairAt(1, 4), fixedFrame: "map" }, { ...pairAt(0, 8), fixedFrame: "map" }];
    const { out, health } = await stepsOf(pairs, new StubModel());
    expect(out.map(({ occupiedX }) => occupiedX)).toEqual([[5.25], [9.25], [13.25]]);
    expect(health.list().map(({ code }) => code)).toEqual(["STAMP_BACKWARDS"]);
  });

  it("starts from a saved map, once it is known where the robot is", async () => {
    const saved = new OccupancyMap({ resolutionM: 0.5, windowM: 100 });
    const hit = { count: 1, xyz: Float32Array.of(20.2, 0, 0) };
    saved.insertPoints(hit, [20, 0, 0], 0n);
    const start = parseMapFile("a.ot", mapFile("a.ot", saved));
    const pairs = [pairAt(0), pairAt(1, 4), pairAt(2, 8)];
    const { out, health } = await stepsOf(pairs, new StubModel(), { start });
    expect(out.map(({ occupiedX }) => occupiedX)).toEqual([[5.25], [9.25, 20.25], [9.25, 13.25, 20.25]]);
    expect(health.list()).toEqual([]);
  });

  it("starts empty, and says why, where the saved map lies elsewhere", async () => {
    const saved = new OccupancyMap({ resolutionM: 0.5 });
    saved.insertPoints({ count: 1, xyz: Float32Array.of(900, 0, 0) }, [899, 0, 0], 0n);
    const start = parseMapFile("far.bt", mapFile("far.bt", saved));
    const { out, health } = await stepsOf([pairAt(0, 0), pairAt(1, 4)], new StubModel(), { start });
    expect(out.map(({ occupiedX }) => occupiedX)).toEqual([[5.25], [5.25, 9.25]]);
    expect(health.list()).toMatchObject([{ where: "saved map", code: "MAP_MISMATCH", level: "error" }]);
    expect(health.list()[0]!.message).toMatch(/^far\.bt: None of the \d+ cells/);
  });

  it("counts and reports pairs that the model fails on, until thirty went well", async () => {
    const few = await stepsOf([pairAt(0, 0), pairAt(1, 0), pairAt(2, 0)], new StubModel([1]));
    expect(few.out.map(({ at }) => at)).toEqual([0, 2]);
    expect(few.counts).toMatchObject({ seen: 3, processed: 2, dropped: { model_failed: 1 } });
    expect(few.health.list()).toMatchObject([{ where: "model", code: "WORKER_DIED", level: "error" }]);
    const many = await stepsOf(
      Array.from({ length: 40 }, (_, i) => pairAt(i, 0)),
      new StubModel([1]),
    );
    expect(many.health.list()).toEqual([]);
    expect(many.health.history()).toMatchObject([{ code: "WORKER_DIED", count: 1 }]);
  });

  it("counts and reports pairs that the map refuses", async () => {
    const { out, counts, health } = await stepsOf([pairAt(0, 0), pairAt(1, 1e9), pairAt(2, 0)], new StubModel());
    expect(out.map(({ at }) => at)).toEqual([0, 2]);
    expect(counts).toMatchObject({ seen: 3, processed: 2, dropped: { map_refused: 1 } });
    expect(health.history()).toMatchObject([{ where: "map", code: "TF_INVALID", level: "error" }]);
    expect(health.list()).toEqual([]);
  });

  it("loses nothing when the source breaks off, and passes its error on", async () => {
    function* breaking() {
      yield pairAt(0, 0);
      yield pairAt(1, 0);
      throw new Error("the cable");
    }
    const out: Seen[] = [];
    await expect(stepsOf(breaking(), new StubModel(), { out })).rejects.toThrow("the cable");
    expect(out.map(({ at }) => at)).toEqual([0, 1]);
  });
});

describe("occupancy_grid", () => {
  const wanted = new Set<MapOutput>(["octomapBinary", "occupancyGrid"]);
  const outputs = new MapOutputs({ maxRangeM: 32, minHeightM: 0.1, maxHeightM: 2, maxMarkers: 10, node: "test" });

  it.each([
    ["is written where the base is known", pairAt(0, 1), ["octomapBinary", "occupancyGrid"], []],
    [
      "is left out, and Health says so, without a base",
      { ...pairAt(0, 1), T_fixed_base: undefined },
      ["octomapBinary"],
      ["TF_MISSING"],
    ],
    ["is left out, and Health says so, without a pose", pairAt(0), ["octomapBinary"], ["TF_MISSING"]],
  ] as const)("%s", async (_, posed, topics, faults) => {
    const health = new Health();
    async function* pairs() {
      yield posed;
    }
    const steps = mapSteps(pairs(), new StubModel(), options, health, makeFrameCounts(), new StageTimes());
    for await (const step of steps) {
      expect([...outputs.messages(step, wanted)].map(({ output }) => output)).toEqual(topics);
    }
    expect(
      health
        .list()
        .filter(({ where }) => where === "occupancy_grid")
        .map(({ code }) => code),
    ).toEqual(faults);
  });
});

describe("depth and disparity", () => {
  const outputs = new MapOutputs({ maxRangeM: 32, minHeightM: 0.1, maxHeightM: 2, maxMarkers: 10, node: "test" });
  const wanted = new Set<MapOutput>(["depth", "disparity"]);

  it("come of the pairs for which the model was asked, with the stamp and frame of the left image", async () => {
    async function* pairs() {
      for (const i of [0, 1, 2]) yield pairAt(i, 0);
    }
    let asked = 0;
    const wants = () => {
      asked += 1;
      return { disparity: asked === 2 };
    };
    const made: OutputMessage[][] = [];
    const all = { ...options, wants };
    for await (const step of mapSteps(
      pairs(),
      new StubModel(),
      all,
      new Health(),
      makeFrameCounts(),
      new StageTimes(),
    )) {
      made.push([...outputs.messages(step, wanted)]);
    }
    expect(made.map((messages) => messages.map(({ output }) => output))).toEqual([[], ["depth", "disparity"], []]);
    const [depth, disparity] = made[1]!.map(({ output, data }) => decodeCdr<FloatImage>(mapTopics[output].type, data));
    const head = { stamp: { sec: 0, nanosec: 100_000_000 }, frame_id: "cam" };
    expect(depth).toMatchObject({ header: head, encoding: "32FC1", width: 8, height: 8, step: 32, is_bigendian: 0 });
    // fx baseline / disparity = 8 * 0.5 / 2.
    expect(new Set(new Float32Array(depth!.data.slice().buffer))).toEqual(new Set([2]));
    expect(disparity).toMatchObject({ header: head, f: 8, t: 0.5, min_disparity: 0, max_disparity: 192 });
    expect(new Set(new Float32Array(disparity!.image.data.slice().buffer))).toEqual(new Set([2]));
  });
});

interface FloatImage {
  readonly data: Uint8Array;
  readonly image: { readonly data: Uint8Array };
}
