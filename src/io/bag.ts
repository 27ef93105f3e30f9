import { basename } from "node:path";
import { asFault, Fault } from "../core/fault.ts";
import { type BagFile, type BagMessage, type BagTopic, type MessageFilter, timeSpanOf } from "./bag-file.ts";
import { findBagFiles, notABag } from "./bag-layout.ts";
import { openStorage } from "./bag-storage.ts";
import { mergeByTime } from "./merge.ts";
import { isZstd, loadUnzstd } from "./zstd.ts";

/** A recording, open for reading. Memory does not grow with its length. */
export interface Bag {
  readonly path: string;
  readonly storage: "mcap" | "sqlite3";
  readonly topics: readonly BagTopic[];
  /** Log time of the first and last message, nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Damage found so far (everything around it is delivered); may grow while messages are read. */
  readonly faults: readonly Fault[];
  /**
   * Messages in order of log time, across split files too. May be called again, also while another iteration runs. Data
   * is borrowed: valid until the next step.
   */
  messages(filter?: MessageFilter): AsyncIterable<BagMessage>;
  /** Log times of a topic's messages, in order; read from indexes, not from the messages. */
  times(topic: string): Promise<bigint[]>;
  /** Closes the files. */
  close(): Promise<void>;
}

/**
 * Opens a rosbag2 folder (mcap or sqlite3, split or not) or a single .mcap or .db3 file, plain or compressed as rosbag2
 * does it (each message, or the whole file, which is then unpacked to a temporary one until `close`). What a file is, is
 * seen from its first bytes. Throws `Fault` BAG_NOT_A_BAG, BAG_EMPTY (no message in it) or BAG_UNSUPPORTED.
 */
export async function openBag(path: string): Promise<Bag> {
  const layout = await findBagFiles(path);
  const faults: Fault[] = [...layout.faults];
  const files: BagFile[] = [];
  for (const file of layout.files) {
    try {
      files.push(await openStorage(file, basename(file)));
    } catch (thrown) {
      if (layout.files.length === 1) throw thrown;
      faults.push(asFault(thrown, `Cannot read ${file}`, { code: "BAG_NOT_A_BAG", remedy: "Copy it again." }));
    }
  }
  try {
    const [first] = files;
    if (first === undefined) throw faults[0] ?? notABag(`${path} holds no bag`, "Check the path.");
    checkContent(path, files, faults);
    const unzstd = await loadUnzstd();
    return new StorageBag(path, first.storage, files, faults, unzstd);
  } catch (thrown) {
    for (const file of files) await file.close();
    throw thrown;
  }
}

class StorageBag implements Bag {
  readonly path: string;
  readonly storage: "mcap" | "sqlite3";
  readonly topics: readonly BagTopic[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly #files: readonly BagFile[];
  readonly #faults: Fault[];
  readonly #unzstd: (frame: Uint8Array) => Uint8Array;

  constructor(
    path: string,
    storage: Bag["storage"],
    files: readonly BagFile[],
    faults: Fault[],
    unzstd: (frame: Uint8Array) => Uint8Array,
  ) {
    this.path = path;
    this.storage = storage;
    this.#files = files;
    this.#faults = faults;
    this.#unzstd = unzstd;
    this.topics = joinTopics(files);
    const { startNs, endNs } = timeSpanOf(files);
    this.startNs = startNs;
    this.endNs = endNs;
  }

  get faults(): readonly Fault[] {
    return [...this.#faults, ...this.#files.flatMap((file) => file.faults)];
  }

  async *messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage> {
    let damaged = 0;
    for await (const message of mergeByTime(this.#files, filter)) {
      if (!isZstd(message.data)) {
        yield message;
        continue;
      }
      let data: Uint8Array;
      try {
        data = this.#unzstd(message.data);
      } catch (thrown) {
        damaged += 1;
        if (damaged === 1) this.#faults.push(badFrame(this.path, message, thrown));
        continue;
      }
      yield { ...message, data };
    }
  }

  async times(topic: string): Promise<bigint[]> {
    const times: bigint[] = [];
    for (const file of this.#files) for (const time of await file.times(topic)) times.push(time);
    return times.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

function checkContent(path: string, files: readonly BagFile[], faults: readonly Fault[]): void {
  if (files.some((file) => file.endNs >= file.startNs)) return;
  const known = [...faults, ...files.flatMap((file) => file.faults)];
  const unsupported = known.find((fault) => fault.code === "BAG_UNSUPPORTED");
  if (unsupported !== undefined) throw unsupported;
  const topics = files.flatMap((file) => file.topics.map((topic) => topic.name));
  const seen = topics.length === 0 ? "no topics" : `the topics ${topics.join(", ")}`;
  const also = known.map((fault) => ` ${fault.message}.`).join("");
  throw new Fault(`${path} holds ${seen} but not one message.${also}`, {
    code: "BAG_EMPTY",
    remedy: "Check that the cameras were publishing when it was recorded (`ros2 topic hz`).",
  });
}

function joinTopics(files: readonly BagFile[]): BagTopic[] {
  const topics = new Map<string, BagTopic>();
  for (const file of files) {
    for (const topic of file.topics) {
      const before = topics.get(topic.name);
      const schema = before?.schema ?? topic.schema;
      topics.set(topic.name, { ...topic, count: topic.count + (before?.count ?? 0), schema });
    }
  }
  return [...topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function badFrame(path: string, message: BagMessage, thrown: unknown): Fault {
  const what = `A compressed message on ${message.topic} at ${message.logTimeNs} ns in ${path} cannot be unpacked`;
  return asFault(thrown, what, { code: "MESSAGE_CORRUPT", remedy: "Copy the bag again; such messages are left out." });
}
