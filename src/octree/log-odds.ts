import { Fault } from "../core/fault.ts";

/** Log-odds are held as whole steps of this size: Int16 reaches +-8, and OctoMap's values are met to 1.3e-4. */
export const LOG_ODDS_STEP = 1 / 4096;
/** Marks a cell of which nothing is known; no log-odds has this value. */
export const UNKNOWN_CELL = -32768;
/** Two unknown cells side by side, read as one 32-bit number; or the signs of any two. */
export const UNKNOWN_PAIR = (UNKNOWN_CELL << 16) | (UNKNOWN_CELL & 0xffff);

export interface EvidenceOptions {
  /** Most that one frame can say for "occupied", as probability; OctoMap's prob_hit. */
  readonly hit: number;
  /** Most that one frame can say for "free"; OctoMap's prob_miss. */
  readonly miss: number;
  /** Clamping thresholds, probabilities. */
  readonly clampMin: number;
  readonly clampMax: number;
  /** A known cell is occupied at or above this probability. */
  readonly occupancyThreshold: number;
}

export const octomapEvidence: EvidenceOptions = {
  hit: 0.7,
  miss: 0.4,
  clampMin: 0.1192,
  clampMax: 0.971,
  occupancyThreshold: 0.5,
};

/** All in steps of `LOG_ODDS_STEP`. The tables are indexed by `probabilityByte`. */
export interface Evidence {
  readonly hitOf: Int16Array;
  readonly missOf: Int16Array;
  readonly min: number;
  readonly max: number;
  readonly occupied: number;
  /** Probability of a cell, by its steps - min. */
  readonly probabilityOf: Float32Array;
}

export function logOdds(p: number): number {
  return Math.log(p / (1 - p));
}

export function probability(logOddsSteps: number): number {
  return 1 / (1 + Math.exp(-logOddsSteps * LOG_ODDS_STEP));
}

/** Probability 0..1 -> 0..255, the resolution at which a frame's probabilities are heard; NaN -> 0. */
export function probabilityByte(p: number): number {
  return p >= 1 ? 255 : p > 0 ? (p * 255 + 0.5) | 0 : 0;
}

/**
 * The network's probability is the inverse sensor model: a cell moves by logit(p). It is limited to OctoMap's hit and
 * miss, so that one frame never decides alone, and is at least a quarter of those, because the three-state decision
 * (whose threshold may favour recall over p = 0.5) has already been taken.
 */
export function makeEvidence(options: EvidenceOptions): Evidence {
  checkEvidence(options);
  const steps = (p: number) => Math.round(logOdds(p) / LOG_ODDS_STEP);
  const hit = steps(options.hit);
  const miss = steps(options.miss);
  const hitOf = new Int16Array(256);
  const missOf = new Int16Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const heard = steps(Math.min(Math.max(byte / 255, 1e-6), 1 - 1e-6));
    hitOf[byte] = Math.min(hit, Math.max(Math.round(hit / 4), heard));
    missOf[byte] = Math.max(miss, Math.min(Math.round(miss / 4), heard));
  }
  const [min, max, occupied] = [options.clampMin, options.clampMax, options.occupancyThreshold].map(steps);
  const probabilityOf = Float32Array.from({ length: max! - min! + 1 }, (_, i) => probability(min! + i));
  return { hitOf, missOf, min: min!, max: max!, occupied: occupied!, probabilityOf };
}

function checkEvidence({ hit, miss, clampMin, clampMax, occupancyThreshold: threshold }: EvidenceOptions): void {
  const seen = `hit ${hit}, miss ${miss}, clamp ${clampMin}..${clampMax}, threshold ${threshold}`;
  const inOrder = 0 < miss && miss < 0.5 && 0.5 < hit && hit < 1 && 0.001 <= clampMin && clampMax <= 0.999;
  if (inOrder && clampMin < 0.5 && 0.5 < clampMax && clampMin < threshold && threshold < clampMax) return;
  throw new Fault(
    `Map evidence must satisfy miss < 0.5 < hit and 0.001 <= clampMin < 0.5, threshold < clampMax <= 0.999; seen ${seen}.`,
    {
      code: "CONFIG_INVALID",
      remedy: "Use OctoMap's values (hit 0.7, miss 0.4, clamp 0.1192..0.971, threshold 0.5) or others in that order.",
    },
  );
}
