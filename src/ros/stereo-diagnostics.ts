import type { StereoNodeConfig } from "../config/stereo-node-schema.ts";
import { stereoOutputs } from "../config/stereo-topics.ts";
import type { FaultCode } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { StereoModel } from "../core/ports.ts";
import type { StageTimes } from "../core/stage-times.ts";
import { diagnosticsMessage } from "../msg/map-messages.ts";
import type { FrameCounts } from "../pipeline/frames-counts.ts";
import { type InputSeen, inputProblem, type Problem, pairingText, type StampWatch } from "./input-watch.ts";
import type { LifecycleHandle } from "./lifecycle-node.ts";
import { nodeOf, qosConflict } from "./qos.ts";
import type { RclEndpoint } from "./rclnodejs.ts";
import type { Listening } from "./stereo-inputs.ts";
import { guarded, type NodeTopics, type RawPublisher } from "./topics.ts";

/** What the diagnostics look at. */
export interface Observed {
  readonly config: StereoNodeConfig;
  readonly lifecycle: LifecycleHandle;
  readonly topics: NodeTopics;
  readonly health: Health;
  readonly counts: FrameCounts;
  readonly times: StageTimes;
  readonly stamps: StampWatch;
  /** From configure to cleanup. */
  readonly model: StereoModel | undefined;
  readonly publishers: Readonly<Record<string, RawPublisher>> | undefined;
  /** The image and CameraInfo subscriptions: while active and somebody listens. */
  readonly eyes: Readonly<Record<string, Listening>>;
  readonly isEnabled: boolean;
  readonly newestTfNs: bigint | undefined;
  readonly lastStepMs: number | undefined;
  readonly nowNs: bigint;
}

/** Once a second: looks at inputs and subscribers, raises what is wrong, and publishes health and figures. */
export class StereoDiagnostics {
  readonly #of: Observed;
  readonly #publisher: RawPublisher;
  readonly #timer: NodeJS.Timeout;
  readonly #standing = new Map<string, { where: string; code: FaultCode }>();
  /** Monotonic milliseconds of the answers of the last seconds. */
  #answers: number[] = [];

  constructor(of: Observed) {
    this.#of = of;
    this.#publisher = of.topics.publisher(stereoOutputs.diagnostics);
    const tick = guarded(of.health, "diagnostics", () => this.#tick());
    this.#timer = setInterval(() => tick(undefined), 1000);
  }

  /** A pair was answered. */
  answered(): void {
    this.#answers.push(performance.now());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { health, lifecycle, eyes, isEnabled } = this.#of;
    const state = lifecycle.node.currentState.label;
    const isListening = Object.keys(eyes).length > 0;
    this.#raise([...this.#inputProblems(), ...this.#subscriberProblems()]);
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

  #inputProblems(): Problem[] {
    const { config, eyes, stamps } = this.#of;
    const problems: Problem[] = [];
    for (const input of Object.values(eyes)) {
      const isInfo = input.what.endsWith("CameraInfo");
      // Drivers may send it once only.
      if (isInfo && input.lastMs !== undefined) continue;
      if (performance.now() - input.sinceMs < 1000) continue;
      const limitS = Math.max(1, config.max_input_age);
      const found = inputProblem(input.what, this.#seen(input), limitS);
      if (found !== undefined) problems.push(found);
    }
    const gapNs = stamps.rightAfterLeftNs;
    const right = eyes["right image"];
    if (problems.length === 0 && right !== undefined && gapNs !== undefined) {
      const sync = { approximate: config.approximate_sync, slopS: config.sync_slop };
      problems.push({ where: "sync", code: "PAIR_LONE", message: pairingText(this.#seen(right), gapNs, sync) });
    }
    return problems;
  }

  #seen({ topic, subscription, lastMs }: Listening): InputSeen {
    const { node } = this.#of.lifecycle;
    const name = subscription.topic;
    return {
      topic: name,
      type: topic.type,
      publishers: node.getPublishersInfoByTopic(name),
      own: node.getSubscriptionsInfoByTopic(name).find((each) => this.#isOwn(each)),
      silentS: lastMs === undefined ? undefined : (performance.now() - lastMs) / 1e3,
    };
  }

  /** Subscribers that cannot hear us. */
  #subscriberProblems(): Problem[] {
    const { node } = this.#of.lifecycle;
    const problems: Problem[] = [];
    for (const { topic } of Object.values(this.#of.publishers ?? {})) {
      const own = node.getPublishersInfoByTopic(topic).find((each) => this.#isOwn(each));
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

  #isOwn(endpoint: RclEndpoint): boolean {
    return nodeOf(endpoint) === this.#of.lifecycle.node.getFullyQualifiedName();
  }

  #values(state: string): Record<string, string | number> {
    const { counts, times, model, config, nowNs, newestTfNs, lastStepMs } = this.#of;
    const nowMs = performance.now();
    this.#answers = this.#answers.filter((ms) => nowMs - ms < 5000);
    const { latency, ...stages } = times.quantiles();
    const fixed = (value: number | undefined) => (value === undefined ? "none" : value.toFixed(2));
    const { lone_left = 0, lone_right = 0, queue_overflow = 0 } = counts.dropped;
    return {
      state,
      rate_hz: fixed(this.#answers.length / 5),
      latency_p50_ms: fixed(latency?.p50),
      latency_p95_ms: fixed(latency?.p95),
      latency_p99_ms: fixed(latency?.p99),
      last_answer_age_ms: fixed(lastStepMs === undefined ? undefined : nowMs - lastStepMs),
      tf_age_ms: fixed(newestTfNs === undefined ? undefined : Number(nowNs - newestTfNs) / 1e6),
      pairs_seen: counts.seen,
      pairs_processed: counts.processed,
      sync_misses: lone_left + lone_right + queue_overflow,
      ...Object.fromEntries(Object.entries(counts.dropped).map(([cause, n]) => [`dropped_${cause}`, n])),
      ...Object.fromEntries(Object.entries(stages).map(([stage, { p50 }]) => [`${stage}_p50_ms`, fixed(p50)])),
      model: model?.name ?? "none",
      model_sha256: model?.sha256 ?? "none",
      threads: config.intra_op_threads,
    };
  }
}
