import { type DetectorNodeConfig, detectorNodeSchema } from "../config/detector-node-schema.ts";
import { detectorInputs, detectorNodeName, detectorOutputs, detectorServices } from "../config/detector-topics.ts";
import { transported } from "../config/topic.ts";
import type { Image, StampedImage } from "../core/image.ts";
import { readCameraInfo } from "../msg/read-camera-info.ts";
import { readPointCloud2 } from "../msg/read-cloud.ts";
import { readImage } from "../msg/read-image.ts";
import { writeImage } from "../msg/write-camera.ts";
import { detectOptions } from "../pipeline/detect-options.ts";
import {
  defendedImageMessage,
  detections3dMessage,
  detectionsMessage,
  patchMaskMessage,
} from "../pipeline/detect-outputs.ts";
import {
  type DetectOptions,
  type DetectStep,
  LiveDetect,
  type LiveDetectParts,
  type OpenDetector,
} from "../pipeline/live-detect.ts";
import type { Problem } from "./input-watch.ts";
import { type Listening, listenTo } from "./listening.ts";
import { PerceptionNode } from "./perception-node.ts";
import type { Rclnodejs } from "./rclnodejs.ts";

/** What the node is made of beyond this folder. */
export interface DetectorNodeParts {
  open(config: DetectorNodeConfig): Promise<OpenDetector>;
  /** Pixels of a `sensor_msgs/CompressedImage` in CDR, grey or colour. */
  readCompressed(data: Uint8Array): Promise<StampedImage>;
  /** The image with boxes, ids and masked windows drawn. */
  drawn(step: DetectStep, classes: readonly string[]): Promise<Image>;
}

const { diagnostics, ...outputs } = detectorOutputs;
const spec = {
  name: detectorNodeName,
  what: "image",
  schema: detectorNodeSchema,
  outputs,
  diagnostics,
  enable: detectorServices.enable,
};

/** defended_detector_node: an image in, tracked objects out; see src/config/detector-topics.ts, detector-node-schema.ts. */
export class DetectorNode extends PerceptionNode<typeof detectorNodeSchema, keyof typeof outputs> {
  readonly #parts: DetectorNodeParts;
  #detector: OpenDetector | undefined;
  #options: DetectOptions | undefined;
  #detect: LiveDetect | undefined;

  constructor(rcl: Rclnodejs, parts: DetectorNodeParts) {
    super(rcl, spec);
    this.#parts = parts;
    this.service(detectorServices.reset, async () => {
      this.#detect?.reset();
      this.#detector?.reset();
      return {};
    });
  }

  protected override async open(): Promise<void> {
    this.#detector = await this.#parts.open(this.config);
  }

  protected override async close(): Promise<void> {
    const detector = this.#detector;
    this.#detector = undefined;
    await detector?.close();
  }

  protected override begin(): void {
    const detector = this.#detector!;
    this.#options = detectOptions(this.config, this.config);
    detector.reset();
    this.forget();
    const parts: LiveDetectParts = {
      classes: detector.classes,
      options: this.#options,
      look: (image, stampNs, tracks) => detector.look(image, stampNs, tracks, this.config["patch_defense.enabled"]),
      patience: () => new Promise<void>((resolve) => setTimeout(resolve, this.config["evidence.wait"] * 1e3)),
      refuses: (stampNs) => this.refuses(stampNs),
      onStep: (step) => this.#publish(step),
    };
    this.#detect = new LiveDetect(parts, this.health, this.times);
  }

  protected override async end(): Promise<void> {
    const detect = this.#detect;
    this.#detect = undefined;
    await detect?.stop();
  }

  protected override apply(config: DetectorNodeConfig): void {
    const options = this.#options;
    if (options === undefined) return;
    const listened = options.evidence;
    Object.assign(options, detectOptions(config, config));
    if (options.evidence !== listened) this.listenAnew();
  }

  protected override listen(): Readonly<Record<string, Listening>> {
    const { image_topic: base, image_transport: transport } = this.config;
    const image = listenTo(
      this.topics,
      "image",
      { ...detectorInputs.image, ...transported(base, transport) },
      async (data) => {
        const found = transport === "raw" ? readImage(data, "native") : await this.#parts.readCompressed(data);
        this.#detect?.pushImage(found);
      },
    );
    if (!this.config["evidence.enabled"]) return { image };
    const info = listenTo(this.topics, "CameraInfo", detectorInputs.info, (data) =>
      this.#detect?.pushInfo(readCameraInfo(data)),
    );
    const points = listenTo(this.topics, "voxels", detectorInputs.points, (data) =>
      this.#detect?.pushPoints(readPointCloud2(data)),
    );
    return { image, info, points };
  }

  protected override silence(): void {}

  override problems(): Problem[] {
    return [];
  }

  override figures(): Record<string, string | number> {
    const counts = this.#detect?.counts;
    return {
      images_seen: counts?.seen ?? 0,
      images_processed: counts?.processed ?? 0,
      images_weighed: counts?.weighed ?? 0,
      ...Object.fromEntries(Object.entries(counts?.dropped ?? {}).map(([cause, n]) => [`dropped_${cause}`, n])),
      model: this.#detector?.name ?? "none",
      model_sha256: this.#detector?.sha256 ?? "none",
    };
  }

  async #publish(step: DetectStep): Promise<void> {
    const wanted = this.wanted();
    const classes = this.#detector!.classes;
    const send = (output: keyof typeof outputs, make: () => Uint8Array<ArrayBuffer>) => {
      if (wanted.has(output)) this.publishers?.[output]?.publish(make());
    };
    send("detections", () => detectionsMessage(step, classes));
    send("detections3d", () => detections3dMessage(step, classes, this.config.voxel_size));
    this.answered(step.image.stampNs);
    send("patchMask", () => patchMaskMessage(step));
    send("defendedImage", () => defendedImageMessage(step));
    if (!wanted.has("debugImage")) return;
    const drawn = await this.#parts.drawn(step, classes);
    send("debugImage", () => writeImage(step.image, drawn));
  }
}
