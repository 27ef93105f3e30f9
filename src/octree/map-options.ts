import { Fault } from "../core/fault.ts";
import type { DecayOptions } from "./decay.ts";
import { type EvidenceOptions, octomapEvidence } from "./log-odds.ts";

/** What the map keeps, and how it weighs evidence. */
export interface MapOptions extends EvidenceOptions, DecayOptions {
  /** Edge of the smallest cell, metres; usually the frame's voxel size. */
  readonly resolutionM: number;
  /** Edge of the cube around the camera that is remembered, metres, rounded up to whole bricks; Infinity = all. */
  readonly windowM: number;
  /** Memory cap; a brick takes 1.5 KiB. */
  readonly maxBricks: number;
}

export const mapDefaults: MapOptions = {
  ...octomapEvidence,
  resolutionM: 0.5,
  windowM: 80,
  maxBricks: 16384,
  decayAfterS: 5,
  decayPerS: 0.5,
  decayEveryFrames: 8,
};

/** Throws a Fault that names all options out of range. */
export function checkMapOptions(o: MapOptions): void {
  const wrong: string[] = [];
  if (!(o.resolutionM >= 0.001 && o.resolutionM <= 100)) wrong.push(`resolutionM ${o.resolutionM} (0.001..100)`);
  if (!(o.windowM > 0)) wrong.push(`windowM ${o.windowM} (> 0)`);
  if (!(Number.isInteger(o.maxBricks) && o.maxBricks >= 16 && o.maxBricks <= 1 << 21)) {
    wrong.push(`maxBricks ${o.maxBricks} (whole, 16..${1 << 21})`);
  }
  if (!(o.decayAfterS >= 0)) wrong.push(`decayAfterS ${o.decayAfterS} (>= 0)`);
  if (!(o.decayPerS >= 0)) wrong.push(`decayPerS ${o.decayPerS} (>= 0)`);
  if (!(Number.isInteger(o.decayEveryFrames) && o.decayEveryFrames >= 1)) {
    wrong.push(`decayEveryFrames ${o.decayEveryFrames} (whole, >= 1)`);
  }
  if (wrong.length === 0) return;
  throw new Fault(`Map options out of range: ${wrong.join(", ")}.`, {
    code: "CONFIG_INVALID",
    remedy: "Give values in the ranges named.",
  });
}
