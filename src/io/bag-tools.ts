import { Fault } from "../core/fault.ts";
import { type Bag, openBag } from "./bag.ts";
import { McapSink } from "./mcap-writer.ts";
import { findStereoTopics, type StereoTopics } from "./stereo-topics.ts";

/** What `voxelguard bag info` shows. */
export interface BagInfo {
  readonly path: string;
  readonly storage: "mcap" | "sqlite3";
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly messageCount: number;
  readonly topics: readonly { readonly name: string; readonly type: string; readonly count: number }[];
  /** The pair that replay would use, or why there is none. */
  readonly stereo: StereoTopics | Fault;
  readonly faults: readonly Fault[];
}

/** Throws what `openBag` throws. */
export async function bagInfo(path: string): Promise<BagInfo> {
  const bag = await openBag(path);
  try {
    const { storage, startNs, endNs, faults } = bag;
    const topics = bag.topics.map(({ name, type, count }) => ({ name, type, count }));
    const messageCount = topics.reduce((sum, { count }) => sum + count, 0);
    return { path, storage, startNs, endNs, messageCount, topics, stereo: stereoOf(bag), faults };
  } finally {
    await bag.close();
  }
}

function stereoOf(bag: Bag): StereoTopics | Fault {
  try {
    return findStereoTopics(bag.topics);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}

export interface CutOptions {
  /** Seconds from the start of the bag. */
  readonly fromS?: number;
  readonly toS?: number;
  /** All topics, unless given. */
  readonly topics?: readonly string[];
}

/** What was written, and what of the input could not be read. */
export interface CutResult {
  readonly messageCount: number;
  readonly faults: readonly Fault[];
}

/**
 * Copies a stretch of a bag (any that `openBag` reads) to one mcap file; messages are unchanged. Static transforms from
 * before the stretch are kept, at the time of its start: without them the rest is of no use. Throws what `openBag`
 * throws, `Fault` TOPIC_MISSING, BAG_EMPTY (nothing in that stretch) or OUTPUT_UNWRITABLE.
 */
export async function cutBag(from: string, to: string, options: CutOptions = {}): Promise<CutResult> {
  const bag = await openBag(from);
  try {
    const wanted = wantedTopics(bag, options.topics);
    const sink = await McapSink.open(to);
    try {
      for (const { name, type, schema, isLatched } of bag.topics) {
        const latched = isLatched || name.endsWith("/tf_static");
        if (wanted.has(name)) sink.addTopic(name, type, { isLatched: latched, schema });
      }
      const messageCount = await copy(bag, sink, wanted, options);
      await sink.close();
      return { messageCount, faults: bag.faults };
    } catch (thrown) {
      await sink.abandon({ keep: thrown instanceof Fault && thrown.code === "OUTPUT_UNWRITABLE" });
      throw thrown;
    }
  } finally {
    await bag.close();
  }
}

function wantedTopics(bag: Bag, names: readonly string[] | undefined): ReadonlySet<string> {
  const all = bag.topics.map(({ name }) => name);
  const strange = (names ?? []).filter((name) => !all.includes(name));
  if (strange.length === 0) return new Set(names ?? all);
  throw new Fault(`${bag.path} has no topic ${strange.join(", ")}; it has ${all.join(", ")}`, {
    code: "TOPIC_MISSING",
    remedy: "Name topics as `voxelguard bag info` lists them.",
  });
}

async function copy(bag: Bag, sink: McapSink, wanted: ReadonlySet<string>, options: CutOptions): Promise<number> {
  const fromNs = bag.startNs + nsOf(options.fromS ?? 0);
  const toNs = options.toS === undefined ? bag.endNs : bag.startNs + nsOf(options.toS);
  let count = 0;
  const statics = new Set([...wanted].filter((name) => name.endsWith("/tf_static")));
  if (statics.size > 0 && fromNs > bag.startNs) {
    for await (const { topic, data } of bag.messages({ topics: statics, toNs: fromNs - 1n })) {
      await sink.write(topic, fromNs, data);
    }
  }
  for await (const { topic, logTimeNs, data } of bag.messages({ topics: wanted, fromNs, toNs })) {
    await sink.write(topic, logTimeNs, data);
    count += 1;
  }
  if (count > 0) return count;
  const lengthS = Number(bag.endNs - bag.startNs) / 1e9;
  throw new Fault(`No message of ${bag.path} lies from ${options.fromS ?? 0} s to ${options.toS ?? lengthS} s`, {
    code: "BAG_EMPTY",
    remedy: `The bag is ${lengthS.toFixed(3)} s long; times count from its start.`,
  });
}

function nsOf(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9));
}
