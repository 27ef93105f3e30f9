import type { CameraInfo } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { Header } from "../core/image.ts";
import type { Side } from "../core/ports.ts";
import type { Arrival } from "../doctor/stamps.ts";
import type { Bag } from "../io/bag.ts";
import type { StereoTopics } from "../io/stereo-topics.ts";
import { decodeCdr } from "../msg/codec.ts";
import { headerOf, type RosHeader } from "../msg/header.ts";
import { readCameraInfo } from "../msg/read-camera-info.ts";
import { readTf } from "../msg/read-tf.ts";
import { PoseFinder } from "../pipeline/frames-pose.ts";
import { sameCalibration } from "../stereo/calibration-window.ts";

/** What a recording says without a look at its pictures. */
export interface BagHeaders {
  /** Images of both eyes. */
  readonly arrivals: readonly Arrival[];
  readonly lefts: readonly Header[];
  /** The first of each eye. */
  readonly infos: Readonly<Partial<Record<Side, CameraInfo>>>;
  /** How often the numbers of a CameraInfo differ from those before. */
  readonly changes: number;
  /** Holds all transforms. */
  readonly poses: PoseFinder;
}

/** Longer than any recording: transforms are looked up when all have been read. */
const FOREVER_NS = 2n ** 62n;

/** One pass over the recording, in the order of its log times. Messages that cannot be read are passed over. */
export async function readHeaders(bag: Bag, topics: StereoTopics, baseFrame: string): Promise<BagHeaders> {
  const arrivals: Arrival[] = [];
  const lefts: Header[] = [];
  const infos: Partial<Record<Side, CameraInfo>> = {};
  const poses = new PoseFinder({ historyNs: FOREVER_NS }, undefined, baseFrame);
  let changes = 0;
  const readers = new Map<string, (data: Uint8Array) => void>();
  for (const side of ["left", "right"] as const) {
    const { image, info, compressed } = topics[side];
    const type = compressed ? "sensor_msgs/CompressedImage" : "sensor_msgs/Image";
    readers.set(image, (data) => {
      const header = headerOf(decodeCdr<{ readonly header: RosHeader }>(type, data).header);
      arrivals.push({ side, stampNs: header.stampNs });
      if (side === "left") lefts.push(header);
    });
    let last: CameraInfo | undefined;
    readers.set(info, (data) => {
      const next = readCameraInfo(data);
      infos[side] ??= next;
      if (last !== undefined && !sameCalibration(last, next)) changes += 1;
      last = next;
    });
  }
  for (const name of [...topics.tf, ...topics.tfStatic]) {
    const isStatic = topics.tfStatic.includes(name);
    readers.set(name, (data) => {
      for (const transform of readTf(data, isStatic).transforms) poses.add(transform);
    });
  }
  for await (const { topic, data } of bag.messages({ topics: new Set(readers.keys()) })) {
    try {
      readers.get(topic)?.(data);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
    }
  }
  return { arrivals, lefts, infos, changes, poses };
}
