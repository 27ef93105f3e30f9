import type { FaultCode } from "../core/fault.ts";
import type { Health, HealthLevel } from "../core/health.ts";

/** Pairs in a row without a new fault after which a passing fault counts as over: one to three seconds. */
const goodPairs = 30;

/** Raises faults that are events (a lone image, a corrupt message) and clears them once all has gone well for a while. */
export class PassingFaults {
  readonly #health: Health;
  readonly #standing = new Map<string, { where: string; code: FaultCode }>();
  #good = 0;

  constructor(health: Health) {
    this.#health = health;
  }

  raise(where: string, code: FaultCode, message: string, level: HealthLevel = "warn"): void {
    this.#good = 0;
    this.#standing.set(`${where}\n${code}`, { where, code });
    this.#health.raise(where, code, message, level);
  }

  /** A pair went through. */
  good(): void {
    this.#good += 1;
    if (this.#good < goodPairs) return;
    for (const { where, code } of this.#standing.values()) this.#health.clear(where, code);
    this.#standing.clear();
  }
}
