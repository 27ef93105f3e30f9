import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { Fault, messageOf } from "../core/fault.ts";
import { fullTypeName } from "../msg/definitions.ts";
import {
  type BagFile,
  type BagMessage,
  type BagTopic,
  isLatchedBy,
  type MessageFilter,
  timeSpanOf,
} from "./bag-file.ts";
import { damaged, isWhole, missingBytesOf, schemasOf, type TopicRow, unsupported } from "./sqlite-tables.ts";
import { makeTempFolder, type TempFolder } from "./temp.ts";

interface SqliteTopic extends BagTopic {
  readonly id: number;
}

/**
 * Opens a rosbag2 .db3 file for reading. The database is reached through a link in a folder of our own, because this
 * SQLite locks by making a folder beside the file: so bags on read-only disks open, several readers do not shut each
 * other out, and nothing is left behind by a crash. A write-ahead log beside the file (crashed recording) is read too.
 * Throws `Fault` BAG_NOT_A_BAG or BAG_UNSUPPORTED.
 */
export async function openSqliteFile(path: string, label: string): Promise<BagFile> {
  const folder = await makeTempFolder();
  let database: sqlite.Database | undefined;
  try {
    const link = join(folder.path, "bag.db3");
    for (const suffix of ["", "-wal"]) {
      if (existsSync(path + suffix)) await symlink(resolve(path + suffix), link + suffix);
    }
    database = new sqlite.Database(link, { readOnly: true });
    // Without it SQLite wants shared memory for the write-ahead log, which WebAssembly has not.
    database.exec("PRAGMA locking_mode=EXCLUSIVE");
    // Else SQLite refuses a file that is shorter than its header says as a whole; nothing can be written here anyway.
    database.exec("PRAGMA writable_schema=ON");
    return new SqliteFile(database, folder, label, await missingBytesOf(path));
  } catch (thrown) {
    database?.close();
    folder.remove();
    if (thrown instanceof Fault) throw thrown;
    throw new Fault(`${label} is not a readable rosbag2 database (${messageOf(thrown)})`, {
      code: "BAG_NOT_A_BAG",
      remedy: 'Copy the file again, or rescue it with `sqlite3 broken.db3 ".recover" | sqlite3 whole.db3`.',
      cause: thrown,
    });
  }
}

class SqliteFile implements BagFile {
  readonly storage = "sqlite3";
  readonly topics: readonly SqliteTopic[];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly faults: Fault[] = [];
  readonly #database: sqlite.Database;
  readonly #folder: TempFolder;
  readonly #label: string;
  #isDamaged = false;

  constructor(database: sqlite.Database, folder: TempFolder, label: string, missingBytes: number) {
    this.#database = database;
    this.#folder = folder;
    this.#label = label;
    const listed = database.all("SELECT * FROM topics ORDER BY id") as unknown as TopicRow[];
    const rows = listed.filter(isWhole);
    if (rows.length < listed.length) this.#noteDamage(new Error("the list of topics has holes"));
    if (missingBytes > 0) this.#noteDamage(new Error(`${missingBytes} bytes are missing at its end`));
    const spans = this.#spans();
    const schemas = schemasOf(database);
    const cdr = rows.filter((row) => row.serialization_format === "cdr");
    this.topics = cdr.map((row) => ({
      id: row.id,
      name: row.name,
      type: fullTypeName(row.type),
      count: spans.get(row.id)?.count ?? 0,
      schema: schemas.get(row.type),
      isLatched: isLatchedBy(row.offered_qos_profiles),
    }));
    const { startNs, endNs } = timeSpanOf(cdr.flatMap((row) => spans.get(row.id) ?? []));
    this.startNs = startNs;
    this.endNs = endNs;
    const strangers = rows.filter((row) => row.serialization_format !== "cdr");
    if (strangers.length > 0) this.faults.push(unsupported(label, strangers));
  }

  /** Count and time span of each topic; of a damaged table as far as its rows can be walked. */
  #spans(): Map<number, Span> {
    try {
      const sql =
        "SELECT topic_id, COUNT(*) AS count, MIN(timestamp) AS startNs, MAX(timestamp) AS endNs FROM messages GROUP BY topic_id";
      const rows = this.#database.all(sql) as unknown as (Span & { topic_id: number })[];
      return new Map(
        rows.map((row) => [row.topic_id, { count: row.count, startNs: BigInt(row.startNs), endNs: BigInt(row.endNs) }]),
      );
    } catch (thrown) {
      this.#noteDamage(thrown);
      return this.#walkedSpans();
    }
  }

  #walkedSpans(): Map<number, Span> {
    const spans = new Map<number, Span>();
    const rows = this.#database.prepare("SELECT topic_id, timestamp FROM messages NOT INDEXED");
    try {
      for (const { topic_id, timestamp } of rows.iterate() as Iterable<Omit<MessageRow, "id">>) {
        const timeNs = BigInt(timestamp);
        const span = spans.get(topic_id) ?? { count: 0, startNs: timeNs, endNs: timeNs };
        span.count += 1;
        if (timeNs < span.startNs) span.startNs = timeNs;
        if (timeNs > span.endNs) span.endNs = timeNs;
        spans.set(topic_id, span);
      }
    } catch {
      // Up to the damage, which has been noted.
    } finally {
      finalize(rows);
    }
    return spans;
  }

  async *messages(filter: MessageFilter): AsyncGenerator<BagMessage> {
    const byId = new Map(this.topics.map((topic) => [topic.id, topic]));
    const wanted = this.topics.filter(({ name }) => filter.topics?.has(name) ?? true);
    const expected = wanted.reduce((sum, { count }) => sum + count, 0);
    let seen = 0;
    const statements: sqlite.Statement[] = [];
    const prepare = (sql: string): sqlite.Statement => {
      const statement = this.#database.prepare(sql);
      statements.push(statement);
      return statement;
    };
    try {
      // Rows are sorted without their blobs, which are then fetched one by one: memory stays flat without an index, too.
      // The index of a damaged file may be gone: then in the order of recording, up to the damage.
      const [table, order] = this.#isDamaged ? ["messages NOT INDEXED", "id"] : ["messages", "timestamp, id"];
      const rows = prepare(
        `SELECT id, topic_id, timestamp FROM ${table} WHERE topic_id IN (${wanted.map(({ id }) => id).join(",")})
         AND timestamp >= ? AND timestamp <= ? ORDER BY ${order}`,
      );
      const blob = prepare("SELECT data FROM messages WHERE id = ?");
      const span = [filter.fromNs ?? -(1n << 63n), filter.toNs ?? (1n << 63n) - 1n];
      for (const row of rows.iterate(span) as Iterable<MessageRow>) {
        const topic = byId.get(row.topic_id);
        if (topic === undefined) continue;
        seen += 1;
        const data = this.#blob(blob, row.id);
        if (data === undefined) continue;
        yield { topic: topic.name, type: topic.type, logTimeNs: BigInt(row.timestamp), data };
      }
      // SQLite has no checksums: a broken index shows only in what it does not find.
      const isAll = filter.fromNs === undefined && filter.toNs === undefined;
      if (isAll && seen < expected) this.#noteDamage(new Error(`${seen} of ${expected} messages found`));
    } catch (thrown) {
      this.#noteDamage(thrown);
    } finally {
      for (const statement of statements) finalize(statement);
    }
  }

  async times(topic: string): Promise<bigint[]> {
    const ids = this.topics.filter(({ name }) => name === topic).map(({ id }) => id);
    const rows = this.#database.prepare(`SELECT timestamp FROM messages WHERE topic_id IN (${ids.join(",")})`);
    const times: bigint[] = [];
    try {
      for (const { timestamp } of rows.iterate() as Iterable<Pick<MessageRow, "timestamp">>)
        times.push(BigInt(timestamp));
    } catch (thrown) {
      this.#noteDamage(thrown);
    } finally {
      finalize(rows);
    }
    return times;
  }

  #blob(statement: sqlite.Statement, id: number): Uint8Array | undefined {
    try {
      const data = statement.get([id])?.["data"];
      if (data instanceof Uint8Array) return data;
      throw new Error(`message ${id} has no data`);
    } catch (thrown) {
      this.#noteDamage(thrown);
      return undefined;
    }
  }

  #noteDamage(thrown: unknown): void {
    if (!this.#isDamaged) this.faults.push(damaged(this.#label, thrown));
    this.#isDamaged = true;
  }

  async close(): Promise<void> {
    this.#database.close();
    this.#folder.remove();
  }
}

/** Which throws the statement's last error once more. */
function finalize(statement: sqlite.Statement): void {
  try {
    statement.finalize();
  } catch {
    // It has been dealt with where it arose.
  }
}

interface Span {
  count: number;
  startNs: bigint;
  endNs: bigint;
}

interface MessageRow {
  readonly id: number;
  readonly topic_id: number;
  readonly timestamp: number | bigint;
}
