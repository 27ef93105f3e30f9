import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { diagnosed, NodeProcess, Peer, rosGraph, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";
import { replayedMap } from "./replayed-map.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const frames = 12;
const maps = ["points", "points_clearing", "octomap_binary", "occupancy_grid"];

describe.skipIf(graph === undefined)("stereo_voxel_node on a graph", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-ros-"));
  const bag = join(folder, "raw.mcap");
  let peer: Peer;
  let node: NodeProcess;

  beforeAll(async () => {
    await writeRawDrive(bag, frames);
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, { max_input_age: "20.0" });
    expect(await peer.do("load", { path: bag })).toBe(frames);
    await peer.do("advertise");
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("leaves the images alone while nobody listens, and says so", async () => {
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    const { status } = await diagnosed(peer, ({ message }) => message.includes("idle"), 60_000);
    expect(status[0], node.said).toMatchObject({ level: [0], name: "stereo_voxel_node: inference" });
    expect(status[0].message).toBe("active; idle, since nobody subscribes to an output");
    expect(await peer.do("matched", { topics: ["/left/image_rect"], within: 0.5 })).toBe(false);
  });

  it("answers each pair on four topics, with the stamp of the left image and the right frames", async () => {
    for (const output of maps) {
      const { type, qos } = Object.values(stereoOutputs).find((each) => each.name === `~/${output}`)!;
      const latched = qos.durability === "transient_local";
      await peer.do("subscribe", { topic: `${name}/${output}`, type, latched });
    }
    const topics = ["/left/image_rect", "/right/image_rect", "/left/camera_info", "/right/camera_info", "/tf"];
    expect(await peer.do("matched", { topics })).toBe(true);
    const every = maps.map((output) => `${name}/${output}`);
    const { sent, answers } = await peer.do("play", { first: 0, count: frames, await_topic: every });
    expect(
      answers.filter((ms: number | null) => ms === null),
      node.said,
    ).toEqual([]);
    for (const topic of every) expect(await peer.do("stamps", { topic })).toEqual(sent);
    const heads = await Promise.all(every.map((topic) => peer.do("last", { topic })));
    const frameIds = heads.map(({ header }) => header.frame_id);
    expect(frameIds).toEqual(["stereo_left_optical_frame", "stereo_left_optical_frame", "odom", "odom"]);
    expect(heads[0].width).toBeGreaterThan(0);
    expect(heads[1].width).toBeGreaterThan(0);
    expect(heads[2]).toMatchObject({ binary: true, id: "OcTree", resolution: 0.5 });
    expect(heads[3].data.length).toBe(heads[3].info.width * heads[3].info.height);
  });

  it("makes the same map as replay of the same bag", async () => {
    const octomap = await peer.do("last", { topic: `${name}/octomap_binary` });
    const replayed = await replayedMap(bag);
    expect(replayed.length).toBeGreaterThan(1000);
    expect(Buffer.from(octomap.data.hex, "hex").equals(replayed)).toBe(true);
  });

  it("tells rate, latency, drops and the model once a second", async () => {
    await peer.do("forget", { topic: "/diagnostics" });
    const { values } = await diagnosed(peer, () => true);
    expect(values).toMatchObject({ state: "active", pairs_seen: `${frames}`, pairs_processed: `${frames}` });
    expect(Number(values["latency_p50_ms"])).toBeGreaterThan(0);
    expect(values["model_sha256"]).toMatch(/^[0-9a-f]{64}$/);
    expect(values).toHaveProperty("tf_age_ms");
    expect(values).toHaveProperty("sync_misses", "0");
  });

  it("empties the map on ~/reset, and rests while ~/enable is false", async () => {
    const topic = `${name}/octomap_binary`;
    const whole = (await peer.do("last", { topic })).data.length;
    await peer.do("call", { service: `${name}/reset`, type: "std_srvs/srv/Empty" });
    const { answers } = await peer.do("play", { first: 0, count: 1, await_topic: topic });
    expect(answers[0], node.said).toBeGreaterThan(0);
    expect((await peer.do("last", { topic })).data.length).toBeLessThan(whole);

    const enable = { service: `${name}/enable`, type: "std_srvs/srv/SetBool" };
    expect((await peer.do("call", { ...enable, request: { data: false } })).success).toBe(true);
    const paused = await diagnosed(peer, ({ message }) => message.includes("paused"));
    expect(paused.message).toBe("active; paused by ~/enable");
    expect(await peer.do("matched", { topics: ["/left/image_rect"], within: 0.01 })).toBe(false);
    expect((await peer.do("call", { ...enable, request: { data: true } })).success).toBe(true);
    expect(await peer.do("matched", { topics: ["/left/image_rect"] })).toBe(true);
  });

  it("goes idle again when the last subscriber leaves", async () => {
    for (const output of maps) await peer.do("unsubscribe", { topic: `${name}/${output}` });
    const isHeard = await until(
      () => peer.do("matched", { topics: ["/left/image_rect"], within: 0.01 }),
      (heard) => !heard,
    );
    expect(isHeard).toBe(false);
  });

  it.each(["SIGTERM"] as const)("ends with 0 after %s", async (signal) => {
    const { code, ms } = await node.stop(signal);
    expect(code, node.said).toBe(0);
    expect(ms).toBeLessThan(2000);
  });
});
