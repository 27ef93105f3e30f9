import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { detectorOutputs } from "../config/detector-topics.ts";
import { Fault } from "../core/fault.ts";
import type { StampedTransform } from "../core/ports.ts";
import { invert } from "../core/transform.ts";
import { McapSink } from "../io/mcap-writer.ts";
import { mapTopics, recordedOutputs } from "../msg/map-messages.ts";
import { writeTfMessage } from "../msg/write-tf.ts";
import { detections3dMessage, detectionsMessage, patchMaskMessage } from "../pipeline/detect-outputs.ts";
import type { DetectStep } from "../pipeline/live-detect.ts";
import type { OutputMessage } from "../pipeline/map-outputs.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import { leftImageMessage, leftInfoMessage } from "./left-image.ts";

/** What detection adds. */
const objectTopics = {
  detections: detectorOutputs.detections.type,
  detections_3d: detectorOutputs.detections3d.type,
  patch_mask: detectorOutputs.patchMask.type,
} as const;

/** What the pair's left camera saw, so that the file shows by itself what the map was made from. */
const leftTopics = {
  "left/image_rect/compressed": "sensor_msgs/msg/CompressedImage",
  "left/camera_info": "sensor_msgs/msg/CameraInfo",
} as const;

/**
 * The mcap that a replay writes: what the map publishes after each pair, its left image, and the transforms of the bag. Log times are
 * stamps, whatever clock the recorder had, so that the file is on one time axis.
 */
export class ReplayOutput {
  readonly #sink: McapSink;
  /** Transforms that are to be written before the next step. */
  #moving: StampedTransform[] = [];
  #standing: StampedTransform[] = [];
  #lastNs: bigint | undefined;
  #isLevelKnown = false;

  /** Throws `Fault` USAGE where it would overwrite the bag, OUTPUT_UNWRITABLE. */
  static async open(path: string, bag: string, hasObjects = false): Promise<ReplayOutput> {
    const there = realPath(path);
    const source = realPath(bag);
    if (there !== undefined && source !== undefined && (there === source || dirname(there) === source)) {
      throw new Fault(`--out ${path} is a file of the bag that is read.`, {
        code: "USAGE",
        remedy: "Choose another name for the output.",
      });
    }
    const sink = await McapSink.open(path);
    for (const output of recordedOutputs) sink.addTopic(mapTopics[output].topic, mapTopics[output].type);
    for (const [topic, type] of Object.entries(leftTopics)) sink.addTopic(topic, type);
    if (hasObjects) for (const [topic, type] of Object.entries(objectTopics)) sink.addTopic(topic, type);
    sink.addTopic("/tf", "tf2_msgs/msg/TFMessage");
    sink.addTopic("/tf_static", "tf2_msgs/msg/TFMessage");
    return new ReplayOutput(sink);
  }

  private constructor(sink: McapSink) {
    this.#sink = sink;
  }

  keep(transform: StampedTransform): void {
    (transform.isStatic ? this.#standing : this.#moving).push(transform);
  }

  async add(step: MapStep, messages: Iterable<OutputMessage>): Promise<void> {
    this.#lastNs = step.header.stampNs;
    if (!step.isPosed && !this.#isLevelKnown) {
      this.#isLevelKnown = true;
      this.keep(levelTransform(step));
    }
    await this.#writeTransforms();
    const { stampNs } = step.header;
    await this.write("left/camera_info", stampNs, leftInfoMessage(step.pair));
    await this.write("left/image_rect/compressed", stampNs, await leftImageMessage(step.pair));
    for (const { topic, stampNs, data } of messages) await this.write(topic, stampNs, data);
  }

  /** Objects of the step that was added last. */
  async addObjects(objects: DetectStep, classes: readonly string[], voxelSizeM: number): Promise<void> {
    const { stampNs } = objects.image;
    await this.write("detections", stampNs, detectionsMessage(objects, classes));
    await this.write("detections_3d", stampNs, detections3dMessage(objects, classes, voxelSizeM));
    await this.write("patch_mask", stampNs, patchMaskMessage(objects));
  }

  async write(topic: string, stampNs: bigint, data: Uint8Array): Promise<void> {
    // mcap has no time before 1970.
    await this.#sink.write(topic, stampNs < 0n ? 0n : stampNs, data);
  }

  async close(): Promise<void> {
    await this.#writeTransforms();
    await this.#sink.close();
  }

  /** After a fault: what was written before stays readable as `<path>.part`; nothing stays where nothing was. */
  async abandon(): Promise<void> {
    await this.#sink.abandon({ keep: this.#lastNs !== undefined });
  }

  async #writeTransforms(): Promise<void> {
    const nowNs = this.#lastNs ?? this.#moving[0]?.stampNs ?? 0n;
    const [moving, standing] = [this.#moving, this.#standing];
    [this.#moving, this.#standing] = [[], []];
    // All in one message: of a latched topic of depth 1 the last message alone is kept.
    if (standing.length > 0) await this.write("/tf_static", nowNs, writeTfMessage(standing));
    for (const transform of moving) {
      await this.write("/tf", transform.stampNs > 0n ? transform.stampNs : nowNs, writeTfMessage([transform]));
    }
  }
}

/** The z-up frame of a map without poses, so that viewers can place it. */
function levelTransform({ fixed, header, T_fixed_camera }: MapStep): StampedTransform {
  const edge = { stampNs: header.stampNs, parent: header.frameId, child: fixed.frameId, isStatic: true };
  return { ...edge, T_parent_child: invert(T_fixed_camera) };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
