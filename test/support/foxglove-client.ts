import foxglove, { type Channel, type IWebSocket } from "@foxglove/ws-protocol";
import { type ClientOptions, WebSocket } from "ws";

export interface Received {
  readonly topic: string;
  readonly stampNs: bigint;
  readonly data: Uint8Array;
}

/** The protocol's own client over a real socket, for tests: collects channels and messages. */
export class TestClient {
  readonly channels = new Map<string, Channel>();
  readonly received: Received[] = [];
  readonly socket: WebSocket;
  sessionId: string | undefined;
  readonly #client: InstanceType<typeof foxglove.FoxgloveClient>;
  readonly #topicOfSubscription = new Map<number, string>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.#client = new foxglove.FoxgloveClient({ ws: socket as unknown as IWebSocket });
    this.#client.on("serverInfo", (info) => {
      this.sessionId = info.sessionId;
    });
    this.#client.on("error", () => {});
    this.#client.on("advertise", (channels) => {
      for (const channel of channels) this.channels.set(channel.topic, channel);
    });
    this.#client.on("message", ({ subscriptionId, timestamp, data }) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
      this.received.push({ topic: this.#topicOfSubscription.get(subscriptionId)!, stampNs: timestamp, data: bytes });
    });
  }

  /** Rejects with the server's answer when it refuses. */
  static async connect(url: string, options: ClientOptions = {}): Promise<TestClient> {
    const socket = new WebSocket(url.replace(/^http/, "ws"), [foxglove.FoxgloveClient.SUPPORTED_SUBPROTOCOL], options);
    const client = new TestClient(socket);
    await new Promise<void>((opened, failed) => {
      socket.once("open", () => opened());
      socket.once("error", failed);
    });
    return client;
  }

  subscribe(topic: string): void {
    const channel = this.channels.get(topic);
    if (channel === undefined) throw new Error(`${topic} is not advertised`);
    this.#topicOfSubscription.set(this.#client.subscribe(channel.id), topic);
  }

  unsubscribe(topic: string): void {
    for (const [id, name] of this.#topicOfSubscription) if (name === topic) this.#client.unsubscribe(id);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Waits until `condition` holds; fails with `what` after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 5));
  }
}
