import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { asFault, Fault } from "../core/fault.ts";
import type { BagFile } from "./bag-file.ts";
import { notABag } from "./bag-layout.ts";
import { openMcapFile } from "./mcap-file.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { makeTempFolder } from "./temp.ts";
import { isZstd, unzstdFile } from "./zstd.ts";

/**
 * Opens one storage file, plain or zstd; what it is, is seen from its first bytes. `label` names it in messages. Throws
 * `Fault` BAG_NOT_A_BAG, BAG_EMPTY (no bytes) or BAG_UNSUPPORTED.
 */
export async function openStorage(path: string, label: string): Promise<BagFile> {
  const { size } = await stat(path);
  if (size === 0)
    throw new Fault(`${label} is empty (0 bytes)`, { code: "BAG_EMPTY", remedy: "Record or copy it again." });
  const head = await firstBytes(path, 16);
  const text = head.toString("latin1");
  if (text.startsWith("\x89MCAP0\r\n")) return openMcapFile(path, label);
  if (text.startsWith("SQLite format 3\0")) return openSqliteFile(path, label);
  if (isZstd(head)) return openCompressed(path, label);
  throw notABag(
    `${label} is neither mcap nor sqlite3: it begins with ${head.subarray(0, 8).toString("hex")}`,
    "Name a rosbag2 folder, an .mcap or a .db3 file; ROS 1 bags convert with `rosbags-convert`.",
  );
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** rosbag2's compression_mode FILE. A cut file is unpacked as far as it goes. */
async function openCompressed(path: string, label: string): Promise<BagFile> {
  const folder = await makeTempFolder();
  try {
    const plain = join(folder.path, "plain");
    let cut: Fault | undefined;
    await unzstdFile(path, plain).catch((thrown: unknown) => {
      const remedy = "Copy the file again; what could be unpacked is read.";
      cut = asFault(thrown, `${label} cannot be unpacked to its end`, { code: "BAG_TRUNCATED", remedy });
    });
    const file = await openStorage(plain, label);
    const close = async (): Promise<void> => {
      await file.close();
      folder.remove();
    };
    return {
      storage: file.storage,
      topics: file.topics,
      startNs: file.startNs,
      endNs: file.endNs,
      get faults() {
        return cut === undefined ? file.faults : [cut, ...file.faults];
      },
      messages: (filter) => file.messages(filter),
      times: (topic) => file.times(topic),
      close,
    };
  } catch (thrown) {
    folder.remove();
    throw thrown;
  }
}
