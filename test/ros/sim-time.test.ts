import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { tempFolder } from "../support/temp.ts";
import { diagnosed, NodeProcess, Peer, rosGraph } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const octomap = `${name}/octomap_binary`;
const frames = 12;

describe.skipIf(graph === undefined)("a bag that loops, in simulated time", () => {
  const folder = tempFolder();
  let peer: Peer;
  let node: NodeProcess;
  /** Bytes of the map after the first round. */
  let whole = 0;

  beforeAll(async () => {
    const bag = join(folder, "raw.mcap");
    await writeRawDrive(bag, frames);
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, { use_sim_time: true });
    await peer.do("load", { path: bag });
    await peer.do("advertise");
    const { type } = stereoOutputs.octomapBinary;
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    await peer.do("subscribe", { topic: octomap, type, latched: true });
    const topics = ["/left/image_rect", "/right/image_rect", "/left/camera_info", "/right/camera_info", "/tf"];
    expect(await peer.do("matched", { topics, within: 60 }), node.said).toBe(true);
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
  });

  it("takes stamps of last year for new, since /clock says so", async () => {
    const { sent, answers } = await peer.do("play", { first: 0, count: frames, sim_time: true, await_topic: octomap });
    expect(
      answers.filter((ms: number | null) => ms === null),
      node.said,
    ).toEqual([]);
    expect(await peer.do("stamps", { topic: octomap })).toEqual(sent);
    whole = (await peer.do("last", { topic: octomap })).data.length;
  });

  it("starts the map anew when the clock jumps back, says so, and goes on", async () => {
    await peer.do("forget", { topic: octomap });
    // The first pair after the jump waits until later ones show that none of its CameraInfos is still to come.
    const { sent } = await peer.do("play", { first: 0, count: 5, period: 0.2, sim_time: true });
    const came = await peer.do("latencies", { topic: octomap, stamps: sent.slice(-1) });
    expect(came[0], node.said).not.toBeNull();
    const again = (await peer.do("last", { topic: octomap })).data.length;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(whole);
    const { message, status } = await diagnosed(peer, (said) => said.message.includes("Time ran backwards"));
    expect(message).toContain("Time ran backwards");
    expect(status[0].level).toEqual([1]);
    const { answers } = await peer.do("play", { first: 5, count: 3, sim_time: true, await_topic: octomap });
    expect(
      answers.filter((ms: number | null) => ms === null),
      node.said,
    ).toEqual([]);
  });
});
