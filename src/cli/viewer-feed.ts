import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../core/fault.ts";
import { schemaText } from "../msg/definitions.ts";
import { Playback, type Reel } from "../server/playback.ts";
import { ViewerServer } from "../server/viewer-server.ts";
import { type FeedFrame, type FeedTopic, feedTopics } from "./feed-frame.ts";
import { packageRoot } from "./package-root.ts";

export interface ViewerOptions {
  readonly port: number;
  readonly host?: string;
  readonly token?: string;
  /** A recording, or one that is being made: the page has a timeline. */
  readonly steered?: boolean;
}

/** Serves the built page. Throws `Fault` USAGE where it is not built, or as `ViewerServer.listen`. */
export async function openViewer(options: ViewerOptions): Promise<ViewerServer> {
  const viewerDir = join(packageRoot(), "dist/viewer");
  if (!existsSync(join(viewerDir, "index.html"))) {
    throw new Fault(`The viewer page is not built: ${viewerDir} has no index.html.`, {
      code: "USAGE",
      remedy: "Run `npm run demo` once (it builds the page), or leave the viewer out with --headless.",
    });
  }
  return await ViewerServer.listen({ ...options, viewerDir });
}

/** The topics of one run; a prefix such as `/a` tells several runs on one server apart. */
export class ViewerFeed {
  readonly #server: ViewerServer;
  readonly #channels: Readonly<Record<FeedTopic, number>>;

  constructor(server: ViewerServer, prefix = "") {
    this.#server = server;
    const entries = Object.entries(feedTopics).map(([name, [topic, type]]) => {
      const channel = server.advertise(prefix + topic, type, schemaText(type) ?? "", { latched: true });
      return [name, channel] as const;
    });
    this.#channels = Object.fromEntries(entries) as Record<FeedTopic, number>;
  }

  show({ stampNs, messages }: FeedFrame): void {
    for (const [name, payload] of Object.entries(messages)) {
      this.#server.publish(this.#channels[name as FeedTopic], stampNs, payload);
    }
  }
}

/** Lets the server's clients steer a reel. `speed` 0: as fast as it goes. It ends with the signal. */
export function steer(server: ViewerServer, reel: Reel, speed: number, signal: AbortSignal): Playback {
  const playback = new Playback(reel, speed, (state) => server.share({ ...state }), signal);
  server.onSet = (name, value) => playback.set(name, value);
  return playback;
}
