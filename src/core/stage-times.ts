/** Quantiles of one stage, milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Samples kept per stage; the newest replace the oldest. */
const KEPT = 4096;

/**
 * How long each stage took. The clock is handed in (milliseconds, monotonic), because stages must not read one; without
 * it nothing is measured.
 */
export class StageTimes {
  readonly #now: () => number;
  readonly #samples = new Map<string, { readonly ms: Float64Array; count: number }>();

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** Runs `work` and records how long it took. */
  measure<T>(stage: string, work: () => T): T {
    const began = this.#now();
    const result = work();
    this.record(stage, this.#now() - began);
    return result;
  }

  /** The same for work that ends later. */
  async measureAsync<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const began = this.#now();
    const result = await work();
    this.record(stage, this.#now() - began);
    return result;
  }

  /** One sample, milliseconds. */
  record(stage: string, ms: number): void {
    let samples = this.#samples.get(stage);
    if (samples === undefined) {
      samples = { ms: new Float64Array(KEPT), count: 0 };
      this.#samples.set(stage, samples);
    }
    samples.ms[samples.count % KEPT] = ms;
    samples.count += 1;
  }

  /** Stages in the order in which they first ran. */
  quantiles(): Record<string, Quantiles> {
    const out: Record<string, Quantiles> = {};
    for (const [stage, { ms, count }] of this.#samples) {
      const sorted = ms.slice(0, Math.min(count, KEPT)).sort();
      const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
      out[stage] = { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1)! };
    }
    return out;
  }

  /** Median of each stage, milliseconds. */
  medians(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.quantiles()).map(([stage, { p50 }]) => [stage, p50]));
  }
}
