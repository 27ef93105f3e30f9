import { open } from "node:fs/promises";
import type sqlite from "node-sqlite3-wasm";
import { Fault, messageOf } from "../core/fault.ts";

/** A row of rosbag2's table `topics`. */
export interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly serialization_format: string;
  /** Since Foxy. */
  readonly offered_qos_profiles?: string;
}

/** False where the row is damaged. */
export function isWhole(row: TopicRow): boolean {
  return [row.name, row.type, row.serialization_format].every((value) => typeof value === "string");
}

/**
 * How much shorter the file is than its header says (https://sqlite.org/fileformat.html, section 1.3). What SQLite
 * reads past the end is zeros, which an index may take for "nothing found".
 */
export async function missingBytesOf(path: string): Promise<number> {
  const handle = await open(path, "r");
  try {
    const { buffer: head, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    if (bytesRead < 100 || head.readUInt32BE(24) !== head.readUInt32BE(92)) return 0;
    const pageBytes = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16);
    return head.readUInt32BE(28) * pageBytes - (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

/** Definitions that rosbag2 keeps since Iron; older bags have no such table. */
export function schemasOf(database: sqlite.Database): Map<string, { encoding: string; text: string }> {
  try {
    const sql = "SELECT topic_type, encoding, encoded_message_definition AS text FROM message_definitions";
    const rows = database.all(sql) as { topic_type: string; encoding: string; text: string }[];
    const usable = rows.filter((row) => row.text !== "" && row.encoding !== "unknown");
    return new Map(usable.map((row) => [row.topic_type, { encoding: row.encoding, text: row.text }]));
  } catch {
    return new Map();
  }
}

export function damaged(label: string, thrown: unknown): Fault {
  return new Fault(`${label} is damaged or cut off (${messageOf(thrown)}); what can be read of it is read`, {
    code: "BAG_TRUNCATED",
    remedy: 'Copy the file again, or rescue it with `sqlite3 broken.db3 ".recover" | sqlite3 whole.db3`.',
    cause: thrown,
  });
}

export function unsupported(label: string, strangers: readonly TopicRow[]): Fault {
  const list = strangers.map((row) => `${row.name} (${row.serialization_format})`).join(", ");
  return new Fault(`${label} has topics that are not in CDR, the encoding of ROS 2: ${list}`, {
    code: "BAG_UNSUPPORTED",
    remedy: "Convert the bag to ROS 2 (for example with `rosbags-convert`); these topics are left out.",
  });
}
