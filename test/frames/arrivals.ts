import type { StampedImage } from "../../src/core/image.ts";
import type { Side, StereoPair } from "../../src/core/ports.ts";
import { autoPairing, type PairOptions, StereoPairer } from "../../src/pipeline/pair.ts";
import type { PairEvent } from "../../src/pipeline/pair-drop.ts";

export const ms = 1_000_000n;

export type Arrival = readonly [Side, number];

export function image(stampMs: number): StampedImage {
  const data = new Uint8Array(1);
  return {
    stampNs: BigInt(Math.round(stampMs * 1e6)),
    frameId: "eye",
    image: { width: 1, height: 1, channels: 1, data },
  };
}

/** Pushes arrivals [side, stamp in ms] and flushes; pairs as [left ms, right ms]. */
export function play(arrivals: readonly Arrival[], options: Partial<PairOptions> = {}) {
  const events: PairEvent[] = [];
  const pairer = new StereoPairer({ ...autoPairing, onEvent: (event) => events.push(event), ...options });
  const early: StereoPair[] = arrivals.flatMap(([side, stampMs]) => pairer.push(side, image(stampMs)));
  const pairs = [...early, ...pairer.flush()].map(({ left, right }) => [toMs(left), toMs(right)]);
  return { pairs, early: early.length, counts: pairer.counts, events };
}

export const toMs = ({ stampNs }: StampedImage) => Number(stampNs) / 1e6;
export const sum = (counts: object) => Object.values(counts).reduce((a: number, b: number) => a + b, 0);
export const both = (frames: readonly number[], rightOffset = 0): Arrival[] =>
  frames.flatMap((at): Arrival[] => [
    ["left", at],
    ["right", at + rightOffset],
  ]);
export const causesOf = (events: readonly PairEvent[]) =>
  events.map((event) => (event.kind === "dropped" ? `${event.cause} ${event.stampNs / ms}` : `reset ${event.side}`));
