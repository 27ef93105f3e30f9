import { FoxgloveClient, type IWebSocket } from "@foxglove/ws-protocol";

export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "open"; readonly sessionId: string | undefined }
  | { readonly kind: "lost"; readonly retryS: number };

export interface LinkOptions {
  readonly url: string;
  /** topic -> what to do with a message of it (CDR bytes, borrowed for the call) */
  readonly topics: Readonly<Record<string, (cdr: Uint8Array) => void>>;
  readonly onState: (state: LinkState) => void;
}

const firstRetryS = 0.5;
const longestRetryS = 4;

/** Keeps a connection to the server: subscribes to the wanted topics and connects again whenever it drops. */
export class Link {
  readonly #options: LinkOptions;
  #retryS = firstRetryS;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#connect();
  }

  #connect(): void {
    const { url, topics, onState } = this.#options;
    const handlers = new Map<number, (cdr: Uint8Array) => void>();
    const socket = new WebSocket(url, [FoxgloveClient.SUPPORTED_SUBPROTOCOL]);
    // The client's own type allows shared memory, which a browser's socket refuses; it is never sent here.
    const client = new FoxgloveClient({ ws: socket as unknown as IWebSocket });
    onState({ kind: "connecting" });
    client.on("serverInfo", ({ sessionId }) => {
      this.#retryS = firstRetryS;
      onState({ kind: "open", sessionId });
    });
    client.on("advertise", (channels) => {
      for (const { id, topic, encoding } of channels) {
        const handler = topics[topic];
        if (handler !== undefined && encoding === "cdr") handlers.set(client.subscribe(id), handler);
      }
    });
    client.on("message", ({ subscriptionId, data }) => {
      handlers.get(subscriptionId)?.(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    });
    client.on("close", () => {
      const retryS = this.#retryS;
      this.#retryS = Math.min(longestRetryS, retryS * 2);
      onState({ kind: "lost", retryS });
      setTimeout(() => this.#connect(), retryS * 1000);
    });
  }
}
