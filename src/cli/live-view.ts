import type { MapStep } from "../pipeline/map-steps.ts";
import type { LiveView } from "../ros/node-viewer.ts";
import { type FeedFrame, frameOfStep } from "./feed-frame.ts";
import { openViewer, ViewerFeed, type ViewerOptions } from "./viewer-feed.ts";

/** The page of a live node: no timeline, and no work while nobody looks. */
export async function openLiveView(options: ViewerOptions): Promise<LiveView> {
  const server = await openViewer(options);
  const feed = new ViewerFeed(server);
  let making: Promise<FeedFrame> | undefined;
  return {
    url: server.url,
    get isWatched() {
      return server.clientCount > 0;
    },
    async show(step: MapStep, status: object): Promise<void> {
      // One at a time, newest wins: while a picture is encoded, what comes is not shown.
      if (making !== undefined) return;
      const { pair } = step;
      // The step ends when this call returns; all but the image is read by then.
      const own = { ...step, pair: { ...pair, left: { ...pair.left, data: pair.left.data.slice() } } };
      try {
        making = frameOfStep(own, status);
        feed.show(await making);
      } finally {
        making = undefined;
      }
    },
    close: () => server.close(),
  };
}
