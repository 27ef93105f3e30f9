import { basename } from "node:path";
import { type Fault, messageOf } from "../core/fault.ts";
import type { Header } from "../core/image.ts";
import { type Bag, openBag } from "../io/bag.ts";
import type { BagMessage } from "../io/bag-file.ts";
import { decodeCdr } from "../msg/codec.ts";
import { headerOf, type RosHeader } from "../msg/header.ts";
import { readCameraInfo } from "../msg/read-camera-info.ts";
import { readTf } from "../msg/read-tf.ts";
import { writeString } from "../msg/write-string.ts";
import { TfBuffer } from "../pipeline/tf-buffer.ts";
import type { Payload } from "../server/viewer-server.ts";
import { projection } from "../stereo/calibration.ts";
import { type FeedFrame, type FeedTopic, freeCloud, occupiedCloud, poseMessage } from "./feed-frame.ts";
import { compressed, headerOfCdr } from "./recorded-image.ts";
import { type RecordedStatus, statusOfDiagnostics } from "./recorded-status.ts";
import { type RecordedTopics, recordedTopics } from "./recorded-topics.ts";

/** How far before a frame one looks for what belongs to it, when one has not come there frame by frame. */
const REACH_NS = 2_000_000_000n;
/** The nearest transform may stand in within this. */
const TF_TOLERANCE_NS = 500_000_000n;

interface Octomap {
  readonly header: RosHeader;
  readonly binary: boolean;
  readonly resolution: number;
  readonly data: Int8Array;
}

/** A recorded map and what was recorded with it, in any order of frames; nothing is computed anew. One frame a map. */
export class RecordedRun {
  readonly name: string;
  /** Log times of the maps. */
  readonly timesNs: readonly bigint[];
  readonly #bag: Bag;
  readonly #topics: RecordedTopics;
  readonly #wanted: ReadonlySet<string>;
  /** Of /tf_static. */
  readonly #standing: Uint8Array[] = [];
  #tf = new TfBuffer({ toleranceNs: TF_TOLERANCE_NS });
  /** The frame that was read last. */
  #at = -2;
  #camera: string | undefined;
  #shape: object | undefined;
  #status: RecordedStatus | undefined;

  /** Throws `Fault` as `openBag`, or TOPIC_MISSING where there is no map in it. */
  static async open(path: string): Promise<RecordedRun> {
    const bag = await openBag(path);
    try {
      const topics = recordedTopics(bag);
      const run = new RecordedRun(bag, topics, await bag.times(topics.map));
      const latched = bag.topics.find(({ name }) => name.endsWith("tf_static"))?.name;
      if (latched !== undefined) {
        for await (const { data } of bag.messages({ topics: new Set([latched]) })) run.#standing.push(data.slice());
      }
      return run;
    } catch (thrown) {
      await bag.close();
      throw thrown;
    }
  }

  private constructor(bag: Bag, topics: RecordedTopics, timesNs: readonly bigint[]) {
    this.name = basename(bag.path);
    this.timesNs = timesNs;
    this.#bag = bag;
    this.#topics = topics;
    this.#wanted = new Set(Object.values(topics).filter((name) => name !== undefined));
  }

  /** Damage of the recording that was found so far. */
  get faults(): readonly Fault[] {
    return this.#bag.faults;
  }

  /** A frame, read by the index of the recording: what came since the frame before, or within two seconds. */
  async read(frame: number): Promise<FeedFrame> {
    const toNs = this.timesNs[frame]!;
    const isNext = frame === this.#at + 1;
    const fromNs = isNext ? this.timesNs[this.#at]! + 1n : toNs - REACH_NS;
    if (!isNext) this.#forget();
    this.#at = frame;
    const newest = new Map<string, Uint8Array>();
    for await (const message of this.#bag.messages({ topics: this.#wanted, fromNs, toNs })) this.#see(message, newest);
    return await this.#frameOf(frame, newest);
  }

  async close(): Promise<void> {
    await this.#bag.close();
  }

  #forget(): void {
    this.#tf = new TfBuffer({ toleranceNs: TF_TOLERANCE_NS });
    for (const data of this.#standing) for (const each of readTf(data, true).transforms) this.#tf.add(each);
    this.#status = undefined;
  }

  #see({ topic, data }: BagMessage, newest: Map<string, Uint8Array>): void {
    if (topic === this.#topics.tf) {
      for (const transform of readTf(data, false).transforms) this.#tf.add(transform);
    } else newest.set(topic, data.slice());
  }

  async #frameOf(frame: number, newest: ReadonlyMap<string, Uint8Array>): Promise<FeedFrame> {
    const of = (topic: keyof RecordedTopics) => newest.get(this.#topics[topic] ?? "");
    const messages: Partial<Record<FeedTopic, Payload>> = {};
    let stampNs = this.timesNs[frame]!;
    const problems: string[] = [];
    /** One message that cannot be read costs that message. */
    const attempt = async (topic: keyof RecordedTopics, use: (cdr: Uint8Array) => Promise<void> | void) => {
      const cdr = of(topic);
      if (cdr === undefined) return;
      try {
        await use(cdr);
      } catch (thrown) {
        problems.push(`${this.#topics[topic]}: ${messageOf(thrown)}`);
      }
    };
    await attempt("info", (cdr) => {
      const info = readCameraInfo(cdr);
      this.#camera = info.frameId;
      this.#shape = { width: info.width, height: info.height, ...projection(info) };
    });
    await attempt("points", (cdr) => {
      this.#camera ??= headerOfCdr("sensor_msgs/PointCloud2", cdr).frameId;
    });
    await attempt("diagnostics", (cdr) => {
      this.#status = statusOfDiagnostics(cdr) ?? this.#status;
    });
    await attempt("image", async (cdr) => {
      const { header, jpeg } = await compressed(cdr, this.#imageType);
      this.#camera ??= header.frameId;
      messages.left = jpeg;
    });
    await attempt("map", (cdr) => {
      const { header: ros, binary, resolution, data } = decodeCdr<Octomap>("octomap_msgs/Octomap", cdr);
      if (!binary) throw new Error("it is a map of log-odds, wanted one of states (binary)");
      const header = headerOf(ros);
      const states = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      messages.voxels = occupiedCloud(header, resolution, states)();
      messages.free = freeCloud(header, resolution, states);
      const pose = this.#poseAt(header);
      if (pose !== undefined) messages.tf = pose;
      stampNs = header.stampNs;
      messages.status = writeString(JSON.stringify({ ...this.#statusOf(frame, problems), voxelSizeM: resolution }));
    });
    for (const topic of ["detections", "detections3d", "mask"] as const) {
      const cdr = of(topic);
      if (cdr !== undefined) messages[topic] = cdr;
    }
    const bytes = [...newest.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { stampNs, messages, bytes };
  }

  get #imageType(): string | undefined {
    return this.#bag.topics.find(({ name }) => name === this.#topics.image)?.type;
  }

  #poseAt(fixed: Header): Uint8Array | undefined {
    if (this.#camera === undefined) return undefined;
    const found = this.#tf.lookup(fixed.frameId, this.#camera, fixed.stampNs);
    if (found.kind === "missing") return undefined;
    return poseMessage({ stampNs: fixed.stampNs, frameId: this.#camera }, fixed.frameId, found.T_target_source);
  }

  #statusOf(frame: number, problems: readonly string[]): object {
    const damage = this.#bag.faults.map(({ message }) => message);
    const found = [...damage, ...problems].map((message) => ({ where: this.name, level: "warn", message, count: 1 }));
    return {
      frame: frame + 1,
      pairs: this.#status?.pairs,
      stagesMs: this.#status?.stagesMs ?? {},
      health: [...(this.#status?.health ?? []), ...found],
      ...(this.#shape && { camera: this.#shape }),
    };
  }
}
