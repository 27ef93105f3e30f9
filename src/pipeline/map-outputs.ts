import type { StereoCalibration } from "../core/calibration.ts";
import type { Health } from "../core/health.ts";
import type { StageTimes } from "../core/stage-times.ts";
import {
  diagnosticsMessage,
  type MapOutput,
  mapTopics,
  occupancyGridMessage,
  octomapBinaryMessage,
  octomapFullMessage,
  pointsClearingMessage,
  pointsMessage,
  voxelMarkersMessage,
} from "../msg/map-messages.ts";
import { clearingPointsInto } from "../octree/clearing.ts";
import { type ClearingRays, makeClearingRays } from "../octree/clearing-rays.ts";
import { GroundProjector } from "../octree/ground.ts";
import type { GroundOptions } from "../octree/ground-slope.ts";
import { occupiedInto } from "../octree/leaves.ts";
import { OctomapEncoder } from "../octree/octomap.ts";
import { FullOctomapEncoder } from "../octree/octomap-full.ts";
import { frameOccupiedInto } from "../octree/per-frame.ts";
import { makePointList } from "../octree/points.ts";
import { makeProjection, projectInto } from "../octree/project.ts";
import { DepthOutputs } from "./depth-outputs.ts";
import type { FrameCounts } from "./frames-counts.ts";
import type { MapStep } from "./map-steps.ts";

/** What the messages hold. */
export interface OutputOptions {
  readonly maxRangeM: number;
  /** The robot's height band above its base, metres. */
  readonly minHeightM: number;
  readonly maxHeightM: number;
  /** The 2D grid follows the ground that the robot can reach, and `maxHeightM` counts from there; else the band alone. */
  readonly ground?: Omit<GroundOptions, "clearanceM"> | undefined;
  readonly maxMarkers: number;
  /** Name of the node in the diagnostics. */
  readonly node: string;
}

/** A message, ready to be published or written. */
export interface OutputMessage {
  readonly output: MapOutput;
  readonly topic: string;
  readonly stampNs: bigint;
  /** CDR with its header. */
  readonly data: Uint8Array;
}

/** Turns steps into ROS messages; computes nothing that is not wanted. The options may be changed between steps. */
export class MapOutputs {
  readonly #options: OutputOptions;
  readonly #points = makePointList();
  readonly #ends = makePointList();
  readonly #voxels = makePointList();
  readonly #projection = makeProjection();
  readonly #ground = new GroundProjector();
  readonly #encoder = new OctomapEncoder();
  readonly #fullEncoder = new FullOctomapEncoder();
  readonly #depths = new DepthOutputs();
  #rays: { readonly of: StereoCalibration; readonly maxRangeM: number; readonly rays: ClearingRays } | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /**
   * There is no occupancy_grid while /tf does not say how high the robot's base stands: a band at a guessed height would
   * show obstacles as free ground. There is no depth and no disparity of a step that was made before they were wanted.
   */
  *messages(step: MapStep, wanted: ReadonlySet<MapOutput>): Generator<OutputMessage> {
    const { stampNs } = step.header;
    for (const output of outputs) {
      if (!wanted.has(output)) continue;
      const data = this.#encode(step, output);
      if (data !== undefined) yield { output, topic: mapTopics[output].topic, stampNs, data };
    }
  }

  /** Health, counts and the identity of the model; timings only where `times` holds any, since they change every run. */
  diagnostics(
    stampNs: bigint,
    health: Health,
    counts: FrameCounts,
    model: { name: string; sha256: string },
    times?: StageTimes,
  ): OutputMessage {
    const drops = Object.entries(counts.dropped).map(([cause, n]) => [`dropped_${cause}`, n] as const);
    const stages = Object.entries(times?.medians() ?? {}).map(
      ([stage, p50]) => [`${stage}_p50_ms`, p50.toFixed(2)] as const,
    );
    const values = {
      pairs_seen: counts.seen,
      pairs_processed: counts.processed,
      ...Object.fromEntries(drops),
      model: model.name,
      model_sha256: model.sha256,
      ...Object.fromEntries(stages),
    };
    const data = diagnosticsMessage(stampNs, this.#options.node, health, values);
    return { output: "diagnostics", topic: mapTopics.diagnostics.topic, stampNs, data };
  }

  #encode(step: MapStep, output: (typeof outputs)[number]): Uint8Array | undefined {
    const { header, fixed, frame, map } = step;
    const { minHeightM, maxHeightM, maxRangeM } = this.#options;
    switch (output) {
      case "points":
        frameOccupiedInto(this.#points, frame);
        return pointsMessage(header, this.#points);
      case "pointsClearing":
        clearingPointsInto(this.#ends, frame, this.#raysOf(step));
        return pointsClearingMessage(header, this.#ends);
      case "octomapBinary":
        return octomapBinaryMessage(fixed, map.resolutionM, this.#encoder.borrowBinary(map));
      case "octomapFull":
        return octomapFullMessage(fixed, map.resolutionM, this.#fullEncoder.borrowFull(map));
      case "depth":
        return step.disparity && this.#depths.depth(step.pair, step.disparity, maxRangeM);
      case "disparity":
        return step.disparity && this.#depths.disparity(step.pair, step.disparity);
      case "occupancyGrid": {
        const T = step.T_fixed_base;
        if (T === undefined) return undefined;
        const { ground } = this.#options;
        if (ground === undefined) projectInto(this.#projection, map, T[11]! + minHeightM, T[11]! + maxHeightM);
        else this.#ground.projectInto(this.#projection, map, T, { ...ground, clearanceM: maxHeightM });
        return occupancyGridMessage(fixed, this.#projection);
      }
      case "voxelMarkers": {
        occupiedInto(this.#voxels, map);
        const baseZM = step.T_fixed_base?.[11] ?? 0;
        return voxelMarkersMessage(fixed, this.#voxels, {
          edgeM: map.resolutionM,
          maxCubes: this.#options.maxMarkers,
          minZM: baseZM,
          maxZM: baseZM + 3,
        });
      }
    }
  }

  #raysOf({ pair: { calibration }, frame }: MapStep): ClearingRays {
    const { maxRangeM } = this.#options;
    if (this.#rays?.maxRangeM !== maxRangeM || !isSameView(this.#rays.of, calibration)) {
      this.#rays = { of: calibration, maxRangeM, rays: makeClearingRays(frame.grid, calibration, { maxRangeM }) };
    }
    return this.#rays.rays;
  }
}

/** Every pair brings a calibration object of its own, mostly with the same numbers. */
function isSameView(a: StereoCalibration, b: StereoCalibration): boolean {
  return (
    a === b ||
    (a.width === b.width && a.height === b.height && a.fx === b.fx && a.fy === b.fy && a.cx === b.cx && a.cy === b.cy)
  );
}

const outputs = [
  "points",
  "pointsClearing",
  "octomapBinary",
  "octomapFull",
  "occupancyGrid",
  "voxelMarkers",
  "depth",
  "disparity",
] as const;
