import type { FaultCode } from "./fault.ts";

/** `error`: outputs are missing or wrong. `warn`: they are poorer than they could be. */
export type HealthLevel = "warn" | "error";

/** A fault that holds until it is cleared. */
export interface StandingFault {
  /** What it concerns: a topic, a file, a stage. */
  readonly where: string;
  readonly code: FaultCode;
  readonly level: HealthLevel;
  /** What was seen and wanted, and what to do. */
  readonly message: string;
  /** How often it was raised since it last cleared. */
  readonly count: number;
}

/**
 * The list of faults that hold now, keyed by place and code: raised once, counted, removed on recovery. Feeds
 * `/diagnostics`, the log, the viewer, `report.json` and the exit code.
 */
export class Health {
  readonly #faults = new Map<string, StandingFault>();
  readonly #history = new Map<string, StandingFault>();
  readonly #onChange: (fault: StandingFault, raised: boolean) => void;

  /** `onChange` hears each fault when it first appears and when it goes, not the repetitions between. */
  constructor(onChange: (fault: StandingFault, raised: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** A fault holds: new or seen once more. One of the same place and code is replaced. */
  raise(where: string, code: FaultCode, message: string, level: HealthLevel = "warn"): void {
    const key = `${where}\n${code}`;
    const before = this.#faults.get(key);
    const fault: StandingFault = { where, code, level, message, count: (before?.count ?? 0) + 1 };
    this.#faults.set(key, fault);
    this.#history.set(key, { ...fault, count: (this.#history.get(key)?.count ?? 0) + 1 });
    if (before === undefined) this.#onChange(fault, true);
  }

  /** The fault of this place and code is over; nothing happens where none held. */
  clear(where: string, code: FaultCode): void {
    const key = `${where}\n${code}`;
    const fault = this.#faults.get(key);
    if (fault !== undefined && this.#faults.delete(key)) this.#onChange(fault, false);
  }

  /** What holds now, in the order in which it was raised. */
  list(): readonly StandingFault[] {
    return [...this.#faults.values()];
  }

  /** Every fault that was ever raised, gone or not, as it was last; `count` over the whole run. */
  history(): readonly StandingFault[] {
    return [...this.#history.values()];
  }

  /** The worst level that holds; undefined when all is well. */
  worst(): HealthLevel | undefined {
    let worst: HealthLevel | undefined;
    for (const fault of this.#faults.values()) {
      if (fault.level === "error") return "error";
      worst = "warn";
    }
    return worst;
  }
}
