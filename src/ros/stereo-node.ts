import { type StereoNodeConfig, stereoNodeSchema } from "../config/stereo-node-schema.ts";
import { stereoNodeName, stereoOutputs, stereoServices } from "../config/stereo-topics.ts";
import { Fault, messageOf } from "../core/fault.ts";
import type { AnswerWants, StereoInput, StereoModel } from "../core/ports.ts";
import type { MapOutput } from "../msg/map-messages.ts";
import { type FrameCounts, makeFrameCounts } from "../pipeline/frames-counts.ts";
import { LiveMap } from "../pipeline/live-map.ts";
import { checkResolution, putSavedMap, type SavedMap } from "../pipeline/map-file.ts";
import { MapOutputs } from "../pipeline/map-outputs.ts";
import type { MapOptions, MapStep } from "../pipeline/map-steps.ts";
import { liveFrameOptions, mapOptions, outputOptions } from "../pipeline/stereo-options.ts";
import { hasInterfaces } from "./environment.ts";
import { type Problem, pairingText, StampWatch } from "./input-watch.ts";
import { type Listening, seenOf } from "./listening.ts";
import { type BoxRequest, clearBox, loadMap, octomapAnswer, saveMap } from "./map-services.ts";
import { NodeViewer, type OpenView } from "./node-viewer.ts";
import { PerceptionNode } from "./perception-node.ts";
import type { Rclnodejs } from "./rclnodejs.ts";
import { type CompressedReader, listenToEyes, listenToTf } from "./stereo-inputs.ts";
import type { RawSubscription } from "./topics.ts";

/** What the node is made of beyond this folder. */
export interface StereoNodeParts {
  openModel(config: StereoNodeConfig): Promise<StereoModel>;
  readonly readCompressed: CompressedReader;
  readonly openView: OpenView;
  /** Writes a file whole or not at all. */
  writeFile(path: string, data: Uint8Array): Promise<void>;
}

const { diagnostics, ...outputs } = stereoOutputs;
/** The outputs that show the whole map, not what one pair says. */
const ofTheMap = ["octomapBinary", "octomapFull", "occupancyGrid", "voxelMarkers"] as const;
const spec = {
  name: stereoNodeName,
  what: "pair",
  schema: stereoNodeSchema,
  outputs,
  diagnostics,
  enable: stereoServices.enable,
};

/** stereo_voxel_node: images in, clouds and maps out; see src/config/stereo-topics.ts and stereo-node-schema.ts. */
export class StereoNode extends PerceptionNode<typeof stereoNodeSchema, keyof typeof outputs> {
  readonly #counts: FrameCounts = makeFrameCounts();
  readonly #stamps = new StampWatch();
  readonly #parts: StereoNodeParts;
  readonly #viewer: NodeViewer;
  /** The last CameraInfo of each eye and the fixed transforms: a new map does not wait for them to be sent again. */
  readonly #known = new Map<string, StereoInput>();
  #model: StereoModel | undefined;
  #transforms: RawSubscription[] = [];
  #newestTfNs: bigint | undefined;
  #live: LiveMap | undefined;
  #outputs: MapOutputs | undefined;
  #options: { map: { start?: SavedMap }; outputs: object } | undefined;
  /** Its map is that of the newest pair. */
  #lastStep: MapStep | undefined;
  /** The newest one whose map stands in the fixed frame. */
  #lastPosed: MapStep | undefined;

  constructor(rcl: Rclnodejs, parts: StereoNodeParts) {
    super(rcl, spec);
    this.#parts = parts;
    this.#viewer = new NodeViewer(parts.openView, this.health, this.lifecycle.node.getLogger());
    this.service(stereoServices.reset, async () => {
      if (this.#live !== undefined) await this.#restart();
      return {};
    });
    this.service(stereoServices.saveMap, () =>
      saveMap(this.config.save_map_path, this.#lastStep, this.#parts.writeFile),
    );
    this.service(stereoServices.loadMap, () => loadMap(this.config.load_map_path, (saved) => this.#put(saved)));
    if (hasInterfaces(stereoServices.getOctomap.type)) {
      this.service(stereoServices.getOctomap, async () => octomapAnswer(this.#lastStep));
      this.service(stereoServices.clearBbox, async (box: BoxRequest) => this.#clear(box));
    }
  }

  protected override async open(): Promise<void> {
    this.#model = await this.#parts.openModel(this.config);
    await this.#viewer.open(this.config);
    this.#transforms = listenToTf(this.topics, (input) => this.#push(input));
  }

  protected override async close(): Promise<void> {
    for (const each of this.#transforms) each.close();
    this.#transforms = [];
    this.#known.clear();
    this.#lastStep = undefined;
    this.#lastPosed = undefined;
    this.#outputs = undefined;
    const model = this.#model;
    this.#model = undefined;
    await this.#viewer.close();
    await model?.close();
  }

  protected override isWatched(): boolean {
    return this.#viewer.isWatched;
  }

  /** A new, empty map. */
  protected override begin(): void {
    const { config } = this;
    const map: MapOptions & { start?: SavedMap } = {
      ...mapOptions(config),
      ahead: 0,
      wants: () => this.#answerWants(),
    };
    const outputs = outputOptions(config, this.lifecycle.node.name());
    this.#options = { map, outputs };
    this.#outputs = new MapOutputs(outputs);
    this.#lastStep = undefined;
    this.#lastPosed = undefined;
    this.forget();
    const options = {
      frames: liveFrameOptions(config),
      map,
      model: this.#model!,
      refuses: (stampNs: bigint) => this.refuses(stampNs),
      onStep: (step: MapStep) => this.#publish(step),
    };
    this.#live = new LiveMap(options, this.health, this.#counts, this.times);
    for (const input of this.#known.values()) this.#live.push(input);
  }

  protected override async end(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    await live?.stop();
  }

  async #restart(): Promise<void> {
    const old = this.#live;
    this.begin();
    await old?.stop();
  }

  /** Live parameters hold from the next pair on. */
  protected override apply(config: StereoNodeConfig): void {
    if (this.#options === undefined) return;
    Object.assign(this.#options.map, mapOptions(config));
    Object.assign(this.#options.outputs, outputOptions(config, this.lifecycle.node.name()));
  }

  protected override listen(): Readonly<Record<string, Listening>> {
    return listenToEyes(this.topics, this.config, this.#parts.readCompressed, (input) => this.#push(input));
  }

  protected override silence(): void {
    this.#stamps.clear();
  }

  override problems(): Problem[] {
    const gapNs = this.#stamps.rightAfterLeftNs;
    const right = this.inputs["right image"];
    if (right === undefined || gapNs === undefined) return [];
    const sync = { approximate: this.config.approximate_sync, slopS: this.config.sync_slop };
    return [
      { where: "sync", code: "PAIR_LONE", message: pairingText(seenOf(this.lifecycle.node, right), gapNs, sync) },
    ];
  }

  override figures(): Record<string, string | number> {
    const { dropped, seen, processed } = this.#counts;
    const { lone_left = 0, lone_right = 0, queue_overflow = 0 } = dropped;
    const newestTfNs = this.#newestTfNs;
    return {
      tf_age_ms: newestTfNs === undefined ? "none" : (Number(this.nowNs - newestTfNs) / 1e6).toFixed(2),
      pairs_seen: seen,
      pairs_processed: processed,
      sync_misses: lone_left + lone_right + queue_overflow,
      ...Object.fromEntries(Object.entries(dropped).map(([cause, n]) => [`dropped_${cause}`, n])),
      model: this.#model?.name ?? "none",
      model_sha256: this.#model?.sha256 ?? "none",
    };
  }

  #push(input: StereoInput): void {
    if (input.kind === "image") this.#stamps.see(input.side, input.image.stampNs);
    if (input.kind === "info") this.#known.set(`info ${input.side}`, input);
    if (input.kind === "transform") {
      const { isStatic, child, stampNs } = input.transform;
      if (isStatic) this.#known.set(`tf ${child}`, input);
      else this.#newestTfNs = stampNs;
    }
    const before = this.#counts.seen;
    this.#live?.push(input);
    if (this.#counts.seen > before) this.#stamps.clear();
  }

  #answerWants(): AnswerWants {
    const wanted = this.wanted();
    return { disparity: wanted.has("depth") || wanted.has("disparity") };
  }

  #publish(step: MapStep): void {
    this.#lastStep = step;
    if (step.isPosed) this.#lastPosed = step;
    this.#send(step, this.wanted());
    this.answered(step.header.stampNs);
    if (this.isWatched()) void this.#viewer.show(step, this.#counts.processed, this.times.medians());
  }

  /** Now, if it is known where the robot is; else with the first pair that says so. */
  #put(saved: SavedMap): string {
    if (this.#live === undefined || this.#options === undefined) {
      throw new Fault("The node is not active, so it has no map.", {
        code: "INPUT_STALE",
        remedy: "Activate it first: ros2 lifecycle set <node> activate",
      });
    }
    if (this.#lastPosed === undefined) {
      checkResolution(saved, this.config.voxel_size);
      this.#options.map.start = saved;
      return `${saved.path}: goes into the map with the first pair whose pose is known`;
    }
    const said = putSavedMap(this.#lastPosed.map, saved);
    this.#sendMap(this.#lastPosed);
    return said;
  }

  async #clear(box: BoxRequest): Promise<object> {
    try {
      clearBox(this.#lastPosed, box);
      if (this.#lastPosed !== undefined) this.#sendMap(this.#lastPosed);
    } catch (thrown) {
      this.lifecycle.node.getLogger().error(messageOf(thrown));
    }
    return {};
  }

  /** The map was changed by a service: what shows it goes out at once, with the stamp of the pair before. */
  #sendMap(step: MapStep): void {
    const wanted = this.wanted();
    this.#send(step, new Set(ofTheMap.filter((output) => wanted.has(output))));
  }

  #send(step: MapStep, wanted: ReadonlySet<MapOutput>): void {
    this.times.measure("outputs", () => {
      for (const { output, data } of this.#outputs!.messages(step, wanted)) {
        this.publishers?.[output as keyof typeof outputs]?.publish(data as Uint8Array<ArrayBuffer>);
      }
    });
  }
}
