import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { TestClient, until } from "../../test/support/foxglove-client.ts";
import type { Fault } from "../core/fault.ts";
import { bufferedLimitBytes } from "./connection.ts";
import { fileOf } from "./static-files.ts";
import { ViewerServer } from "./viewer-server.ts";

let folder: string;
let server: ViewerServer;
const clients: TestClient[] = [];

async function connectTo(url: string, options = {}): Promise<TestClient> {
  const client = await TestClient.connect(url, options);
  clients.push(client);
  return client;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "viewer-"));
  mkdirSync(join(folder, "page/assets"), { recursive: true });
  writeFileSync(join(folder, "page/index.html"), "<p>page</p>");
  writeFileSync(join(folder, "page/assets/a.js"), "1;");
  writeFileSync(join(folder, "secret"), "secret");
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  server = await ViewerServer.listen({ port: 0, viewerDir: join(folder, "page") });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("the websocket", () => {
  it("delivers bytes, stamps and schemas to a client of the protocol", async () => {
    const channel = server.advertise("/a", "std_msgs/msg/String", "string data");
    const client = await connectTo(server.url);
    await until(() => client.channels.has("/a"), "advertised");
    expect(client.channels.get("/a")).toMatchObject({
      encoding: "cdr",
      schemaName: "std_msgs/msg/String",
      schema: "string data",
      schemaEncoding: "ros2msg",
    });
    expect(server.subscriberCount(channel)).toBe(0);
    client.subscribe("/a");
    await until(() => server.subscriberCount(channel) === 1, "subscribed");
    const backing = bytes(9, 9, 1, 2, 3, 9);
    server.publish(channel, 1_700_000_000_123_456_789n, backing.subarray(2, 5));
    await until(() => client.received.length === 1, "received");
    expect(client.received[0]).toEqual({ topic: "/a", stampNs: 1_700_000_000_123_456_789n, data: bytes(1, 2, 3) });
    client.unsubscribe("/a");
    await until(() => server.subscriberCount(channel) === 0, "unsubscribed");
    server.publish(channel, 1n, bytes(4));
    client.close();
    await until(() => server.clientCount === 0, "gone");
    expect(client.received).toHaveLength(1);
  });

  it("gives whoever comes late the last message of a latched topic, and only of that", async () => {
    const latched = server.advertise("/map", "x", "", { latched: true });
    const passing = server.advertise("/points", "x", "");
    server.publish(latched, 1n, bytes(1));
    server.publish(latched, 2n, bytes(2));
    server.publish(passing, 3n, bytes(3));
    for (let i = 0; i < 2; i += 1) {
      const client = await connectTo(server.url);
      await until(() => client.channels.size === 2, "advertised");
      client.subscribe("/points");
      client.subscribe("/map");
      await until(() => client.received.length > 0, "received");
      expect(client.received).toEqual([{ topic: "/map", stampNs: 2n, data: bytes(2) }]);
    }
  });

  it("keeps only the newest message for a client that does not read, counts the rest and never grows", async () => {
    const channel = server.advertise("/big", "x", "");
    const client = await connectTo(server.url);
    await until(() => client.channels.size === 1, "advertised");
    client.subscribe("/big");
    await until(() => server.subscriberCount(channel) === 1, "subscribed");
    client.socket.pause();
    const sent = 200;
    for (let i = 0; i < sent; i += 1) {
      server.publish(channel, BigInt(i), new Uint8Array(1 << 18));
      await new Promise((wake) => setImmediate(wake));
    }
    expect(server.droppedCount).toBeGreaterThan(sent / 4);
    client.socket.resume();
    await until(() => client.received.at(-1)?.stampNs === BigInt(sent - 1), "the newest arrives");
    expect(client.received.length + server.droppedCount).toBe(sent);
    const stamps = client.received.map(({ stampNs }) => stampNs);
    expect(stamps).toEqual([...stamps].sort((a, b) => Number(a - b)));
    expect(bufferedLimitBytes).toBeLessThan(64 << 20);
  });

  it("makes a message only when somebody listens, and once", async () => {
    const channel = server.advertise("/dear", "x", "", { latched: true });
    let made = 0;
    const make = (): Uint8Array => {
      made += 1;
      return bytes(made);
    };
    server.publish(channel, 1n, make);
    expect(made).toBe(0);
    for (let i = 0; i < 2; i += 1) {
      const client = await connectTo(server.url);
      await until(() => client.channels.size === 1, "advertised");
      client.subscribe("/dear");
      await until(() => client.received.length === 1, "received");
      expect(client.received[0]!.data).toEqual(bytes(1));
    }
    expect(made).toBe(1);
  });

  it("tells parameters and time, and hears of what clients set", async () => {
    const steered = await ViewerServer.listen({ port: 0, viewerDir: folder, steered: true });
    const heard: unknown[] = [];
    steered.onSet = (name, value) => {
      heard.push([name, value]);
      if (name === "speed" && typeof value === "number") steered.share({ speed: value });
    };
    steered.share({ speed: 1, playing: true });
    const [a, b] = [await connectTo(steered.url), await connectTo(steered.url)];
    await until(() => a.parameters.size === 2 && b.parameters.size === 2, "all parameters");
    expect(a.capabilities).toEqual(["time", "parameters", "parametersSubscribe"]);
    a.set("speed", 4);
    a.set("nothing", "x");
    await until(() => b.parameters.get("speed") === 4, "the other client is told");
    steered.showTime(1_700_000_000_123_456_789n);
    await until(() => a.timeNs === 1_700_000_000_123_456_789n, "the time");
    expect(heard).toEqual([
      ["speed", 4],
      ["nothing", "x"],
    ]);
    expect([...a.parameters]).toEqual([
      ["speed", 4],
      ["playing", true],
    ]);
    await steered.close();
    const live = await connectTo(server.url);
    await until(() => live.sessionId !== undefined, "server info");
    expect(live.capabilities).toEqual([]);
  });

  it("survives nonsense", async () => {
    const channel = server.advertise("/a", "x", "");
    const client = await connectTo(server.url);
    await until(() => client.channels.size === 1, "advertised");
    for (const text of [
      "no json",
      "null",
      "[]",
      '{"op":"subscribe"}',
      '{"op":"subscribe","subscriptions":[null,7,{"id":"x"},{"id":1,"channelId":99}]}',
      '{"op":"unsubscribe","subscriptionIds":[5]}',
      '{"op":"fly"}',
      '{"op":"setParameters","parameters":[{"name":"playback.frame","value":1}]}',
      '{"op":"getParameters","parameterNames":[]}',
    ]) {
      client.socket.send(text);
    }
    client.socket.send(bytes(77, 1));
    client.subscribe("/a");
    await until(() => server.subscriberCount(channel) === 1, "still subscribes");
  });

  it("tells runs apart by their session", async () => {
    const other = await ViewerServer.listen({ port: 0, viewerDir: folder });
    const [a, b] = [await connectTo(server.url), await connectTo(other.url)];
    await until(() => a.sessionId !== undefined && b.sessionId !== undefined, "server info");
    expect(a.sessionId).not.toBe(b.sessionId);
    await other.close();
  });

  it("refuses a client without the subprotocol", async () => {
    const socket = new WebSocket(server.url.replace("http", "ws"));
    const code = await new Promise((done) => socket.on("close", done).on("error", () => {}));
    expect(code).toBe(1002);
    expect(server.clientCount).toBe(0);
  });
});

describe("who may connect", () => {
  it("refuses pages of other sites and rebound names, admits its own page", async () => {
    const { origin, host } = new URL(server.url);
    for (const headers of [{ origin: "http://evil.example" }, { host: "evil.example" }, { origin: "null" }]) {
      await expect(connectTo(server.url, { headers })).rejects.toThrow("403");
    }
    await connectTo(server.url, { headers: { origin, host } });
  });

  it("wants the token where there is one", async () => {
    const guarded = await ViewerServer.listen({ host: "0.0.0.0", port: 0, token: "a b&c", viewerDir: folder });
    const bare = guarded.url.split("?")[0]!;
    await expect(connectTo(bare)).rejects.toThrow("403");
    await expect(connectTo(`${bare}?token=wrong`)).rejects.toThrow("403");
    await connectTo(guarded.url, { headers: { origin: "https://lichtblick.example" } });
    await connectTo(bare, { headers: { authorization: "Bearer a b&c" } });
    await guarded.close();
  });

  it("does not open to others without a token", async () => {
    const refused = ViewerServer.listen({ host: "0.0.0.0", port: 0, viewerDir: folder });
    await expect(refused).rejects.toMatchObject({ code: "USAGE", remedy: expect.stringContaining("--token") });
    await expect(ViewerServer.listen({ host: "::", port: 0, token: "", viewerDir: folder })).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  it("says which port is taken", async () => {
    const squatter: Server = createServer();
    await new Promise<void>((done) => squatter.listen(0, "127.0.0.1", done));
    const { port } = squatter.address() as AddressInfo;
    const fault = await ViewerServer.listen({ port, viewerDir: folder }).catch((thrown: Fault) => thrown);
    expect(fault).toMatchObject({ code: "PORT_UNAVAILABLE", message: expect.stringContaining(String(port)) });
    squatter.close();
  });
});

describe("the files", () => {
  it("serves the page with types and without caching", async () => {
    const page = await fetch(`${server.url}?x=1`);
    expect([
      page.status,
      page.headers.get("content-type"),
      page.headers.get("cache-control"),
      await page.text(),
    ]).toEqual([200, "text/html; charset=utf-8", "no-cache", "<p>page</p>"]);
    const script = await fetch(`${server.url}assets/a.js`);
    expect([script.headers.get("content-type"), script.headers.get("cache-control")]).toEqual([
      "text/javascript; charset=utf-8",
      "max-age=31536000, immutable",
    ]);
    expect((await fetch(server.url, { method: "POST" })).status).toBe(405);
    expect((await fetch(server.url, { method: "HEAD" })).headers.get("content-length")).toBe("11");
    expect((await fetch(`${server.url}none.js`)).status).toBe(404);
    expect((await fetch(`${server.url}assets`)).status).toBe(404);
  });

  it.each(["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/assets/../../secret", "//secret", "/%00", "/%zz"])(
    "never leaves its folder: %s",
    async (path) => {
      // A raw request: fetch would tidy the path up.
      const { port } = new URL(server.url);
      const answer = await new Promise<string>((done) => {
        let text = "";
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
        socket.on("data", (chunk) => {
          text += chunk;
        });
        socket.on("close", () => done(text));
      });
      expect(answer).toContain("404");
      expect(answer).not.toContain("\r\n\r\nsecret");
    },
  );

  it("names files by URL", () => {
    expect(fileOf("/w", "/")).toBe("/w/index.html");
    expect(fileOf("/w", "/a%20b.js?v=1")).toBe("/w/a b.js");
    expect(fileOf("/w", "/../w2/x")).toBeUndefined();
  });
});
