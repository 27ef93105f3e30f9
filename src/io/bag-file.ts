import type { Fault } from "../core/fault.ts";

/** A topic of a bag. */
export interface BagTopic {
  readonly name: string;
  /** Such as `sensor_msgs/msg/Image`. */
  readonly type: string;
  /** Messages in the bag. */
  readonly count: number;
  /** The definition that the bag itself carries, if any; `encoding` is `ros2msg` or `ros2idl`. */
  readonly schema: { readonly encoding: string; readonly text: string } | undefined;
  /** Recorded from a transient-local publisher: a late subscriber is owed the last message. */
  readonly isLatched: boolean;
}

/** What rosbag2's `offered_qos_profiles` text says of durability (a number before Jazzy, then a name). */
export function isLatchedBy(offeredQosProfiles: string | undefined): boolean {
  return /durability:\s*(1|transient_local)\b/.test(offeredQosProfiles ?? "");
}

/** One recorded message. */
export interface BagMessage {
  readonly topic: string;
  readonly type: string;
  /** When it was received, nanoseconds since the epoch. */
  readonly logTimeNs: bigint;
  /** CDR with its 4-byte header. Borrowed: valid until the next step of the iteration. */
  readonly data: Uint8Array;
}

/** Which messages of a bag. */
export interface MessageFilter {
  /** All topics, unless given. */
  readonly topics?: ReadonlySet<string>;
  /** First log time wanted. */
  readonly fromNs?: bigint;
  /** Last log time wanted (itself included). */
  readonly toNs?: bigint;
}

/** One storage file; a bag is one or several. */
export interface BagFile {
  readonly storage: "mcap" | "sqlite3";
  readonly topics: readonly BagTopic[];
  /** Log time of the first and last message; 0 and -1 when there is none. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Damage found so far; grows while reading. */
  readonly faults: readonly Fault[];
  /** In order of log time; of equal times in the order of the file. May run several times at once. */
  messages(filter: MessageFilter): AsyncIterable<BagMessage>;
  /** Log times of a topic's messages, in any order; of an mcap file from its index, without reading a message. */
  times(topic: string): Promise<bigint[]>;
  close(): Promise<void>;
}

/** First start and last end of those that hold anything; 0 and -1 when none does. */
export function timeSpanOf(parts: Iterable<Pick<BagFile, "startNs" | "endNs">>): { startNs: bigint; endNs: bigint } {
  let startNs = 0n;
  let endNs = -1n;
  for (const part of parts) {
    if (part.endNs < part.startNs) continue;
    const isFirst = endNs < startNs;
    if (isFirst || part.startNs < startNs) startNs = part.startNs;
    if (isFirst || part.endNs > endNs) endNs = part.endNs;
  }
  return { startNs, endNs };
}
