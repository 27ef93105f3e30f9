import { FoxgloveClient, type IWebSocket } from "@foxglove/ws-protocol";

export type LinkState =
  | { readonly kind: "connecting" }
  /** `isSteered`: the server plays a recording and takes orders. */
  | { readonly kind: "open"; readonly sessionId: string | undefined; readonly isSteered: boolean }
  | { readonly kind: "lost"; readonly retryS: number };

export interface LinkOptions {
  readonly url: string;
  /** topic -> what to do with a message of it (CDR bytes, borrowed for the call) */
  readonly topics: Readonly<Record<string, (cdr: Uint8Array) => void>>;
  /** Which of the topics are wanted now; asked again after `refresh`. */
  readonly wants: (topic: string) => boolean;
  readonly onState: (state: LinkState) => void;
  /** Hears of each of the topics that the server offers. */
  readonly onTopic: (topic: string) => void;
  readonly onParameters: (values: ReadonlyMap<string, unknown>) => void;
}

const firstRetryS = 0.5;
const longestRetryS = 4;

/** Keeps a connection to the server: subscribes to the wanted topics and connects again whenever it drops. */
export class Link {
  readonly #options: LinkOptions;
  #retryS = firstRetryS;
  #client: FoxgloveClient | undefined;
  /** topic -> channel, of those that are offered and known here */
  readonly #channels = new Map<string, number>();
  /** topic -> subscription */
  readonly #subscriptions = new Map<string, number>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Subscribes to what has become wanted, and leaves what no longer is. */
  refresh(): void {
    for (const [topic, channel] of this.#channels) {
      const before = this.#subscriptions.get(topic);
      const isWanted = this.#options.wants(topic);
      if (isWanted && before === undefined) this.#subscriptions.set(topic, this.#client!.subscribe(channel));
      if (!isWanted && before !== undefined) {
        this.#client!.unsubscribe(before);
        this.#subscriptions.delete(topic);
      }
    }
  }

  /** Sets a parameter of the server; nothing where there is no connection. */
  set(name: string, value: number | boolean): void {
    this.#client?.setParameters([{ name, value }]);
  }

  #connect(): void {
    const { url, topics, onState } = this.#options;
    const socket = new WebSocket(url, [FoxgloveClient.SUPPORTED_SUBPROTOCOL]);
    // The client's own type allows shared memory, which a browser's socket refuses; it is never sent here.
    const client = new FoxgloveClient({ ws: socket as unknown as IWebSocket });
    onState({ kind: "connecting" });
    client.on("serverInfo", ({ sessionId, capabilities }) => {
      this.#retryS = firstRetryS;
      this.#client = client;
      const isSteered = capabilities.includes("parameters");
      onState({ kind: "open", sessionId, isSteered });
      if (isSteered) client.getParameters([], "all");
    });
    client.on("parameterValues", ({ parameters, id }) => {
      if (id === "all") client.subscribeParameterUpdates(parameters.map(({ name }) => name));
      this.#options.onParameters(new Map(parameters.map(({ name, value }) => [name, value])));
    });
    client.on("advertise", (channels) => {
      for (const { id, topic, encoding } of channels) {
        if (topics[topic] === undefined || encoding !== "cdr") continue;
        this.#channels.set(topic, id);
        this.#options.onTopic(topic);
      }
      this.refresh();
    });
    client.on("message", ({ subscriptionId, data }) => {
      for (const [topic, subscription] of this.#subscriptions) {
        if (subscription !== subscriptionId) continue;
        topics[topic]?.(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
    });
    client.on("close", () => {
      const retryS = this.#retryS;
      this.#retryS = Math.min(longestRetryS, retryS * 2);
      this.#client = undefined;
      this.#channels.clear();
      this.#subscriptions.clear();
      onState({ kind: "lost", retryS });
      setTimeout(() => this.#connect(), retryS * 1000);
    });
  }
}
