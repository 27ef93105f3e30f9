import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoNodeSchema } from "../../src/config/stereo-node-schema.ts";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { change, NodeProcess, Peer, rosGraph, state } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const points = `${name}/points`;
const [CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE] = [1, 2, 3, 4];
/** rcl_interfaces/msg/ParameterType */
const [BOOL, INTEGER, DOUBLE, STRING] = [1, 2, 3, 4];

describe.skipIf(graph === undefined)("lifecycle and parameters, from rclpy", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-ros-"));
  let peer: Peer;
  let node: NodeProcess;

  const set = async (parameter: string, value: object) => {
    const request = { parameters: [{ name: parameter, value }] };
    const type = "rcl_interfaces/srv/SetParameters";
    return (await peer.do("call", { service: `${name}/set_parameters`, type, request })).results[0];
  };

  beforeAll(async () => {
    const bag = join(folder, "raw.mcap");
    const file = join(folder, "parameters.yaml");
    await writeRawDrive(bag, 4);
    writeFileSync(
      file,
      "/**:\n  ros__parameters:\n    autostart: false\n    max_input_age: 20.0\n    map:\n      window: 60.0\n",
    );
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, {}, ["--params-file", file]);
    await peer.do("load", { path: bag });
    await peer.do("advertise");
    await peer.do("subscribe", { topic: points, type: stereoOutputs.points.type });
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("waits unconfigured where the file says autostart: false", async () => {
    expect(await state(peer, name), node.said).toBe("unconfigured");
  });

  it("refuses an impossible transition and stays alive", async () => {
    expect(await change(peer, name, ACTIVATE)).toBe(false);
    expect(await change(peer, name, 77)).toBe(false);
    expect(await state(peer, name)).toBe("unconfigured");
    expect(node.said).toContain("no transition 3 from the state unconfigured");
  });

  it("goes through all transitions, and answers only while active", async () => {
    const play = { first: 0, count: 1, await_topic: points };
    expect(await change(peer, name, CONFIGURE), node.said).toBe(true);
    expect(await state(peer, name)).toBe("inactive");
    expect(await peer.do("matched", { topics: ["/left/image_rect"], within: 1 })).toBe(false);
    for (let round = 0; round < 2; round += 1) {
      expect(await change(peer, name, ACTIVATE)).toBe(true);
      expect(await state(peer, name)).toBe("active");
      expect(await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect", "/left/camera_info"] })).toBe(
        true,
      );
      expect((await peer.do("play", play)).answers[0], node.said).toBeGreaterThan(0);
      expect(await change(peer, name, DEACTIVATE)).toBe(true);
      expect((await peer.do("play", { ...play, within: 1 })).answers).toEqual([null]);
    }
    expect(await change(peer, name, CLEANUP)).toBe(true);
    expect(await state(peer, name)).toBe("unconfigured");
  });

  it("describes each parameter with its text, range and whether it may change", async () => {
    const names = Object.keys(stereoNodeSchema);
    const type = "rcl_interfaces/srv/DescribeParameters";
    const { descriptors } = await peer.do("call", { service: `${name}/describe_parameters`, type, request: { names } });
    expect(descriptors).toHaveLength(names.length);
    for (const descriptor of descriptors) {
      const parameter = stereoNodeSchema[descriptor.name as keyof typeof stereoNodeSchema];
      expect(descriptor.description).toContain(parameter.doc);
      expect(descriptor.read_only).toBe(!("live" in parameter));
      const range = [...descriptor.floating_point_range, ...descriptor.integer_range][0];
      if ("min" in parameter) expect(range).toMatchObject({ from_value: parameter.min, to_value: parameter.max });
      else expect(range).toBeUndefined();
    }
  });

  it("takes values from the file and within their ranges, and refuses others with the reason", async () => {
    const type = "rcl_interfaces/srv/GetParameters";
    const request = { names: ["map.window", "max_input_age", "max_range"] };
    const { values } = await peer.do("call", { service: `${name}/get_parameters`, type, request });
    expect(values.map((value: { double_value: number }) => value.double_value)).toEqual([60, 20, 32]);

    expect(await set("min_height", { type: DOUBLE, double_value: 0.25 })).toEqual({ successful: true, reason: "" });
    const reasons = [
      (await set("max_range", { type: DOUBLE, double_value: 500 })).reason,
      (await set("max_range", { type: STRING, string_value: "far" })).reason,
      (await set("max_range", { type: INTEGER, integer_value: 20 })).reason,
      (await set("max_markers", { type: INTEGER, integer_value: -1 })).reason,
      (await set("voxel_size", { type: DOUBLE, double_value: 0.1 })).reason,
      (await set("max_rang", { type: BOOL, bool_value: true })).reason,
    ];
    expect(reasons).toEqual([
      "max_range is 500, wanted a number from 0.1 to 200 m",
      'max_range is "far", wanted a number from 0.1 to 200 m',
      "max_range is the integer 20, wanted a double: write 20.0",
      "max_markers is -1, wanted a whole number from 0 to 200000",
      "voxel_size is read at the start only: set it in the parameter file and start the node again",
      "max_rang is not a parameter of this node; did you mean max_range?",
    ]);
  });

  it("lets a live parameter hold from the next pair on", async () => {
    expect(await change(peer, name, CONFIGURE)).toBe(true);
    expect(await change(peer, name, ACTIVATE)).toBe(true);
    await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect", "/left/camera_info"] });
    const width = async () => {
      const { answers } = await peer.do("play", { first: 2, count: 1, await_topic: points });
      expect(answers[0], node.said).toBeGreaterThan(0);
      return (await peer.do("last", { topic: points })).width;
    };
    const far = await width();
    expect((await set("max_range", { type: DOUBLE, double_value: 6 })).successful).toBe(true);
    expect(await width()).toBeLessThan(far);
    expect((await set("max_range", { type: DOUBLE, double_value: 32 })).successful).toBe(true);
    expect(await width()).toBe(far);
  });

  it("ends with 0 after SIGINT", async () => {
    expect((await node.stop("SIGINT")).code, node.said).toBe(0);
  });

  it("ends with 2 and says what is wrong with a parameter of the command line", async () => {
    const wrong = new NodeProcess(graph!, { voxel_size: "50.0" });
    expect(await wrong.ended).toBe(2);
    expect(wrong.said).toContain("voxel_size is 50, wanted a number from 0.02 to 2 m");
  });
});
