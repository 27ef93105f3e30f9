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
  /** As the server last told them; all of them are subscribed to. */
  readonly parameters = new Map<string, unknown>();
  /** As the server tells it. */
  timeNs: bigint | undefined;
  capabilities: readonly string[] = [];
  readonly socket: WebSocket;
  sessionId: string | undefined;
  readonly #client: InstanceType<typeof foxglove.FoxgloveClient>;
  readonly #topicOfSubscription = new Map<number, string>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.#client = new foxglove.FoxgloveClient({ ws: socket as unknown as IWebSocket });
    this.#client.on("serverInfo", (info) => {
      this.sessionId = info.sessionId;
      this.capabilities = info.capabilities;
      if (info.capabilities.includes("parameters")) this.#client.getParameters([], "first");
    });
    this.#client.on("parameterValues", ({ parameters, id }) => {
      for (const { name, value } of parameters) this.parameters.set(name, value);
      if (id === "first") this.#client.subscribeParameterUpdates(parameters.map(({ name }) => name));
    });
    this.#client.on("time", ({ timestamp }) => {
      this.timeNs = timestamp;
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

  set(name: string, value: string | number | boolean): void {
    this.#client.setParameters([{ name, value }], "set");
  }

  unsubscribe(topic: string): void {
    for (const [id, name] of this.#topicOfSubscription) if (name === topic) this.#client.unsubscribe(id);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Waits until `condition` holds; fails with `what` after a while. */
export async function until(condition: () => boolean, what: string, patienceMs = 20_000): Promise<void> {
  for (const end = Date.now() + patienceMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 5));
  }
}
