import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import foxglove, { type IWebSocket } from "@foxglove/ws-protocol";
import { WebSocketServer } from "ws";
import { asFault, Fault } from "../core/fault.ts";
import { isLoopback, mayConnect } from "./admission.ts";
import { Connection } from "./connection.ts";
import { serveFile } from "./static-files.ts";

export interface ViewerServerOptions {
  /** Interface to listen on; other than loopback needs a token. Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Secret that a client must bring: `?token=` in the address, or an Authorization header. */
  readonly token?: string;
  /** Folder of the built page. */
  readonly viewerDir: string;
  /** Whether what is shown has a clock of its own and can be steered: announces `time` and `parameters` to clients. */
  readonly steered?: boolean;
}

/** A value that clients see and may set: one of Foxglove's parameters. */
export type Parameter = number | boolean | string;

/** A message, or what makes it: asked only when somebody listens, at most once. CDR bytes that stay as they are. */
export type Payload = Uint8Array | (() => Uint8Array);

export interface AdvertiseOptions {
  /** Whoever subscribes later gets the last message at once. */
  readonly latched?: boolean;
}

interface Channel {
  readonly latched: boolean;
  last: { readonly stampNs: bigint; readonly data: () => Uint8Array } | undefined;
}

/**
 * Serves the viewer page over HTTP and the data over the Foxglove websocket protocol (subprotocol
 * foxglove.websocket.v1) on the same port, so that Lichtblick and Foxglove can connect as well. Messages are CDR.
 */
export class ViewerServer {
  /** Address of the page, with the token where there is one. */
  readonly url: string;
  /** Hears of each parameter that a client sets; `share` tells all clients what came of it. */
  onSet: (name: string, value: unknown) => void = () => {};
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #protocol: InstanceType<typeof foxglove.FoxgloveServer>;
  readonly #connections = new Set<Connection>();
  readonly #channels = new Map<number, Channel>();
  readonly #parameters = new Map<string, Parameter>();
  /** Resolves when the first client has come. */
  readonly visited: Promise<void>;
  #visit: () => void = () => {};
  #droppedByGone = 0;

  /** Throws `Fault` USAGE for an open interface without a token, PORT_UNAVAILABLE when it cannot listen. */
  static async listen(options: ViewerServerOptions): Promise<ViewerServer> {
    const { host = "127.0.0.1", port, token } = options;
    if (!isLoopback(host) && !token) {
      throw new Fault(`The viewer would listen on ${host}, where others can reach it, without a token.`, {
        code: "USAGE",
        remedy: "Give a token (--token), or listen on 127.0.0.1.",
      });
    }
    const folder = resolve(options.viewerDir);
    const http = createServer((request, response) => serveFile(folder, request, response));
    await new Promise<void>((listening, failed) => {
      http.once("error", failed).listen(port, host, () => listening());
    }).catch((thrown: unknown) => {
      throw asFault(thrown, `The viewer cannot listen on ${host} port ${port}.`, {
        code: "PORT_UNAVAILABLE",
        remedy: "Choose another port with --port (0 takes any free one), or end the program that uses it.",
      });
    });
    return new ViewerServer(http, host, token, options.steered === true);
  }

  private constructor(http: Server, host: string, token: string | undefined, isSteered: boolean) {
    this.#http = http;
    this.visited = new Promise((resolve) => {
      this.#visit = resolve;
    });
    const { port } = http.address() as AddressInfo;
    const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/${query}`;
    // The session lets a page that reconnects notice that it talks to another run.
    const sessionId = `${process.pid}-${port}-${process.hrtime.bigint()}`;
    const capabilities = isSteered ? ["time", "parameters", "parametersSubscribe"] : [];
    this.#protocol = new foxglove.FoxgloveServer({ name: "voxelguard", capabilities, sessionId });
    this.#protocol.on("getParameters", ({ parameterNames, id }, client) => {
      this.#protocol.publishParameterValues(this.#list(parameterNames), id, client);
    });
    this.#protocol.on("setParameters", ({ parameters, id }, client) => {
      for (const { name, value } of parameters) this.onSet(name, value);
      if (id !== undefined) {
        const names = parameters.map(({ name }) => name);
        this.#protocol.publishParameterValues(this.#list(names), id, client);
      }
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: 1 << 20,
      handleProtocols: (protocols) => this.#protocol.handleProtocols(protocols),
    });
    http.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      if (!mayConnect(request, token)) {
        socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
        if (websocket.protocol === "") {
          websocket.close(1002, "wanted the subprotocol foxglove.websocket.v1");
          return;
        }
        const connection = new Connection(websocket, request, (...wish) => this.#subscribe(...wish));
        this.#connections.add(connection);
        this.#visit();
        websocket.on("close", () => {
          this.#connections.delete(connection);
          this.#droppedByGone += connection.dropped;
        });
        this.#protocol.handleConnection(connection as unknown as IWebSocket, connection.name);
      });
    });
  }

  /**
   * Offers a topic. `schemaName` is a ROS type such as `sensor_msgs/msg/PointCloud2`, `schemaText` its definition with
   * those of the types inside (ros2msg). Answers the channel, for `publish`.
   */
  advertise(topic: string, schemaName: string, schemaText: string, options: AdvertiseOptions = {}): number {
    const channel = this.#protocol.addChannel({
      topic,
      encoding: "cdr",
      schemaName,
      schema: schemaText,
      schemaEncoding: "ros2msg",
    });
    this.#channels.set(channel, { latched: options.latched ?? false, last: undefined });
    return channel;
  }

  /** Sends a CDR message to whoever subscribes. It goes out without a copy, maybe later: do not reuse its bytes. */
  publish(channelId: number, stampNs: bigint, payload: Payload): void {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) throw new Error(`channel ${channelId} was never advertised`);
    const data = once(payload);
    if (channel.latched) channel.last = { stampNs, data };
    for (const connection of this.#connections) {
      for (const [subscription, subscribed] of connection.subscriptions) {
        if (subscribed === channelId) connection.sendMessage(subscription, stampNs, data());
      }
    }
  }

  /** Tells clients of parameters that have changed. */
  share(parameters: Readonly<Record<string, Parameter>>): void {
    for (const [name, value] of Object.entries(parameters)) this.#parameters.set(name, value);
    this.#protocol.updateParameterValues(this.#list(Object.keys(parameters)));
  }

  /** Tells clients what time it is in what is shown. */
  showTime(stampNs: bigint): void {
    this.#protocol.broadcastTime(stampNs);
  }

  /** Clients that listen to the channel. */
  subscriberCount(channelId: number): number {
    let count = 0;
    for (const { subscriptions } of this.#connections) {
      for (const channel of subscriptions.values()) if (channel === channelId) count += 1;
    }
    return count;
  }

  /** Messages that clients never got because they were too slow and newer ones came. */
  get droppedCount(): number {
    let count = this.#droppedByGone;
    for (const { dropped } of this.#connections) count += dropped;
    return count;
  }

  /** Clients that are connected. */
  get clientCount(): number {
    return this.#connections.size;
  }

  /** Those of the names that there are; all without names. */
  #list(names: readonly string[]): { name: string; value: Parameter }[] {
    const wanted =
      names.length === 0 ? [...this.#parameters.keys()] : names.filter((name) => this.#parameters.has(name));
    return wanted.map((name) => ({ name, value: this.#parameters.get(name)! }));
  }

  #subscribe(connection: Connection, channelId: number, subscription: number): void {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) return;
    connection.subscriptions.set(subscription, channelId);
    if (channel.last !== undefined) connection.sendMessage(subscription, channel.last.stampNs, channel.last.data());
  }

  /** Says goodbye to all clients and frees the port; clients that do not answer within a second are cut off. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#http.close(() => done()));
    for (const connection of this.#connections) connection.close();
    this.#http.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.terminate();
      this.#http.closeAllConnections();
    }, 1000);
    await closed;
    clearTimeout(timer);
  }
}

function once(payload: Payload): () => Uint8Array {
  let made = typeof payload === "function" ? undefined : payload;
  return () => {
    made ??= (payload as () => Uint8Array)();
    return made;
  };
}
