import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCdr } from "../../src/msg/codec.ts";
import { TestClient, until as waitFor } from "../support/foxglove-client.ts";
import { NodeProcess, Peer, rosGraph } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const frames = 3;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

describe.skipIf(graph === undefined)("the viewer of the live node", { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-viewer-"));
  let peer: Peer;
  let node: NodeProcess;
  let port: number;

  beforeAll(async () => {
    await writeRawDrive(join(folder, "raw.mcap"), frames);
    port = await freePort();
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, { max_input_age: "20.0", viewer_port: String(port) });
    expect(await peer.do("load", { path: join(folder, "raw.mcap") })).toBe(frames);
    await peer.do("advertise");
  });
  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("works only for who looks on, live and without a timeline", async () => {
    await waitFor(() => node.said.includes(`viewer: http://127.0.0.1:${port}/`), "the address of the page", 60_000);
    const client = await TestClient.connect(`http://127.0.0.1:${port}/`);
    await waitFor(() => client.channels.size === 8, "the topics");
    expect([client.capabilities, client.parameters.size]).toEqual([[], 0]);
    for (const topic of client.channels.keys()) client.subscribe(topic);
    // No other subscriber is there: the client alone makes the node listen to its inputs.
    expect(await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect"] })).toBe(true);
    await peer.do("play", { first: 0, count: frames, period: 1 });
    const of = (topic: string) => client.received.filter((each) => each.topic === topic);
    await waitFor(() => of("/voxelguard/status").length > 0, `a pair; the node said ${node.said}`, 60_000);
    await waitFor(() => of("/voxelguard/free_voxels").length > 0, "free space", 60_000);
    const last = (topic: string) => of(topic).at(-1)!.data;
    expect(
      decodeCdr<{ width: number }>("sensor_msgs/PointCloud2", last("/voxelguard/map_voxels")).width,
    ).toBeGreaterThan(500);
    const { data } = decodeCdr<{ data: string }>("std_msgs/String", last("/voxelguard/status"));
    expect(JSON.parse(data)).toMatchObject({ voxelSizeM: 0.5, stagesMs: { network: expect.any(Number) } });
    client.close();
  });

  it("drives on without a viewer where the port is taken, and says so", async () => {
    const second = new NodeProcess(graph!, { viewer_port: String(port) }, ["-r", "__node:=second"]);
    try {
      await waitFor(() => second.said.includes(`The viewer cannot listen on 127.0.0.1 port ${port}`), "why", 60_000);
      expect(second.said).not.toMatch(/\[error\]|refused/i);
    } finally {
      await second.stop("SIGKILL");
    }
  });
});
