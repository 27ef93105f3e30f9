import type { LiveConfig } from "../config/live-schema.ts";
import type { Topic } from "../config/topic.ts";
import type { FaultCode } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { StageTimes } from "../core/stage-times.ts";
import { diagnosticsMessage } from "../msg/map-messages.ts";
import { inputProblem, type Problem } from "./input-watch.ts";
import type { LifecycleHandle } from "./lifecycle-node.ts";
import { isOwn, type Listening, seenOf } from "./listening.ts";
import { nodeOf, qosConflict } from "./qos.ts";
import { guarded, type NodeTopics, type RawPublisher } from "./topics.ts";

/** What the diagnostics look at. */
export interface Observed {
  readonly live: LiveConfig;
  readonly lifecycle: LifecycleHandle;
  readonly topics: NodeTopics;
  readonly health: Health;
  readonly times: StageTimes;
  readonly publishers: Readonly<Record<string, RawPublisher | undefined>> | undefined;
  /** The subscriptions: while active and somebody listens. */
  readonly inputs: Readonly<Record<string, Listening>>;
  readonly isEnabled: boolean;
  readonly lastStepMs: number | undefined;
  readonly nowNs: bigint;
  /** What is wrong with inputs that do come. */
  problems(): Problem[];
  figures(): Record<string, string | number>;
}

/** Once a second: looks at inputs and subscribers, raises what is wrong, and publishes health and figures. */
export class NodeDiagnostics {
  readonly #of: Observed;
  readonly #publisher: RawPublisher;
  readonly #timer: NodeJS.Timeout;
  readonly #standing = new Map<string, { where: string; code: FaultCode }>();
  /** Monotonic milliseconds of the answers of the last seconds. */
  #answers: number[] = [];

  constructor(of: Observed, topic: Topic) {
    this.#of = of;
    this.#publisher = of.topics.publisher(topic);
    const tick = guarded(of.health, "diagnostics", () => this.#tick());
    this.#timer = setInterval(() => tick(undefined), 1000);
  }

  /** An input was answered. */
  answered(): void {
    this.#answers.push(performance.now());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { health, lifecycle, inputs, isEnabled } = this.#of;
    const state = lifecycle.node.currentState.label;
    const isListening = Object.keys(inputs).length > 0;
    const silent = this.#silentInputs();
    this.#raise([...silent, ...(silent.length === 0 ? this.#of.problems() : []), ...this.#subscriberProblems()]);
    const idle = isEnabled ? "active; idle, since nobody subscribes to an output" : "active; paused by ~/enable";
    const says = state !== "active" ? state : isListening ? "all is well" : idle;
    const errors = health.list().filter(({ level }) => level === "error");
    const isStale = isListening && errors.length > 0 && errors.every(({ code }) => code === "INPUT_STALE");
    const name = lifecycle.node.getFullyQualifiedName().replace(/^\//, "");
    this.#publisher.publish(
      diagnosticsMessage(this.#of.nowNs, name, health, this.#values(state), { state: says, isStale }),
    );
  }

  /** Raises what is wrong now and clears what no longer is. */
  #raise(problems: readonly Problem[]): void {
    const now = new Map(problems.map((problem) => [`${problem.where}\n${problem.code}`, problem]));
    for (const [key, { where, code }] of this.#standing) {
      if (!now.has(key)) this.#of.health.clear(where, code);
    }
    this.#standing.clear();
    for (const [key, problem] of now) {
      this.#standing.set(key, problem);
      this.#of.health.raise(problem.where, problem.code, problem.message, "error");
    }
  }

  #silentInputs(): Problem[] {
    const { live, inputs, lifecycle } = this.#of;
    const problems: Problem[] = [];
    for (const input of Object.values(inputs)) {
      // Drivers may send a CameraInfo once only.
      if (input.what.endsWith("CameraInfo") && input.lastMs !== undefined) continue;
      if (performance.now() - input.sinceMs < 1000) continue;
      const found = inputProblem(input.what, seenOf(lifecycle.node, input), Math.max(1, live.max_input_age));
      if (found !== undefined) problems.push(found);
    }
    return problems;
  }

  /** Subscribers that cannot hear us. */
  #subscriberProblems(): Problem[] {
    const { node } = this.#of.lifecycle;
    const problems: Problem[] = [];
    for (const publisher of Object.values(this.#of.publishers ?? {})) {
      if (publisher === undefined) continue;
      const { topic } = publisher;
      const own = node.getPublishersInfoByTopic(topic).find((each) => isOwn(node, each));
      if (own === undefined) continue;
      for (const asker of node.getSubscriptionsInfoByTopic(topic)) {
        const conflict = qosConflict(own.qos_profile, asker.qos_profile);
        if (conflict === undefined) continue;
        const message = `${nodeOf(asker)} subscribes to ${topic} and gets nothing: ${conflict}. Change its QoS, or ours with qos_overrides.${topic}.publisher.*`;
        problems.push({ where: topic, code: "QOS_INCOMPATIBLE", message });
      }
    }
    return problems;
  }

  #values(state: string): Record<string, string | number> {
    const { times, live, lastStepMs } = this.#of;
    const nowMs = performance.now();
    this.#answers = this.#answers.filter((ms) => nowMs - ms < 5000);
    const { latency, ...stages } = times.quantiles();
    const fixed = (value: number | undefined) => (value === undefined ? "none" : value.toFixed(2));
    return {
      state,
      rate_hz: fixed(this.#answers.length / 5),
      latency_p50_ms: fixed(latency?.p50),
      latency_p95_ms: fixed(latency?.p95),
      latency_p99_ms: fixed(latency?.p99),
      last_answer_age_ms: fixed(lastStepMs === undefined ? undefined : nowMs - lastStepMs),
      ...this.#of.figures(),
      ...Object.fromEntries(Object.entries(stages).map(([stage, { p50 }]) => [`${stage}_p50_ms`, fixed(p50)])),
      threads: live.intra_op_threads,
    };
  }
}
