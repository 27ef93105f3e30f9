import { expect } from "vitest";
import { type ReplayRun, replay } from "../../src/cli/replay-run.ts";
import { defaultsOf } from "../../src/config/parse.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";
import { Health } from "../../src/core/health.ts";
import type { StereoModel } from "../../src/core/ports.ts";
import { occupiedInto } from "../../src/octree/leaves.ts";
import { frameOccupiedInto } from "../../src/octree/per-frame.ts";
import { makePointList } from "../../src/octree/points.ts";
import type { MapStep } from "../../src/pipeline/map-steps.ts";

export const config = defaultsOf(stereoSchema);

/** What one step was, copied. */
export interface Seen {
  readonly stampNs: bigint;
  readonly optical: string;
  readonly fixed: string;
  readonly isPosed: boolean;
  readonly cameraM: readonly [number, number, number];
  readonly baseZM: number | undefined;
  readonly points: Float32Array;
  /** Occupied cells of the map: centres, metres. */
  readonly occupied: Float32Array;
}

/** x, y, z, value one after the other, as in a PointCloud2. */
function interleaved(list: { count: number; xyz: Float32Array; value: Float32Array }): Float32Array {
  const out = new Float32Array(list.count * 4);
  for (let i = 0; i < list.count; i += 1) {
    out.set(list.xyz.subarray(i * 3, i * 3 + 3), i * 4);
    out[i * 4 + 3] = list.value[i]!;
  }
  return out;
}

function seenIn({ header, fixed, frame, map, isPosed, T_fixed_camera: T, T_fixed_base }: MapStep): Seen {
  const points = makePointList();
  frameOccupiedInto(points, frame);
  const occupied = makePointList();
  occupiedInto(occupied, map);
  return {
    stampNs: header.stampNs,
    optical: header.frameId,
    fixed: fixed.frameId,
    isPosed,
    cameraM: [T[3]!, T[7]!, T[11]!],
    baseZM: T_fixed_base?.[11],
    points: interleaved(points),
    occupied: occupied.xyz.slice(0, occupied.count * 3),
  };
}

/** Replays a bag in this process and keeps what each step was. */
export async function replaySteps(
  bag: string,
  model: StereoModel,
  out?: string,
): Promise<{ run: ReplayRun; health: Health; steps: Seen[] }> {
  const health = new Health();
  const steps: Seen[] = [];
  const onStep = (step: MapStep) => void steps.push(seenIn(step));
  const options = { bag, topics: {}, config, model, health, onStep };
  const run = await replay(out === undefined ? options : { ...options, out });
  return { run, health, steps };
}

/** Every pair has its pose in odom, and what is mapped lies along the way. */
export function expectAlongTheDrive(steps: readonly Seen[], pairs: number): void {
  expect(steps.length).toBe(pairs);
  for (const step of steps) expect(step).toMatchObject({ isPosed: true, fixed: "odom" });
  const [from, to] = [steps[0]!.cameraM, steps.at(-1)!.cameraM];
  const drivenM = Math.hypot(to[0] - from[0], to[1] - from[1]);
  expect(drivenM).toBeGreaterThan(pairs * 0.2);
  // Nothing farther from the nearest camera than the network sees, and something seen from either end alone.
  const last = steps.at(-1)!.occupied;
  const reachM = Math.hypot(config.max_range, config.max_range, config.max_range);
  let farthestM = 0;
  for (let i = 0; i < last.length; i += 3) {
    const nearest = Math.min(
      ...steps.map(({ cameraM }) =>
        Math.hypot(last[i]! - cameraM[0], last[i + 1]! - cameraM[1], last[i + 2]! - cameraM[2]),
      ),
    );
    farthestM = Math.max(farthestM, nearest);
  }
  expect(farthestM).toBeLessThan(reachM);
  const along = (xyz: Float32Array) => {
    const [ux, uy] = [(to[0] - from[0]) / drivenM, (to[1] - from[1]) / drivenM];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < xyz.length; i += 3) {
      const at = (xyz[i]! - from[0]) * ux + (xyz[i + 1]! - from[1]) * uy;
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
    return { low, high };
  };
  const [begin, end] = [along(steps[0]!.occupied), along(last)];
  expect(end.high).toBeGreaterThan(begin.high + drivenM / 2);
  expect(end.low).toBeLessThan(drivenM / 2 + 5);
}
