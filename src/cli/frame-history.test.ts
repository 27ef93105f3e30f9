import { expect, it } from "vitest";
import type { ViewerServer } from "../server/viewer-server.ts";
import type { FeedFrame } from "./feed-frame.ts";
import { FrameHistory } from "./frame-history.ts";
import type { ViewerFeed } from "./viewer-feed.ts";

function makeHistory(limitBytes: number) {
  const shown: FeedFrame[] = [];
  const times: bigint[] = [];
  const server = { showTime: (stampNs: bigint) => void times.push(stampNs) } as unknown as ViewerServer;
  const feed = { show: (frame: FeedFrame) => void shown.push(frame) } as unknown as ViewerFeed;
  return { history: new FrameHistory(server, feed, limitBytes), shown, times };
}
const frameAt = (stampNs: bigint, bytes: number): FeedFrame => ({ stampNs, messages: {}, bytes });

it("keeps the newest frames that fit, and always the last", async () => {
  const { history, shown, times } = makeHistory(250);
  history.expect(10, 0.9);
  for (let i = 0; i < 5; i += 1) history.add(frameAt(BigInt(i) * 100n - 100n, 100));
  expect([history.first, history.ready, history.total, history.durationS]).toEqual([3, 5, 10, 0.9]);
  await history.show(4);
  await history.show(0);
  expect(shown.map(({ stampNs }) => stampNs)).toEqual([300n, 200n]);
  expect(times).toEqual([300n, 200n]);
  history.add(frameAt(900n, 1000));
  expect([history.first, history.ready]).toEqual([5, 6]);
  history.expect(0, 0.9);
  expect(history.total).toBe(6);
});

it("gives no time before 1970 away", async () => {
  const { history, times } = makeHistory(1000);
  history.add(frameAt(-5n, 1));
  await history.show(0);
  expect(times).toEqual([0n]);
});
