import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { diagnosed, NodeProcess, Peer, rosGraph } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const points = `${name}/points`;
const infos = ["/left/camera_info", "/right/camera_info"];
const images = ["/left/image_rect", "/right/image_rect"];
const frames = 30;

describe.skipIf(graph === undefined)("faults on the graph", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-ros-"));
  let peer: Peer;
  let node: NodeProcess;

  const play = (values: object) => peer.do("play", { first: 0, count: 1, ...values });

  beforeAll(async () => {
    const bag = join(folder, "raw.mcap");
    await writeRawDrive(bag, frames);
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, { max_input_age: "4.0" }, [], join(import.meta.dirname, "mortal-node.ts"));
    await peer.do("load", { path: bag });
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    await peer.do("subscribe", { topic: points, type: stereoOutputs.points.type });
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("names the topic that nobody publishes", async () => {
    const { message, status } = await diagnosed(peer, (said) => said.message.includes("Nobody publishes"), 60_000);
    expect(message, node.said).toContain("Nobody publishes the left image on /left/image_rect");
    expect(status[0].level).toEqual([3]);
    await peer.do("advertise", { leave_out: [...infos, "/tf", "/tf_static"] });
    expect(await peer.do("matched", { topics: images })).toBe(true);
  });

  it("waits for CameraInfo that comes late, and says that it does", async () => {
    const leave_out = [...infos, "/tf", "/tf_static"];
    await play({ count: 6, leave_out });
    const { message } = await diagnosed(peer, (said) => said.message.includes("CameraInfo on /left"));
    expect(message).toContain("Nobody publishes the left CameraInfo on /left/camera_info");
    expect(await peer.do("count", { topic: points })).toBe(0);
    await peer.do("advertise", { leave_out: ["/tf", "/tf_static"] });
    expect(await peer.do("matched", { topics: infos })).toBe(true);
    const { answers } = await play({ first: 6, count: 2, leave_out: ["/tf", "/tf_static"], await_topic: points });
    expect(answers[1], node.said).toBeGreaterThan(0);
  });

  it("maps single pairs without /tf, says so, and uses the poses as soon as they come", async () => {
    const without = await diagnosed(peer, (said) => said.message.includes("tf:"));
    expect(without.message).toMatch(/tf: No pose of the camera: .*odom/);
    expect(without.status[0].level).toEqual([1]);
    await peer.do("advertise");
    expect(await peer.do("matched", { topics: ["/tf", "/tf_static"] })).toBe(true);
    await play({ first: 8, count: 3, await_topic: points });
    const later = await diagnosed(peer, (said) => !said.message.includes("tf:"));
    expect(later.message).not.toContain("tf:");
  });

  it("makes nothing of images 40 ms apart, and names the topic, its QoS and the difference", async () => {
    await peer.do("forget", { topic: points });
    await play({ first: 0, count: 14, right_late: 0.04 });
    const { message, status } = await diagnosed(peer, (said) => said.message.includes("sync:"));
    expect(message, node.said).toContain(
      "the right image arrives on /right/image_rect with BEST_EFFORT QoS 40 ms after left; approximate_sync is off",
    );
    expect(status[0].level).toEqual([2]);
    expect(await peer.do("count", { topic: points })).toBe(0);
    const { answers } = await play({ first: 14, count: 2, await_topic: points });
    expect(answers[1], node.said).toBeGreaterThan(0);
    expect((await diagnosed(peer, (said) => !said.message.includes("sync:"))).message).not.toContain("sync:");
  });

  it("says which camera died, counts as stale, and goes on when it returns", async () => {
    await peer.do("unadvertise", { topics: ["/right/image_rect"] });
    await play({ first: 0, count: 45, leave_out: ["/right/image_rect", "/tf_static"], period: 0.1 }).catch(() => {});
    const dead = await diagnosed(peer, (said) => said.message.includes("Nobody publishes the right image"));
    expect(dead.message, node.said).toMatch(/Nobody publishes the right image on \/right\/image_rect any more/);
    await peer.do("advertise");
    await peer.do("matched", { topics: images });
    const { answers } = await play({ first: 0, count: 2, await_topic: points });
    expect(answers[1], node.said).toBeGreaterThan(0);
  });

  it("names a subscriber whose QoS does not match", async () => {
    await peer.do("subscribe", {
      topic: `${name}/points_clearing`,
      type: stereoOutputs.pointsClearing.type,
      latched: true,
    });
    const { message } = await diagnosed(peer, (said) => said.message.includes("/peer subscribes"));
    expect(message).toContain("/peer subscribes to /stereo_voxel_node/points_clearing and gets nothing");
    expect(message).toContain("VOLATILE");
    await peer.do("unsubscribe", { topic: `${name}/points_clearing` });
  });

  it("publishes nothing for pairs that are too old, says so while they come, and goes on with new ones", async () => {
    await peer.do("forget", { topic: points });
    await play({ count: 15, age: 10 });
    const { message, status } = await diagnosed(peer, (said) => said.message.includes("The newest pair"));
    expect(message, node.said).toMatch(/The newest pair is 1\d{4}\.\d* ms old, wanted at most 4 s \(max_input_age\)/);
    expect(status[0].level).toEqual([3]);
    expect(await peer.do("count", { topic: points })).toBe(0);
    const { answers } = await play({ first: 15, count: 2, await_topic: points });
    expect(answers[1], node.said).toBeGreaterThan(0);
    const later = await diagnosed(peer, (said) => !said.message.includes("The newest pair"));
    expect(later.message).not.toContain("The newest pair");
    expect(Number(later.values["dropped_stale"])).toBeGreaterThan(0);
  });

  // Again where others took the machine meanwhile: through tsx a start costs about 0.8 s of CPU time, built 0.2 s.
  it("starts a dead worker again within 2 s, and reports the pair that was lost", { retry: 2 }, async () => {
    const before = await diagnosed(peer, () => true);
    const lost = Number(before.values["dropped_model_failed"] ?? 0);
    const playing = play({ count: 50, leave_out: ["/tf"] });
    setTimeout(() => node.signal("SIGUSR2"), 1000);
    const { sent } = await playing;
    const latencies: (number | null)[] = await peer.do("latencies", { topic: points, stamps: sent });
    const cameMs = latencies.flatMap((ms, n) => (ms === null ? [] : Number(BigInt(sent[n]!) / 1000n) / 1000 + ms));
    const gapsMs = cameMs.slice(1).map((ms, n) => ms - cameMs[n]!);
    expect(node.said).toContain("The model's worker died");
    expect(Math.max(...gapsMs), node.said).toBeLessThan(2000);
    const after = await diagnosed(peer, ({ values }) => Number(values["dropped_model_failed"]) > lost);
    expect(Number(after.values["dropped_model_failed"])).toBe(lost + 1);
  });

  it("ends with 0 after SIGTERM in the middle of a pair", async () => {
    const playing = play({ first: 18, count: 12, period: 0.05 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { code, ms } = await node.stop("SIGTERM");
    await playing;
    expect(code, node.said).toBe(0);
    expect(ms).toBeLessThan(2000);
  });
});
