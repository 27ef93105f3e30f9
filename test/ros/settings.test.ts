import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { tempFolder } from "../support/temp.ts";
import { diagnosed, NodeProcess, Peer, rosGraph, state, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const points = `${name}/points`;
const inputs = ["/left/image_rect", "/right/image_rect", "/left/camera_info", "/right/camera_info"];
const reliability = (topic: string, kind: string) => `qos_overrides.${topic}.${kind}.reliability`;

describe.skipIf(graph === undefined)("QoS overrides and the rate limit", () => {
  const folder = tempFolder();
  let peer: Peer;
  let node: NodeProcess;

  beforeAll(async () => {
    const bag = join(folder, "raw.mcap");
    await writeRawDrive(bag, 10);
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, {
      max_input_age: "20.0",
      publish_rate_limit: "2.0",
      [reliability("/left/image_rect", "subscription")]: "reliable",
      [reliability(points, "publisher")]: "best_effort",
    });
    await peer.do("load", { path: bag });
    await peer.do("advertise", { reliable: true });
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    await peer.do("subscribe", { topic: points, type: stereoOutputs.points.type, reliable: false });
    expect(await peer.do("matched", { topics: inputs, within: 60 }), node.said).toBe(true);
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
  });

  it("takes the reliability that qos_overrides say, and its own elsewhere", async () => {
    const offered = async (topic: string) => await peer.do("endpoints", { topic });
    expect((await offered("/left/image_rect")).subscribers["stereo_voxel_node"]).toEqual(["RELIABLE", "VOLATILE"]);
    expect((await offered("/right/image_rect")).subscribers["stereo_voxel_node"]).toEqual(["BEST_EFFORT", "VOLATILE"]);
    expect((await offered(points)).publishers["stereo_voxel_node"]).toEqual(["BEST_EFFORT", "VOLATILE"]);
    const { occupancyGrid } = stereoOutputs;
    const grid = (await offered(occupancyGrid.name.replace("~", name))).publishers["stereo_voxel_node"];
    expect(grid).toEqual(["RELIABLE", "TRANSIENT_LOCAL"]);
  });

  it("answers no more pairs a second than publish_rate_limit says, counts the others, and all when it is lifted", async () => {
    await peer.do("play", { first: 0, count: 40, period: 0.1 });
    const stamps: string[] = await peer.do("stamps", { topic: points });
    const apart = stamps.slice(1).map((stamp, i) => Number(BigInt(stamp) - BigInt(stamps[i]!)) / 1e9);
    expect(Math.min(...apart), node.said).toBeGreaterThan(0.48);
    expect(stamps.length).toBeGreaterThan(3);
    const { values } = await diagnosed(peer, ({ values: said }) => said["dropped_rate_limit"] !== undefined);
    expect(Number(values["dropped_rate_limit"])).toBeGreaterThan(0);

    const request = { parameters: [{ name: "publish_rate_limit", value: { type: 3, double_value: 0 } }] };
    const type = "rcl_interfaces/srv/SetParameters";
    const { results } = await peer.do("call", { service: `${name}/set_parameters`, type, request });
    expect(results[0].successful, results[0].reason).toBe(true);
    const { answers } = await peer.do("play", { first: 0, count: 3, period: 0.1, await_topic: points });
    expect(answers.filter((ms: number | null) => ms === null)).toEqual([]);
  });

  it("does not configure with a QoS policy that there is not, says which, and stays alive", async () => {
    const parameter = reliability(`/wrong${points}`, "publisher");
    const wrong = new NodeProcess(graph!, { [parameter]: "sometimes" }, ["-r", "__ns:=/wrong"]);
    await until(
      async () => wrong.said,
      (said) => said.includes("configure:"),
    );
    expect(wrong.said).toContain(
      '/wrong/stereo_voxel_node/points cannot be opened: Unknown QoS policy value: "sometimes"',
    );
    expect(wrong.said).toContain("Correct the parameters qos_overrides./wrong/stereo_voxel_node/points.*");
    expect(await state(peer, "/wrong/stereo_voxel_node")).toBe("unconfigured");
    expect((await wrong.stop()).code).toBe(0);
  });
});
