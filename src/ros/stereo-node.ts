import { type StereoNodeConfig, stereoNodeSchema } from "../config/stereo-node-schema.ts";
import { stereoNodeName, stereoOutputs, stereoServices, type Topic } from "../config/stereo-topics.ts";
import { messageOf } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import type { AnswerWants, StereoInput, StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import { spanText } from "../core/stamp.ts";
import type { MapOutput } from "../msg/map-messages.ts";
import { type FrameCounts, makeFrameCounts } from "../pipeline/frames-counts.ts";
import { LiveMap } from "../pipeline/live-map.ts";
import { MapOutputs } from "../pipeline/map-outputs.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import { liveFrameOptions, mapOptions, outputOptions } from "../pipeline/stereo-options.ts";
import { hasInterfaces, lackOf } from "./environment.ts";
import { StampWatch } from "./input-watch.ts";
import { type LifecycleHandle, makeLifecycleNode } from "./lifecycle-node.ts";
import { octomapAnswer, saveMap } from "./map-services.ts";
import { NodeParameters } from "./parameters.ts";
import type { Rclnodejs, RclResponse } from "./rclnodejs.ts";
import { type Observed, StereoDiagnostics } from "./stereo-diagnostics.ts";
import { type CompressedReader, type Listening, listenToEyes, listenToTf } from "./stereo-inputs.ts";
import { guarded, NodeTopics, type RawPublisher, type RawSubscription } from "./topics.ts";

/** What the node is made of beyond this folder. */
export interface StereoNodeParts {
  openModel(config: StereoNodeConfig): Promise<StereoModel>;
  readonly readCompressed: CompressedReader;
  /** Writes a file whole or not at all. */
  writeFile(path: string, data: Uint8Array): Promise<void>;
}

/** Without those whose message package this ROS lacks. */
type Publishers = Readonly<Partial<Record<MapOutput, RawPublisher>>>;

/** How often it is asked who listens. The graph has no event for it here. */
const askEveryMs = 200;

/** stereo_voxel_node: images in, clouds and maps out; see src/config/stereo-topics.ts and stereo-node-schema.ts. */
export class StereoNode implements Observed {
  readonly counts: FrameCounts = makeFrameCounts();
  readonly times = new StageTimes(() => performance.now());
  readonly stamps = new StampWatch();
  readonly health: Health;
  readonly lifecycle: LifecycleHandle;
  readonly topics: NodeTopics;
  readonly parameters: NodeParameters<typeof stereoNodeSchema>;
  /** From configure to cleanup. */
  model: StereoModel | undefined;
  publishers: Publishers | undefined;
  /** While active and somebody listens. */
  eyes: Readonly<Record<string, Listening>> = {};
  newestTfNs: bigint | undefined;
  lastStepMs: number | undefined;
  isEnabled = true;
  readonly #parts: StereoNodeParts;
  readonly #diagnostics: StereoDiagnostics;
  /** The last CameraInfo of each eye and the fixed transforms: a new map does not wait for them to be sent again. */
  readonly #known = new Map<string, StereoInput>();
  #transforms: RawSubscription[] = [];
  #live: LiveMap | undefined;
  #outputs: MapOutputs | undefined;
  #options: { map: object; outputs: object } | undefined;
  #poll: NodeJS.Timeout | undefined;
  #lastAnsweredNs: bigint | undefined;
  /** Its map is that of the newest pair. */
  #lastStep: MapStep | undefined;

  constructor(rcl: Rclnodejs, parts: StereoNodeParts) {
    this.#parts = parts;
    this.lifecycle = makeLifecycleNode(rcl, stereoNodeName, {
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
    this.parameters = new NodeParameters(rcl, node, stereoNodeSchema, (config) => this.#apply(config));
    this.#service(stereoServices.reset, async () => {
      if (this.#live !== undefined) await this.#restart();
      return {};
    });
    this.#service(stereoServices.enable, async ({ data }: { data: boolean }) => {
      this.isEnabled = data;
      return { success: true, message: data ? "enabled" : "paused" };
    });
    this.#service(stereoServices.saveMap, () =>
      saveMap(this.config.save_map_path, this.#lastStep, this.#parts.writeFile),
    );
    if (hasInterfaces(stereoServices.getOctomap.type)) {
      this.#service(stereoServices.getOctomap, async () => octomapAnswer(this.#lastStep));
    }
    this.#diagnostics = new StereoDiagnostics(this);
  }

  get config(): StereoNodeConfig {
    return this.parameters.config;
  }

  get nowNs(): bigint {
    return this.lifecycle.node.now().nanoseconds;
  }

  /** Spins; with `autostart` configures and activates. */
  async start(): Promise<void> {
    this.lifecycle.node.spin();
    if (!this.config.autostart) return;
    if (await this.lifecycle.change("configure")) await this.lifecycle.change("activate");
  }

  /** Finishes the pair in work and takes the node down. */
  async stop(): Promise<void> {
    await this.lifecycle.change("shutdown");
    this.#diagnostics.close();
    this.lifecycle.node.destroy();
  }

  async #configure(): Promise<void> {
    try {
      this.model = await this.#parts.openModel(this.config);
      this.health.clear("model", "MODEL_MISSING");
    } catch (thrown) {
      this.health.raise("model", "MODEL_MISSING", messageOf(thrown), "error");
      throw thrown;
    }
    const publishers: Partial<Record<MapOutput, RawPublisher>> = {};
    for (const [output, topic] of Object.entries(stereoOutputs) as [MapOutput, Topic][]) {
      if (output === "diagnostics") continue;
      if (hasInterfaces(topic.type)) publishers[output] = this.topics.publisher(topic);
      else this.lifecycle.node.getLogger().warn(`${topic.name} is off: ${lackOf(topic.type)}`);
    }
    this.publishers = publishers;
    this.#transforms = listenToTf(this.topics, (input) => this.#push(input));
  }

  async #activate(): Promise<void> {
    this.#begin();
    const follow = guarded(this.health, "subscribers", () => this.#follow());
    this.#poll = setInterval(() => follow(undefined), askEveryMs);
  }

  async #deactivate(): Promise<void> {
    clearInterval(this.#poll);
    this.#mute();
    const live = this.#live;
    this.#live = undefined;
    await live?.stop();
  }

  async #cleanup(): Promise<void> {
    for (const each of [...this.#transforms, ...Object.values(this.publishers ?? {})]) each.close();
    this.#transforms = [];
    this.publishers = undefined;
    this.#known.clear();
    this.#lastStep = undefined;
    this.#outputs = undefined;
    const { model } = this;
    this.model = undefined;
    await model?.close();
  }

  async #restart(): Promise<void> {
    const old = this.#live;
    this.#begin();
    await old?.stop();
  }

  /** A new, empty map. */
  #begin(): void {
    const { config } = this;
    const map = { ...mapOptions(config), ahead: 0, wants: () => this.#answerWants() };
    const outputs = outputOptions(config, this.lifecycle.node.name());
    this.#options = { map, outputs };
    this.#outputs = new MapOutputs(outputs);
    this.#lastStep = undefined;
    this.#lastAnsweredNs = undefined;
    const options = {
      frames: liveFrameOptions(config),
      map,
      model: this.model!,
      refuses: (stampNs: bigint) => this.#refuses(stampNs),
      onStep: (step: MapStep) => this.#publish(step),
    };
    this.#live = new LiveMap(options, this.health, this.counts, this.times);
    for (const input of this.#known.values()) this.#live.push(input);
  }

  /** Live parameters hold from the next pair on. */
  #apply(config: StereoNodeConfig): void {
    if (this.#options === undefined) return;
    Object.assign(this.#options.map, mapOptions(config));
    Object.assign(this.#options.outputs, outputOptions(config, this.lifecycle.node.name()));
  }

  #push(input: StereoInput): void {
    if (input.kind === "image") this.stamps.see(input.side, input.image.stampNs);
    if (input.kind === "info") this.#known.set(`info ${input.side}`, input);
    if (input.kind === "transform") {
      const { isStatic, child, stampNs } = input.transform;
      if (isStatic) this.#known.set(`tf ${child}`, input);
      else this.newestTfNs = stampNs;
    }
    const before = this.counts.seen;
    this.#live?.push(input);
    if (this.counts.seen > before) this.stamps.clear();
  }

  /** Subscribes to the images while somebody wants what comes of them. */
  #follow(): void {
    const isWanted = this.isEnabled && this.#wanted().size > 0;
    const isListening = Object.keys(this.eyes).length > 0;
    if (isWanted && !isListening) {
      this.eyes = listenToEyes(this.topics, this.config, this.#parts.readCompressed, (input) => this.#push(input));
    } else if (!isWanted && isListening) this.#mute();
  }

  #mute(): void {
    for (const { subscription } of Object.values(this.eyes)) subscription.close();
    this.eyes = {};
    this.stamps.clear();
  }

  #wanted(): Set<MapOutput> {
    const all = Object.entries(this.publishers ?? {}) as [MapOutput, RawPublisher][];
    return new Set(all.filter(([, { subscribers }]) => subscribers > 0).map(([output]) => output));
  }

  #answerWants(): AnswerWants {
    const wanted = this.#wanted();
    return { disparity: wanted.has("depth") || wanted.has("disparity") };
  }

  #refuses(stampNs: bigint): "stale" | "rate_limit" | undefined {
    const { max_input_age: limitS, publish_rate_limit: rate } = this.config;
    const ageNs = this.nowNs - stampNs;
    if (Number(ageNs) / 1e9 > limitS) {
      const clock = ageNs > 3_600_000_000_000n ? " Is this a bag? Play it with --clock and set use_sim_time." : "";
      const seen = `The newest pair is ${spanText(ageNs)} old, wanted at most ${limitS} s (max_input_age); nothing is published.`;
      this.health.raise("input", "INPUT_STALE", `${seen}${clock}`, "error");
      return "stale";
    }
    this.health.clear("input", "INPUT_STALE");
    const last = this.#lastAnsweredNs;
    if (rate > 0 && last !== undefined && stampNs > last && Number(stampNs - last) < 0.98e9 / rate) return "rate_limit";
    this.#lastAnsweredNs = stampNs;
    return undefined;
  }

  #publish(step: MapStep): void {
    this.#lastStep = step;
    this.times.measure("outputs", () => {
      for (const { output, data } of this.#outputs!.messages(step, this.#wanted())) {
        this.publishers?.[output]?.publish(data as Uint8Array<ArrayBuffer>);
      }
    });
    this.lastStepMs = performance.now();
    this.times.record("latency", Number(this.nowNs - step.header.stampNs) / 1e6);
    this.#diagnostics.answered();
  }

  #service<Q>(spec: { readonly name: string; readonly type: string }, answer: (request: Q) => Promise<object>): void {
    const { node } = this.lifecycle;
    node.createService(spec.type, spec.name, (request: never, response: RclResponse) => {
      answer(request).then(
        (result) => response.send({ ...response.template, ...result }),
        (thrown) => node.getLogger().error(`${spec.name}: ${messageOf(thrown)}`),
      );
    });
  }
}
