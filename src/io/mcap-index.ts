import type { McapIndexedReader, McapTypes } from "@mcap/core";
import { viewOf } from "./mcap-chunk.ts";

const messageIndexOpcode = 0x07;
const headBytes = 1 + 8 + 2 + 4;
const entryBytes = 16;

/**
 * Log times of the messages of some channels, from the message indexes behind the chunks (MCAP specification, "Message
 * Index": opcode, u64 length, u16 channel, u32 bytes of entries, then u64 log time and u64 offset each): no chunk is
 * read or unpacked. An index whose head is broken gives no times.
 */
export async function indexedTimes(
  file: McapTypes.IReadable,
  chunks: McapIndexedReader["chunkIndexes"],
  channelIds: readonly number[],
): Promise<bigint[]> {
  const times: bigint[] = [];
  for (const { messageIndexOffsets } of chunks) {
    for (const id of channelIds) {
      const offset = messageIndexOffsets.get(id);
      if (offset === undefined) continue;
      const head = viewOf(await file.read(offset, BigInt(headBytes)));
      const bytes = head.getUint32(11, true);
      if (head.getUint8(0) !== messageIndexOpcode || head.getUint16(9, true) !== id || bytes % entryBytes !== 0)
        continue;
      const entries = viewOf(await file.read(offset + BigInt(headBytes), BigInt(bytes)));
      for (let at = 0; at < bytes; at += entryBytes) times.push(entries.getBigUint64(at, true));
    }
  }
  return times;
}
