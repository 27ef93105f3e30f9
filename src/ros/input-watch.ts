import type { FaultCode } from "../core/fault.ts";
import type { Side } from "../core/ports.ts";
import { spanText } from "../core/stamp.ts";
import { nodeOf, qosConflict, reliabilityText } from "./qos.ts";
import type { RclEndpoint } from "./rclnodejs.ts";

/** What was seen of one input topic. */
export interface InputSeen {
  readonly topic: string;
  readonly type: string;
  readonly publishers: readonly RclEndpoint[];
  /** Our own subscription; undefined where the graph does not show it yet. */
  readonly own: RclEndpoint | undefined;
  /** Seconds since the last message; undefined: none has come. */
  readonly silentS: number | undefined;
}

export interface Problem {
  readonly where: string;
  readonly code: FaultCode;
  readonly message: string;
}

/** Why nothing comes on an input, in a sentence; undefined where all is well. `limitS`: silence that is no problem yet. */
export function inputProblem(what: string, seen: InputSeen, limitS: number): Problem | undefined {
  const { topic, type, publishers, own, silentS } = seen;
  if (silentS !== undefined && silentS <= limitS) return undefined;
  const problem = (code: FaultCode, message: string): Problem => ({ where: topic, code, message });
  if (publishers.length === 0) {
    const past = silentS === undefined ? "" : ` any more (the last message came ${silentS.toFixed(1)} s ago)`;
    return problem(
      "INPUT_STALE",
      `Nobody publishes the ${what} on ${topic}${past}. Start its driver or remap the topic.`,
    );
  }
  const typed = publishers.filter((each) => each.topic_type === type);
  if (typed.length === 0) {
    return problem("TOPIC_TYPE", `${topic} carries ${publishers[0]!.topic_type}, wanted ${type}. Remap the topic.`);
  }
  const conflicts = typed.map((each) =>
    own === undefined ? undefined : qosConflict(each.qos_profile, own.qos_profile),
  );
  if (conflicts.every((conflict) => conflict !== undefined)) {
    return problem(
      "QOS_INCOMPATIBLE",
      `The ${what} of ${nodeOf(typed[0]!)} on ${topic} cannot arrive: ${conflicts[0]}. Set qos_overrides.${topic}.subscription.reliability (or .durability).`,
    );
  }
  const names = typed.map(nodeOf).join(", ");
  const since = silentS === undefined ? "nothing has come yet" : `nothing has come for ${silentS.toFixed(1)} s`;
  return problem("INPUT_STALE", `${names} publishes the ${what} on ${topic}, but ${since}. Look at that node.`);
}

/** Stamps remembered of each eye. */
const remembered = 12;

/** Images of each eye in a row without a pair from which on something must be wrong. */
const suspicious = 4;

/** Notes the stamps of images that have come since the last pair, to tell why they do not pair. */
export class StampWatch {
  readonly #stamps: Readonly<Record<Side, bigint[]>> = { left: [], right: [] };

  see(side: Side, stampNs: bigint): void {
    const stamps = this.#stamps[side];
    stamps.push(stampNs);
    if (stamps.length > remembered) stamps.shift();
  }

  clear(): void {
    for (const stamps of Object.values(this.#stamps)) stamps.length = 0;
  }

  /** How much later than the nearest left image the right ones are stamped (the median); undefined while all may be well. */
  get rightAfterLeftNs(): bigint | undefined {
    const { left, right } = this.#stamps;
    if (left.length < suspicious || right.length < suspicious) return undefined;
    const gaps = right.map((stamp) => left.map((other) => stamp - other).reduce((a, b) => (size(b) < size(a) ? b : a)));
    gaps.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return gaps[gaps.length >> 1];
  }
}

/** "right image arrives on /right/image_rect with RELIABLE QoS 31 ms after left; approximate_sync is off". */
export function pairingText(right: InputSeen, gapNs: bigint, sync: { approximate: boolean; slopS: number }): string {
  const qos = right.publishers[0] === undefined ? "unknown" : reliabilityText(right.publishers[0].qos_profile);
  const gap = `${spanText(size(gapNs))} ${gapNs < 0n ? "before" : "after"} left`;
  const rule = sync.approximate
    ? `approximate_sync is on with a sync_slop of ${sync.slopS * 1e3} ms`
    : "approximate_sync is off";
  const remedy = "Trigger the cameras together, or allow the difference by approximate_sync and sync_slop.";
  return `No pairs: the right image arrives on ${right.topic} with ${qos} QoS ${gap}; ${rule}. ${remedy}`;
}

function size(ns: bigint): bigint {
  return ns < 0n ? -ns : ns;
}
