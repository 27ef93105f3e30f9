import type { IncomingMessage } from "node:http";
import type { RawData, WebSocket } from "ws";

/** How much may wait in a client's socket before newer messages replace older ones, bytes. */
export const bufferedLimitBytes = 4 << 20;

const messageDataOp = 1;
const messageHeaderBytes = 13;

/** Hears of each new subscription; enters it in `subscriptions` if there is such a channel. */
type OnSubscribe = (connection: Connection, channel: number, subscription: number) => void;

type Handler<E> = ((event: E) => void) | null | undefined;

/** A message on its way: what the protocol puts before it, and its bytes, which all clients share. */
interface Outgoing {
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * One client, as `FoxgloveServer` sees it (it asks for the browser's socket interface), for all but messages: those go
 * through `sendMessage`, as two fragments, so that eight clients do not cost eight copies. While more than
 * `bufferedLimitBytes` wait, each subscription keeps only its newest message; what that replaces counts as dropped.
 */
export class Connection {
  binaryType = "arraybuffer";
  readonly protocol: string;
  readonly readyState = 1;
  onerror: Handler<{ error?: Error }>;
  onopen: Handler<unknown>;
  onclose: Handler<{ code: number; reason: string; wasClean: boolean }>;
  onmessage: Handler<{ data: string | ArrayBuffer }>;
  /** Messages that newer ones replaced before they were sent. */
  dropped = 0;
  readonly name: string;
  /** subscription -> channel */
  readonly subscriptions = new Map<number, number>();
  readonly #socket: WebSocket;
  readonly #newest = new Map<number, Outgoing>();

  constructor(socket: WebSocket, request: IncomingMessage, onSubscribe: OnSubscribe) {
    this.#socket = socket;
    this.protocol = socket.protocol;
    this.name = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    socket.binaryType = "arraybuffer";
    socket.on("message", (data: RawData, isBinary: boolean) => {
      this.onmessage?.({ data: isBinary ? (data as ArrayBuffer) : textOf(data) });
      if (!isBinary) this.#follow(textOf(data), onSubscribe);
    });
    socket.on("error", (error) => this.onerror?.({ error }));
    socket.on("close", (code, reason) => {
      this.subscriptions.clear();
      this.#newest.clear();
      this.onclose?.({ code, reason: String(reason), wasClean: code === 1000 });
    });
  }

  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(data);
  }

  /** `data` must stay as it is: it may wait in the socket. */
  sendMessage(subscription: number, stampNs: bigint, data: Uint8Array): void {
    const header = new Uint8Array(messageHeaderBytes);
    const view = new DataView(header.buffer);
    view.setUint8(0, messageDataOp);
    view.setUint32(1, subscription, true);
    view.setBigUint64(5, stampNs, true);
    this.#sendOrKeep(subscription, { header, data });
  }

  #sendOrKeep(subscription: number, message: Outgoing): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > bufferedLimitBytes) {
      if (this.#newest.has(subscription)) this.dropped += 1;
      this.#newest.set(subscription, message);
      return;
    }
    this.#newest.delete(subscription);
    this.#socket.send(message.header, { binary: true, fin: false });
    this.#socket.send(message.data, { binary: true, fin: true }, () => this.#sendNewest());
  }

  close(): void {
    this.#socket.close(1001, "the server ends");
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #sendNewest(): void {
    for (const [subscription, message] of this.#newest) {
      if (this.#socket.bufferedAmount > bufferedLimitBytes) return;
      this.#newest.delete(subscription);
      if (this.subscriptions.has(subscription)) this.#sendOrKeep(subscription, message);
    }
  }

  /** Keeps this client's subscriptions: the server only tells of the first and the last of all clients. */
  #follow(text: string, onSubscribe: OnSubscribe): void {
    const message = parseObject(text);
    if (message?.["op"] === "subscribe" && Array.isArray(message["subscriptions"])) {
      for (const wish of message["subscriptions"]) {
        const { id, channelId } = Object(wish) as { id?: unknown; channelId?: unknown };
        if (typeof id !== "number" || typeof channelId !== "number") continue;
        if (this.subscriptions.has(id) || [...this.subscriptions.values()].includes(channelId)) continue;
        onSubscribe(this, channelId, id);
      }
    } else if (message?.["op"] === "unsubscribe" && Array.isArray(message["subscriptionIds"])) {
      for (const id of message["subscriptionIds"]) this.subscriptions.delete(id);
    }
  }
}

function textOf(data: RawData): string {
  return Buffer.from(data as ArrayBuffer).toString("utf8");
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // FoxgloveServer has reported it already.
    return undefined;
  }
}
