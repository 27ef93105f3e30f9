const remembered = 9;

/** Measures the frame period of one camera from its stamps. */
export class FramePeriod {
  readonly #gapsNs: bigint[] = [];
  #newestNs: bigint | undefined;

  /** Late arrivals say nothing of the period and are passed over. */
  add(stampNs: bigint): void {
    if (this.#newestNs !== undefined) {
      if (stampNs <= this.#newestNs) return;
      this.#gapsNs.push(stampNs - this.#newestNs);
      if (this.#gapsNs.length > remembered) this.#gapsNs.shift();
    }
    this.#newestNs = stampNs;
  }

  /** After a jump of time: the gap across it is no period. The measured period stays. */
  restart(): void {
    this.#newestNs = undefined;
  }

  /** Lower median of the last gaps (a missing frame doubles a gap, so the lower one); undefined before two frames. */
  get periodNs(): bigint | undefined {
    const sorted = this.#gapsNs.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return sorted[(sorted.length - 1) >> 1];
  }
}
