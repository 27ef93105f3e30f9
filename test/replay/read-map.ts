import { openBag } from "../../src/io/bag.ts";
import { decodeCdr } from "../../src/msg/codec.ts";

export interface MapFile {
  /** Messages by topic, in their order, decoded. */
  readonly messages: ReadonlyMap<
    string,
    readonly { readonly timeNs: bigint; readonly message: Record<string, unknown> }[]
  >;
  readonly faults: readonly string[];
}

/** A written map.mcap, all of it. */
export async function readMap(path: string): Promise<MapFile> {
  const bag = await openBag(path);
  const messages = new Map<string, { timeNs: bigint; message: Record<string, unknown> }[]>();
  try {
    for await (const { topic, type, logTimeNs, data } of bag.messages()) {
      const list = messages.get(topic) ?? [];
      list.push({ timeNs: logTimeNs, message: decodeCdr(type, data.slice()) });
      messages.set(topic, list);
    }
    return { messages, faults: bag.faults.map((fault) => fault.message) };
  } finally {
    await bag.close();
  }
}

/** Messages of each topic. */
export async function countsOf(path: string): Promise<Record<string, number>> {
  const { messages, faults } = await readMap(path);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return Object.fromEntries([...messages].map(([topic, list]) => [topic, list.length]));
}
