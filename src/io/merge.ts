import type { BagFile, BagMessage, MessageFilter } from "./bag-file.ts";

interface Head {
  readonly messages: AsyncIterator<BagMessage>;
  next: BagMessage;
  /** Place of the file in the bag; earlier files win ties. */
  readonly rank: number;
}

/**
 * Messages of several files as one sequence in order of log time. A file is begun only when its first message is due, so
 * that of the usual bag, whose files follow each other, one is read at a time. Each file's message stays valid until
 * that file is asked for its next.
 */
export async function* mergeByTime(files: readonly BagFile[], filter: MessageFilter): AsyncGenerator<BagMessage> {
  const waiting = files.map((file, rank) => ({ file, rank })).filter(({ file }) => overlaps(file, filter));
  waiting.sort((a, b) =>
    a.file.startNs < b.file.startNs ? -1 : a.file.startNs > b.file.startNs ? 1 : a.rank - b.rank,
  );
  const heads: Head[] = [];
  try {
    while (waiting.length > 0 || heads.length > 0) {
      let first = earliest(heads);
      while (waiting[0] !== undefined && (first === undefined || waiting[0].file.startNs <= first.next.logTimeNs)) {
        const { file, rank } = waiting.shift() as (typeof waiting)[number];
        const messages = file.messages(filter)[Symbol.asyncIterator]();
        const { value, done } = await messages.next();
        if (done !== true) heads.push({ messages, next: value, rank });
        first = earliest(heads);
      }
      if (first === undefined) continue;
      yield first.next;
      const { value, done } = await first.messages.next();
      if (done === true) heads.splice(heads.indexOf(first), 1);
      else first.next = value;
    }
  } finally {
    for (const { messages } of heads) await messages.return?.();
  }
}

function overlaps(file: BagFile, { fromNs, toNs }: MessageFilter): boolean {
  if (file.endNs < file.startNs) return false;
  return (fromNs === undefined || file.endNs >= fromNs) && (toNs === undefined || file.startNs <= toNs);
}

function earliest(heads: readonly Head[]): Head | undefined {
  let best: Head | undefined;
  for (const head of heads) {
    if (best === undefined) best = head;
    else if (head.next.logTimeNs < best.next.logTimeNs) best = head;
    else if (head.next.logTimeNs === best.next.logTimeNs && head.rank < best.rank) best = head;
  }
  return best;
}
