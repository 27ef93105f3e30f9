import type { CameraInfo } from "../../src/core/calibration.ts";
import { Health } from "../../src/core/health.ts";
import type { Side, StereoInput } from "../../src/core/ports.ts";
import { fromQuaternion } from "../../src/core/transform.ts";
import { rectifiedPairs } from "../../src/pipeline/frames.ts";
import type { FrameOptions, PosedPair } from "../../src/pipeline/frames-assemble.ts";
import { type FrameCounts, makeFrameCounts } from "../../src/pipeline/frames-counts.ts";
import { makeInfo } from "./infos.ts";

export const ms = (stampMs: number) => BigInt(stampMs) * 1_000_000n;

export function image(side: Side, stampMs: number, channels: 1 | 3 = 1): StereoInput {
  const data = new Uint8Array(64 * 48 * channels).fill(stampMs % 251);
  const header = { stampNs: ms(stampMs), frameId: "cam" };
  return { kind: "image", side, image: { ...header, image: { width: 64, height: 48, channels, data } } };
}

export function info(side: Side, stampMs: number, overrides: Partial<CameraInfo> = {}): StereoInput {
  return {
    kind: "info",
    side,
    info: { ...makeInfo({}, side === "left" ? 0 : 0.1), ...overrides, stampNs: ms(stampMs) },
  };
}

export function tf(stampMs: number, x = stampMs / 1000, parent = "odom", child = "cam"): StereoInput {
  const T_parent_child = fromQuaternion({ x: 0, y: 0, z: 0, w: 1 }, { x, y: 0, z: 0 });
  return { kind: "transform", transform: { stampNs: ms(stampMs), parent, child, T_parent_child, isStatic: false } };
}

/** One frame as most drivers send it: transform, then image and info of each eye. */
export function frame(stampMs: number): StereoInput[] {
  return [tf(stampMs), image("left", stampMs), info("left", stampMs), image("right", stampMs), info("right", stampMs)];
}

export const frames = (...stampsMs: readonly number[]) => stampsMs.flatMap(frame);

export interface Played {
  readonly out: PosedPair[];
  readonly stampsMs: number[];
  readonly xs: (number | undefined)[];
  readonly health: Health;
  readonly raised: string[];
  readonly counts: FrameCounts;
}

export async function play(inputs: readonly StereoInput[], options: Partial<FrameOptions> = {}): Promise<Played> {
  const raised: string[] = [];
  const health = new Health((fault, isRaised) => raised.push(`${isRaised ? "" : "-"}${fault.code}`));
  const counts = makeFrameCounts();
  const out: PosedPair[] = [];
  const all = { rectify: "auto", rectifiedByName: undefined, ...options } as const;
  for await (const posed of rectifiedPairs(from(inputs), all, health, counts)) out.push(posed);
  const stampsMs = out.map(({ pair }) => Number(pair.stampNs) / 1e6);
  return { out, stampsMs, xs: out.map(({ T_fixed_camera }) => T_fixed_camera?.[3]), health, raised, counts };
}

export async function* from(inputs: readonly StereoInput[]): AsyncGenerator<StereoInput> {
  yield* inputs;
}

export const without = (kind: StereoInput["kind"], inputs: readonly StereoInput[]) =>
  inputs.filter((input) => input.kind !== kind);
