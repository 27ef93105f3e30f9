import { asFault, Fault } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { Header } from "../core/image.ts";
import type { OctreeFrame } from "../core/occupancy.ts";
import type { AnswerWants, DisparityMap, RectifiedPair, StereoAnswer, StereoModel } from "../core/ports.ts";
import type { StageTimes } from "../core/stage-times.ts";
import type { Transform } from "../core/transform.ts";
import { OccupancyMap } from "../octree/occupancy-map.ts";
import { type DecodeLimits, makeOctreeDecoder } from "../stereo/decode-octree.ts";
import type { PosedPair } from "./frames-assemble.ts";
import { countDrop, type FrameCounts } from "./frames-counts.ts";
import { PassingFaults } from "./frames-recovery.ts";
import { putSavedMap, type SavedMap } from "./map-file.ts";

/** How pairs become a map. */
export interface MapOptions extends DecodeLimits {
  readonly voxelSizeM: number;
  /** Edge of the cube around the robot that the map keeps, metres. */
  readonly windowM: number;
  /** Time in which what is no longer seen loses half of its certainty, seconds; 0 keeps everything. */
  readonly decayHalfLifeS: number;
  /** Goes into the map with the next pair that has a pose, since that tells where the window is, and before what it says. */
  readonly start?: SavedMap;
  /**
   * Pairs that the model works ahead while the map takes in the one before. Default 1; 0 for live use: each map comes out
   * as soon as it is there, not with the next pair.
   */
  readonly ahead?: number;
  /** Asked for each pair: what is wanted of its answer beyond the voxels. */
  readonly wants?: () => AnswerWants;
}

/** One pair in the map. Frame and map are valid until the next step. */
export interface MapStep {
  readonly pair: RectifiedPair;
  /** Stamp of the left image, left optical frame. */
  readonly header: Header;
  /** The same stamp, the map's frame: z up. */
  readonly fixed: Header;
  readonly frame: OctreeFrame;
  /** Where `wants` asked for it. */
  readonly disparity?: DisparityMap;
  readonly map: OccupancyMap;
  readonly T_fixed_camera: Transform;
  /** Undefined where /tf knows no base frame. */
  readonly T_fixed_base: Transform | undefined;
  /** False: no pose was known, the map holds this frame alone and stands at the camera. */
  readonly isPosed: boolean;
}

const noGrid =
  "The height of the robot's base is not known, so there is no occupancy_grid; play or publish /tf from odom to base_link.";

/** Optical axes (x right, y down, z forward) in body axes (x forward, y left, z up), same origin (REP-103). */
const T_level_optical: Transform = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0);

/**
 * Runs the model on every pair and fuses its answers into a rolling map, in order. A pair that the model or the map
 * fails on is counted and told to `health`; the drive goes on. A pair without a pose makes a map of its own, in
 * `<optical frame>_level`; the map in the fixed frame is left as it is. Should `pairs` throw, what came before still
 * comes out, then the error. Thresholds, range, decay and `start` may be changed in `options`
 * between steps; the rest is read once.
 */
export async function* mapSteps(
  pairs: AsyncIterable<PosedPair>,
  model: StereoModel,
  options: MapOptions,
  health: Health,
  counts: FrameCounts,
  times: StageTimes,
): AsyncGenerator<MapStep, void, undefined> {
  const passing = new PassingFaults(health);
  const mapper = new Mapper(model, options, health, passing);
  const waiting: { readonly posed: PosedPair; readonly answer: Promise<StereoAnswer | Fault> }[] = [];

  async function* settle(left: number): AsyncGenerator<MapStep> {
    while (waiting.length > left) {
      const { posed, answer } = waiting.shift()!;
      const outcome = await answer;
      if (outcome instanceof Fault) {
        passing.raise("model", outcome.code, `${outcome.message} ${outcome.remedy}`, "error");
        lose(counts, "model_failed");
        continue;
      }
      for (const [stage, ms] of Object.entries(outcome.stagesMs)) times.record(stage, ms);
      const step = times.measure("map", () => mapper.add(posed, outcome));
      if (step === undefined) {
        lose(counts, "map_refused");
        continue;
      }
      passing.good();
      yield step;
    }
  }

  let broken: { readonly thrown: unknown } | undefined;
  const source = caught(pairs, (thrown) => {
    broken = { thrown };
  });
  for await (const posed of source) {
    const answer = model.run(posed.pair, options.voxelSizeM, options.wants?.()).then(
      (found) => found ?? new Fault("A newer pair took its place.", { code: "INPUT_STALE", remedy: "Nothing to do." }),
      (thrown) => asModelFault(thrown),
    );
    waiting.push({ posed, answer });
    yield* settle(options.ahead ?? 1);
  }
  yield* settle(0);
  if (broken !== undefined) throw broken.thrown;
}

/** The same, but what it throws goes to `hear` and ends it. */
async function* caught<T>(source: AsyncIterable<T>, hear: (thrown: unknown) => void): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (thrown) {
    hear(thrown);
  }
}

/** A pair that was handed on has come to nothing. */
function lose(counts: FrameCounts, cause: "model_failed" | "map_refused"): void {
  counts.processed -= 1;
  countDrop(counts, cause);
}

/** Never rejects: the promise is awaited late, and a rejection would end the process before. */
function asModelFault(thrown: unknown): Fault {
  return asFault(thrown, "The model failed.", { code: "MODEL_MISMATCH", remedy: "Report this: it is a defect." });
}

/** Decodes answers and keeps the maps. */
class Mapper {
  readonly #health: Health;
  readonly #passing: PassingFaults;
  readonly #options: MapOptions;
  readonly #decode: ReturnType<typeof makeOctreeDecoder>;
  readonly #map: OccupancyMap;
  /** Of the last pair without a pose. */
  #lone: OccupancyMap | undefined;
  #fixedFrame: string | undefined;
  /** What of `start` is in the map. */
  #started: SavedMap | undefined;

  constructor(model: StereoModel, options: MapOptions, health: Health, passing: PassingFaults) {
    this.#health = health;
    this.#passing = passing;
    this.#options = options;
    this.#decode = makeOctreeDecoder(model.grid(options.voxelSizeM), model.keep);
    this.#map = this.#make();
  }

  /** Undefined where the map refused the frame (told to health). */
  add(posed: PosedPair, answer: StereoAnswer): MapStep | undefined {
    const { pair, T_fixed_camera, T_fixed_base, fixedFrame } = posed;
    const frame = this.#decode(answer, pair.calibration, this.#options);
    const isPosed = T_fixed_camera !== undefined && fixedFrame !== undefined;
    const map = isPosed ? this.#posedMap(fixedFrame) : this.#loneMap();
    const T = isPosed ? T_fixed_camera : T_level_optical;
    if (!this.#insert(map, frame, T, pair.stampNs)) return undefined;
    if (isPosed && this.#options.start !== this.#started)
      this.#start(map, () => map.insertFrame(frame, T, pair.stampNs));
    if (isPosed && T_fixed_base !== undefined) this.#health.clear("occupancy_grid", "TF_MISSING");
    else this.#health.raise("occupancy_grid", "TF_MISSING", noGrid);
    return {
      pair,
      header: { stampNs: pair.stampNs, frameId: pair.frameId },
      fixed: { stampNs: pair.stampNs, frameId: isPosed ? fixedFrame : `${pair.frameId}_level` },
      frame,
      ...(answer.disparity && { disparity: answer.disparity }),
      map,
      T_fixed_camera: T,
      T_fixed_base: isPosed ? T_fixed_base : undefined,
      isPosed,
    };
  }

  #posedMap(fixedFrame: string): OccupancyMap {
    // In another frame, what the map holds would stand elsewhere.
    if (fixedFrame !== this.#fixedFrame) this.#map.reset();
    this.#fixedFrame = fixedFrame;
    return this.#map;
  }

  /** Now that the window is where the robot is: the saved map, and over it once more what this pair says. */
  #start(map: OccupancyMap, again: () => void): void {
    const { start } = this.#options;
    this.#started = start;
    if (start === undefined) return;
    try {
      putSavedMap(map, start);
      again();
    } catch (thrown) {
      const { code, message, remedy } = asFault(thrown, "The saved map could not be read.", {
        code: "MESSAGE_CORRUPT",
        remedy: "Report this: it is a defect.",
      });
      this.#health.raise("saved map", code, `${message} ${remedy} The map starts empty.`, "error");
    }
  }

  #loneMap(): OccupancyMap {
    this.#lone ??= this.#make();
    this.#lone.reset();
    return this.#lone;
  }

  #make(): OccupancyMap {
    const { voxelSizeM, windowM } = this.#options;
    return new OccupancyMap({ resolutionM: voxelSizeM, windowM });
  }

  #insert(map: OccupancyMap, frame: OctreeFrame, T: Transform, stampNs: bigint): boolean {
    const { decayHalfLifeS: half } = this.#options;
    map.setDecay(half > 0 ? { decayAfterS: half, decayPerS: Math.LN2 / half } : { decayAfterS: 0, decayPerS: 0 });
    let result = map.insertFrame(frame, T, stampNs);
    if (result.kind === "rejected" && result.reason.code === "STAMP_BACKWARDS") {
      // A bag that starts over: so does the map.
      this.#passing.raise("map", "STAMP_BACKWARDS", `${result.reason.message} The map starts anew.`);
      map.reset();
      result = map.insertFrame(frame, T, stampNs);
    }
    if (result.kind === "rejected") {
      this.#health.raise("map", result.reason.code, result.reason.message, "error");
      return false;
    }
    this.#health.clear("map", "TF_INVALID");
    if (result.full === undefined) this.#health.clear("map", "MAP_FULL");
    else this.#health.raise("map", "MAP_FULL", result.full.message);
    return true;
  }
}
