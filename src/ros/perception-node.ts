import type { LiveConfig } from "../config/live-schema.ts";
import type { Config, Schema } from "../config/schema.ts";
import type { Topic } from "../config/topic.ts";
import { messageOf } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import { StageTimes } from "../core/stage-times.ts";
import { spanText } from "../core/stamp.ts";
import { hasInterfaces, lackOf } from "./environment.ts";
import type { Problem } from "./input-watch.ts";
import { type LifecycleHandle, makeLifecycleNode } from "./lifecycle-node.ts";
import type { Listening } from "./listening.ts";
import { NodeDiagnostics } from "./node-diagnostics.ts";
import { NodeParameters } from "./parameters.ts";
import type { Rclnodejs, RclResponse } from "./rclnodejs.ts";
import { guarded, NodeTopics, type RawPublisher } from "./topics.ts";

/** How often it is asked who listens. The graph has no event for it here. */
const askEveryMs = 200;

/** What a node is made from: its name, its parameters and what it publishes. */
export interface NodeSpec<S extends Schema, O extends string> {
  readonly name: string;
  /** What it answers, for its words: "pair", "image". */
  readonly what: string;
  readonly schema: S;
  readonly outputs: Readonly<Record<O, Topic>>;
  readonly diagnostics: Topic;
  /** std_srvs/SetBool that pauses and resumes the work. */
  readonly enable: { readonly name: string; readonly type: string };
}

/**
 * What the nodes of this package share: a lifecycle in which each step may wait, parameters from a schema, diagnostics, and
 * laziness: inputs are subscribed to only while somebody wants what comes of them.
 */
export abstract class PerceptionNode<S extends Schema, O extends string> {
  readonly times = new StageTimes(() => performance.now());
  readonly health: Health;
  readonly lifecycle: LifecycleHandle;
  readonly topics: NodeTopics;
  readonly parameters: NodeParameters<S>;
  /** From configure to cleanup; without those whose message package this ROS lacks. */
  publishers: Readonly<Partial<Record<O, RawPublisher>>> | undefined;
  /** While active and somebody listens. */
  inputs: Readonly<Record<string, Listening>> = {};
  isEnabled = true;
  /** Monotonic milliseconds. */
  lastStepMs: number | undefined;
  readonly #spec: NodeSpec<S, O>;
  readonly #diagnostics: NodeDiagnostics;
  #poll: NodeJS.Timeout | undefined;
  #lastAnsweredNs: bigint | undefined;

  constructor(rcl: Rclnodejs, spec: NodeSpec<S, O>) {
    this.#spec = spec;
    this.lifecycle = makeLifecycleNode(rcl, spec.name, {
      configure: () => this.#configure(),
      activate: () => this.#activate(),
      deactivate: () => this.#deactivate(),
      cleanup: () => this.#cleanup(),
    });
    const { node } = this.lifecycle;
    const log = node.getLogger();
    this.health = new Health(({ where, level, message, code }, raised) => {
      if (!raised) log.info(`recovered: ${where} (${code})`);
      else log[level](`${where}: ${message}`);
    });
    this.topics = new NodeTopics(rcl, node, this.health);
    this.parameters = new NodeParameters(rcl, node, spec.schema, (config) => this.apply(config));
    this.service(spec.enable, async ({ data }: { data: boolean }) => {
      this.isEnabled = data;
      return { success: true, message: data ? "enabled" : "paused" };
    });
    this.#diagnostics = new NodeDiagnostics(this, spec.diagnostics);
  }

  /** Loads the model; a rejection refuses configure. */
  protected abstract open(): Promise<void>;
  /** Lets go of all that `open` and `begin` took. */
  protected abstract close(): Promise<void>;
  /** Active from here on: everything anew. */
  protected abstract begin(): void;
  /** Resolves when the work in hand is done. */
  protected abstract end(): Promise<void>;
  /** Subscribes to the inputs. */
  protected abstract listen(): Readonly<Record<string, Listening>>;
  /** The inputs were given up. */
  protected abstract silence(): void;
  /** Parameters have changed. */
  protected abstract apply(config: Config<S>): void;
  /** What is wrong with the inputs beyond silence, for the diagnostics. */
  abstract problems(): Problem[];
  /** Figures for the diagnostics. */
  abstract figures(): Record<string, string | number>;

  get config(): Config<S> {
    return this.parameters.config;
  }

  /** The parameters that every live node has. */
  get live(): LiveConfig {
    return this.config as unknown as LiveConfig;
  }

  get nowNs(): bigint {
    return this.lifecycle.node.now().nanoseconds;
  }

  /** Spins; with `autostart` configures and activates. */
  async start(): Promise<void> {
    this.lifecycle.node.spin();
    if (!this.live.autostart) return;
    if (await this.lifecycle.change("configure")) await this.lifecycle.change("activate");
  }

  /** Finishes the work in hand and takes the node down. */
  async stop(): Promise<void> {
    await this.lifecycle.change("shutdown");
    this.#diagnostics.close();
    this.lifecycle.node.destroy();
  }

  /** The outputs that somebody subscribes to. */
  protected wanted(): Set<O> {
    const all = Object.entries(this.publishers ?? {}) as [O, RawPublisher][];
    return new Set(all.filter(([, { subscribers }]) => subscribers > 0).map(([output]) => output));
  }

  /** Whether somebody looks on past the outputs. */
  protected isWatched(): boolean {
    return false;
  }

  /** Why what is stamped so is not to be answered, if so: asked once for each, in their order. */
  protected refuses(stampNs: bigint): "stale" | "rate_limit" | undefined {
    const { max_input_age: limitS, publish_rate_limit: rate } = this.live;
    const ageNs = this.nowNs - stampNs;
    if (Number(ageNs) / 1e9 > limitS) {
      const clock = ageNs > 3_600_000_000_000n ? " Is this a bag? Play it with --clock and set use_sim_time." : "";
      const seen = `The newest ${this.#spec.what} is ${spanText(ageNs)} old, wanted at most ${limitS} s (max_input_age); nothing is published.`;
      this.health.raise("input", "INPUT_STALE", `${seen}${clock}`, "error");
      return "stale";
    }
    this.health.clear("input", "INPUT_STALE");
    const last = this.#lastAnsweredNs;
    if (rate > 0 && last !== undefined && stampNs > last && Number(stampNs - last) < 0.98e9 / rate) return "rate_limit";
    this.#lastAnsweredNs = stampNs;
    return undefined;
  }

  /** An input with this stamp has been answered. */
  protected answered(stampNs: bigint): void {
    this.lastStepMs = performance.now();
    this.times.record("latency", Number(this.nowNs - stampNs) / 1e6);
    this.#diagnostics.answered();
  }

  /** Gives up the inputs; they are subscribed to anew, as the parameters are now, when it is next asked who listens. */
  protected listenAnew(): void {
    this.#mute();
  }

  /** Times begin anew: nothing was answered yet. */
  protected forget(): void {
    this.#lastAnsweredNs = undefined;
  }

  protected service<Q>(
    spec: { readonly name: string; readonly type: string },
    answer: (request: Q) => Promise<object>,
  ): void {
    const { node } = this.lifecycle;
    node.createService(spec.type, spec.name, (request: never, response: RclResponse) => {
      answer(request).then(
        (result) => response.send({ ...response.template, ...result }),
        (thrown) => node.getLogger().error(`${spec.name}: ${messageOf(thrown)}`),
      );
    });
  }

  async #configure(): Promise<void> {
    try {
      await this.open();
      this.health.clear("model", "MODEL_MISSING");
    } catch (thrown) {
      this.health.raise("model", "MODEL_MISSING", messageOf(thrown), "error");
      throw thrown;
    }
    const publishers: Partial<Record<O, RawPublisher>> = {};
    for (const [output, topic] of Object.entries(this.#spec.outputs) as [O, Topic][]) {
      if (hasInterfaces(topic.type)) publishers[output] = this.topics.publisher(topic);
      else this.lifecycle.node.getLogger().warn(`${topic.name} is off: ${lackOf(topic.type)}`);
    }
    this.publishers = publishers;
  }

  async #activate(): Promise<void> {
    this.begin();
    const follow = guarded(this.health, "subscribers", () => this.#follow());
    this.#poll = setInterval(() => follow(undefined), askEveryMs);
  }

  async #deactivate(): Promise<void> {
    clearInterval(this.#poll);
    this.#mute();
    await this.end();
  }

  async #cleanup(): Promise<void> {
    for (const each of Object.values<RawPublisher | undefined>(this.publishers ?? {})) each?.close();
    this.publishers = undefined;
    await this.close();
  }

  #follow(): void {
    const isWanted = this.isEnabled && (this.wanted().size > 0 || this.isWatched());
    const isListening = Object.keys(this.inputs).length > 0;
    if (isWanted && !isListening) this.inputs = this.listen();
    else if (!isWanted && isListening) this.#mute();
  }

  #mute(): void {
    for (const { subscription } of Object.values(this.inputs)) subscription.close();
    this.inputs = {};
    this.silence();
  }
}
