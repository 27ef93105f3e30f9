import { Fault } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { Header } from "../core/image.ts";
import type { OctreeFrame } from "../core/occupancy.ts";
import type { RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import type { StageTimes } from "../core/stage-times.ts";
import type { Transform } from "../core/transform.ts";
import { OccupancyMap } from "../octree/occupancy-map.ts";
import { alignPrincipalPoints } from "../stereo/align.ts";
import { makeOctreeDecoder } from "../stereo/decode-octree.ts";
import type { PosedPair } from "./frames-assemble.ts";
import { countDrop, type FrameCounts } from "./frames-counts.ts";

export interface MapOptions {
  readonly voxelSizeM: number;
  readonly occupancyThreshold: number;
  readonly maxRangeM: number;
  /** Edge of the cube around the robot that the map keeps, metres. */
  readonly windowM: number;
  /** Time in which what is no longer seen loses half of its certainty, seconds; 0 keeps everything. */
  readonly decayHalfLifeS: number;
}

/** One pair in the map. Frame and map are valid until the next step. */
export interface MapStep {
  readonly pair: RectifiedPair;
  /** Stamp of the left image, left optical frame. */
  readonly header: Header;
  /** The same stamp, the map's frame: z up. */
  readonly fixed: Header;
  readonly frame: OctreeFrame;
  readonly map: OccupancyMap;
  readonly T_fixed_camera: Transform;
  /** Undefined where /tf knows no base frame. */
  readonly T_fixed_base: Transform | undefined;
  /** False: no pose was known, the map holds this frame alone and stands at the camera. */
  readonly isPosed: boolean;
}

/** Optical axes (x right, y down, z forward) in body axes (x forward, y left, z up), same origin (REP-103). */
const T_level_optical: Transform = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0);

/** Pairs that the model works ahead while the map takes in the one before. */
const AHEAD = 2;

/**
 * Runs the model on every pair and fuses its answers into a rolling map, in order. A pair that the model fails on is
 * counted and told to `health`; the drive goes on. Without poses each map is of one frame, in `<optical frame>_level`.
 */
export async function* mapSteps(
  pairs: AsyncIterable<PosedPair>,
  model: StereoModel,
  options: MapOptions,
  health: Health,
  counts: FrameCounts,
  times: StageTimes,
): AsyncGenerator<MapStep, void, undefined> {
  const mapper = new Mapper(model, options, health);
  const waiting: { readonly posed: PosedPair; readonly answer: Promise<StereoAnswer | Fault> }[] = [];

  async function* settle(left: number): AsyncGenerator<MapStep> {
    while (waiting.length > left) {
      const { posed, answer } = waiting.shift()!;
      const outcome = await answer;
      if (outcome instanceof Fault) {
        health.raise("model", outcome.code, `${outcome.message} ${outcome.remedy}.`, "error");
        counts.processed -= 1;
        countDrop(counts, "model_failed");
        continue;
      }
      health.clear("model", "WORKER_DIED");
      for (const [stage, ms] of Object.entries(outcome.stagesMs)) times.record(stage, ms);
      const step = times.measure("map", () => mapper.add(posed, outcome));
      if (step !== undefined) yield step;
    }
  }

  for await (const posed of pairs) {
    const { right, calibration } = alignPrincipalPoints(posed.pair.right, posed.pair.calibration);
    const aligned = { ...posed, pair: { ...posed.pair, right, calibration } };
    const answer = model.run(aligned.pair, options.voxelSizeM).then(
      (found) => found ?? new Fault("A newer pair took its place.", { code: "INPUT_STALE", remedy: "nothing" }),
      (thrown) => asModelFault(thrown),
    );
    waiting.push({ posed: aligned, answer });
    yield* settle(AHEAD - 1);
  }
  yield* settle(0);
}

function asModelFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  throw thrown;
}

/** Decodes answers and keeps the map. */
class Mapper {
  readonly #health: Health;
  readonly #decode: (answer: StereoAnswer) => OctreeFrame;
  readonly #map: OccupancyMap;
  #fixedFrame: string | undefined;

  constructor(model: StereoModel, options: MapOptions, health: Health) {
    this.#health = health;
    const { voxelSizeM, occupancyThreshold, maxRangeM, windowM, decayHalfLifeS } = options;
    this.#decode = makeOctreeDecoder({ grid: model.grid(voxelSizeM), keep: model.keep, occupancyThreshold, maxRangeM });
    this.#map = new OccupancyMap({
      resolutionM: voxelSizeM,
      windowM,
      ...(decayHalfLifeS > 0
        ? { decayAfterS: decayHalfLifeS, decayPerS: Math.LN2 / decayHalfLifeS }
        : { decayPerS: 0 }),
    });
  }

  /** Undefined where the map refused the frame (told to health). */
  add({ pair, T_fixed_camera, T_fixed_base, fixedFrame }: PosedPair, answer: StereoAnswer): MapStep | undefined {
    const frame = this.#decode(answer);
    const isPosed = T_fixed_camera !== undefined && fixedFrame !== undefined;
    const frameId = isPosed ? fixedFrame : `${pair.frameId}_level`;
    // Another frame, or no pose at all: what the map holds cannot be carried over.
    if (!isPosed || frameId !== this.#fixedFrame) this.#map.reset();
    this.#fixedFrame = frameId;
    const T = isPosed ? T_fixed_camera : T_level_optical;
    let result = this.#map.insertFrame(frame, T, pair.stampNs);
    if (result.kind === "rejected" && result.reason.code === "STAMP_BACKWARDS") {
      // A bag that starts over: so does the map.
      this.#health.raise("map", "STAMP_BACKWARDS", `${result.reason.message} The map starts anew.`);
      this.#map.reset();
      result = this.#map.insertFrame(frame, T, pair.stampNs);
    }
    if (result.kind === "rejected") {
      this.#health.raise("map", result.reason.code, result.reason.message, "error");
      return undefined;
    }
    this.#health.clear("map", "TF_INVALID");
    if (result.full === undefined) this.#health.clear("map", "MAP_FULL");
    else this.#health.raise("map", "MAP_FULL", result.full.message);
    return {
      pair,
      header: { stampNs: pair.stampNs, frameId: pair.frameId },
      fixed: { stampNs: pair.stampNs, frameId },
      frame,
      map: this.#map,
      T_fixed_camera: T,
      T_fixed_base: isPosed ? T_fixed_base : undefined,
      isPosed,
    };
  }
}
