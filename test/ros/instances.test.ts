import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { NodeProcess, Peer, rosGraph, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();

describe.skipIf(graph === undefined)("two instances in namespaces", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-ros-"));
  const nodes: NodeProcess[] = [];
  const peers: Peer[] = [];

  beforeAll(async () => {
    await writeRawDrive(join(folder, "raw.mcap"), 6);
    const common = { max_input_age: "20.0", intra_op_threads: 1 };
    const compressed = { ...common, image_transport: "compressed" };
    nodes.push(new NodeProcess(graph!, compressed, ["-r", "__ns:=/stereo"]));
    const remaps = ["left/image_raw:=/left/image_rect", "right/image_raw:=/right/image_rect"];
    remaps.push(
      "left/camera_info:=/left/camera_info",
      "right/camera_info:=/right/camera_info",
      "__ns:=/rear",
      "__node:=eyes",
    );
    nodes.push(
      new NodeProcess(
        graph!,
        { ...common, image_topic: "image_raw" },
        remaps.flatMap((each) => ["-r", each]),
      ),
    );
    peers.push(new Peer(graph!), new Peer(graph!));
  });

  afterAll(async () => {
    for (const peer of peers) peer.close();
    for (const node of nodes) await node.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("each answers its own cameras: compressed images in a namespace, raw ones by remaps", async () => {
    const [first, second] = [peers[0]!, peers[1]!];
    const demo = join(import.meta.dirname, "../../demo/drive.mcap");
    const left = "/stereo/left/image_rect/compressed";
    await first.do("load", { path: demo, left });
    await first.do("advertise", { leave_out: ["/ground_truth/depth"] });
    await second.do("load", { path: join(folder, "raw.mcap") });
    await second.do("advertise", { leave_out: ["/tf", "/tf_static"] });
    const { type } = stereoOutputs.points;
    await first.do("subscribe", { topic: "/stereo/stereo_voxel_node/points", type });
    await second.do("subscribe", { topic: "/rear/eyes/points", type });
    const eyes = [left, left.replace("left", "right"), "/stereo/left/camera_info", "/stereo/right/camera_info"];
    expect(await first.do("matched", { topics: eyes }), nodes[0]!.said).toBe(true);
    const raw = ["/left/image_rect", "/right/image_rect", "/left/camera_info", "/right/camera_info"];
    expect(await second.do("matched", { topics: raw }), nodes[1]!.said).toBe(true);
    const [front, rear] = ["/stereo/stereo_voxel_node/points", "/rear/eyes/points"];
    const [played] = await Promise.all([
      first.do("play", { first: 0, count: 4, within: 30, leave_out: ["/ground_truth/depth"], await_topic: front }),
      second.do("play", { first: 0, count: 6, period: 0.5, leave_out: ["/tf", "/tf_static"] }),
    ]);
    expect(
      played.answers.filter((ms: number | null) => ms === null),
      nodes[0]!.said,
    ).toEqual([]);
    const count = await until(
      () => second.do("count", { topic: rear }),
      (n) => n >= 3,
    );
    expect(count, nodes[1]!.said).toBeGreaterThanOrEqual(3);
    expect(await first.do("stamps", { topic: front })).toEqual(played.sent);
  }, 120_000);

  it("both end with 0", async () => {
    for (const node of nodes) expect((await node.stop()).code, node.said).toBe(0);
  });
});
