import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { readOctomapFile } from "../../src/octree/octomap-file.ts";
import { readOctomapBinary } from "../../src/octree/octomap-read.ts";
import { readOctomapFull } from "../../src/octree/octomap-read-full.ts";
import { liboctomapProgram, runLiboctomap } from "../octree/liboctomap.ts";
import { NodeProcess, Peer, rosGraph, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const program = liboctomapProgram();
const name = "/stereo_voxel_node";
const frames = 3;
const { octomapBinary, octomapFull, depth, disparity } = stereoOutputs;

describe.skipIf(graph === undefined)("depth, disparity, whole octomap and map services on a graph", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-outputs-"));
  const bag = join(folder, "raw.mcap");
  let peer: Peer;
  let node: NodeProcess;

  const topicOf = (output: { readonly name: string }) => output.name.replace("~", name);
  const listen = ({ name: topic, type, qos }: typeof octomapFull | typeof depth | typeof disparity) =>
    peer.do("subscribe", {
      topic: topic.replace("~", name),
      type,
      latched: qos.durability === "transient_local",
      reliable: qos.reliability === "reliable",
    });
  const setPath = async (path: string, parameter = "save_map_path") => {
    const value = { type: 4, string_value: path };
    const { results } = await peer.do("call", {
      service: `${name}/set_parameters`,
      type: "rcl_interfaces/srv/SetParameters",
      request: { parameters: [{ name: parameter, value }] },
      within: 60,
    });
    expect(results[0].successful).toBe(true);
  };
  const save = () => peer.do("call", { service: `${name}/save_map`, type: "std_srvs/srv/Trigger", within: 60 });

  beforeAll(async () => {
    await writeRawDrive(bag, frames);
    peer = new Peer(graph!);
    node = new NodeProcess(graph!, { max_input_age: "20.0", max_range: "20.0" });
    expect(await peer.do("load", { path: bag })).toBe(frames);
    await peer.do("advertise");
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("saves nothing of an empty map, and says why", async () => {
    await setPath(join(folder, "early.bt"));
    const { success, message } = await save();
    expect(success, node.said).toBe(false);
    expect(message).toContain("The map is empty");
    expect(existsSync(join(folder, "early.bt"))).toBe(false);
  });

  it("publishes depth and disparity of the left image to sensor_data subscribers", async () => {
    const outputs = [octomapFull, depth, disparity];
    for (const output of outputs) await listen(output);
    expect(await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect"] })).toBe(true);
    const { sent, answers } = await peer.do("play", { first: 0, count: frames, await_topic: outputs.map(topicOf) });
    expect(answers.includes(null), node.said).toBe(false);
    expect(await peer.do("stamps", { topic: topicOf(depth) })).toEqual(sent);
    const metres = await peer.do("last", { topic: topicOf(depth) });
    const { image, ...found } = await peer.do("last", { topic: topicOf(disparity) });
    expect(metres).toMatchObject({ encoding: "32FC1", is_bigendian: 0, step: metres.width * 4 });
    expect(metres.header.frame_id).toBe("stereo_left_optical_frame");
    expect(image).toMatchObject({ encoding: "32FC1", width: metres.width, height: metres.height });
    expect(found).toMatchObject({ min_disparity: 0, max_disparity: 192, header: metres.header });
    const [z, d] = [floatsOf(metres), floatsOf(image)];
    expect([z.length, d.length]).toEqual(Array(2).fill(metres.width * metres.height));
    const kinds = { near: 0, far: 0, unsure: 0 };
    for (const [i, value] of d.entries()) {
      const expected = (found.f * found.t) / value;
      if (value < 0) {
        expect(z[i]).toBeNaN();
        kinds.unsure += 1;
      } else if (expected > 20) {
        expect(z[i]).toBe(Number.POSITIVE_INFINITY);
        kinds.far += 1;
      } else {
        expect(Math.abs(z[i]! - expected)).toBeLessThan(1e-3);
        kinds.near += 1;
      }
    }
    // The demo drive is a street: most of it is near and certain, the sky is not.
    for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(1000);
    expect(kinds.near).toBeGreaterThan(kinds.unsure);
  });

  it.skipIf(program === undefined)(
    "publishes the log-odds as liboctomap reads them, with the states of the binary map",
    async () => {
      const full = await peer.do("last", { topic: topicOf(octomapFull) });
      expect(full).toMatchObject({ binary: false, id: "OcTree", resolution: 0.5, header: { frame_id: "odom" } });
      const cells = (command: string, data: Buffer) =>
        runLiboctomap(program!, [command], data).toString().split("\n").filter(Boolean);
      const logOdds = cells("read-full", Buffer.from(full.data.hex, "hex"));
      expect(logOdds.length).toBeGreaterThan(5000);
      const states = logOdds.map((line) => line.replace(/\S+$/, (value) => (Number(value) >= 0 ? "o" : "f"))).sort();
      const answer = await peer.do("call", { service: `${name}/octomap_binary`, type: "octomap_msgs/srv/GetOctomap" });
      expect(answer.map).toMatchObject({ binary: true, id: "OcTree", resolution: 0.5, header: full.header });
      expect(cells("read-binary", Buffer.from(answer.map.data.hex, "hex")).sort()).toEqual(states);
    },
  );

  it("saves the map as .bt and .ot", async () => {
    const { map } = await peer.do("call", { service: `${name}/octomap_binary`, type: "octomap_msgs/srv/GetOctomap" });
    await setPath(join(folder, "map.bt"));
    const bt = await save();
    expect(bt, node.said).toMatchObject({ success: true });
    const { resolutionM, leaves } = readOctomapFile(readFileSync(join(folder, "map.bt")));
    expect(resolutionM).toBe(0.5);
    expect(leaves).toEqual(readOctomapBinary(Buffer.from(map.data.hex, "hex")));
    await setPath(join(folder, "map.ot"));
    expect(await save()).toMatchObject({ success: true });
    const full = await peer.do("last", { topic: topicOf(octomapFull) });
    const file = readFileSync(join(folder, "map.ot"));
    expect(file.subarray(-full.data.length).toString("hex")).toBe(full.data.hex);
  });

  const load = async (path: string) => {
    await setPath(path, "load_map_path");
    return await peer.do("call", { service: `${name}/load_map`, type: "std_srvs/srv/Trigger", within: 60 });
  };
  const clear = (min: object, max: object) =>
    peer.do("call", {
      service: `${name}/clear_bbox`,
      type: "octomap_msgs/srv/BoundingBoxQuery",
      request: { min, max },
      within: 60,
    });
  /** The newest octomap_full that is not `before`, as hexadecimal digits. */
  const published = async (before?: string): Promise<string> => {
    const topic = topicOf(octomapFull);
    const { data } = await until(
      () => peer.do("last", { topic }),
      (last) => last.data.hex !== before,
    );
    return data.hex ?? Buffer.from(data).toString("hex");
  };

  it("clears a box and publishes the map without it; a box that is none clears nothing", async () => {
    const whole = await published();
    const corner = (x: number, y: number, z: number) => ({ x, y, z });
    await clear(corner(-10, -100, -100), corner(10, 100, 100));
    const rest = await published(whole);
    const cellsIn = (hex: string) => {
      const { keys, depth, count } = readOctomapFull(Buffer.from(hex, "hex"));
      let inside = 0;
      for (let i = 0; i < count; i += 1) {
        const fromM = (keys[i * 3]! - 32768) * 0.5;
        if (fromM < 10 && fromM + 2 ** (16 - depth[i]!) * 0.5 > -10) inside += 1;
      }
      return { inside, outside: count - inside };
    };
    expect(cellsIn(whole).inside, node.said).toBeGreaterThan(100);
    expect(cellsIn(rest).inside).toBe(0);
    expect(cellsIn(rest).outside).toBeGreaterThan(100);
    await clear(corner(10, 0, 0), corner(-10, 0, 0));
    await until(
      async () => node.said,
      (said) => said.includes("clear_bbox was asked for the box from (10, 0, 0)"),
    );
    expect(node.said).toContain("clear_bbox was asked for the box from (10, 0, 0) to (-10, 0, 0) m");
    expect(await published()).toBe(rest);
  });

  it("loads a saved map and publishes it like any other", async () => {
    const cleared = await published();
    const answer = await load(join(folder, "map.ot"));
    expect(answer, node.said).toMatchObject({ success: true });
    expect(answer.message).toMatch(/map\.ot: \d+ cells of 0\.5 m$/);
    const loaded = await published(cleared);
    expect(readFileSync(join(folder, "map.ot")).toString("hex").endsWith(loaded)).toBe(true);
  });

  it.each([
    ["is not there", undefined, "cannot be read on the machine of the node"],
    ["is cut", (file: Buffer) => file.subarray(0, -7), "inside the tree"],
    ["has another resolution", (file: Buffer) => replaced(file, "res 0.5", "res 0.2"), "cells of 0.2 m; wanted 0.5 m"],
  ])("refuses a file that %s, and keeps the map", async (_, spoil, text) => {
    const before = await peer.do("call", {
      service: `${name}/octomap_binary`,
      type: "octomap_msgs/srv/GetOctomap",
    });
    const path = join(folder, `${text.length}.ot`);
    if (spoil !== undefined) writeFileSync(path, spoil(readFileSync(join(folder, "map.ot"))));
    const { success, message } = await load(path);
    expect(success).toBe(false);
    expect(message).toContain(text);
    const after = await peer.do("call", { service: `${name}/octomap_binary`, type: "octomap_msgs/srv/GetOctomap" });
    expect(after.map.data).toEqual(before.map.data);
  });

  it("takes a map before the first pair, which then builds on it", async () => {
    await peer.do("call", { service: `${name}/reset`, type: "std_srvs/srv/Empty" });
    const { success, message } = await load(join(folder, "map.ot"));
    expect(success, node.said).toBe(true);
    expect(message).toContain("goes into the map with the first pair");
    const topic = topicOf(octomapFull);
    const { answers } = await peer.do("play", { first: 0, count: 1, await_topic: topic });
    expect(answers[0], node.said).toBeGreaterThan(0);
    const saved = readOctomapFile(readFileSync(join(folder, "map.ot"))).leaves;
    const first = readOctomapFull(Buffer.from(await published(), "hex"));
    // The pair alone gives some of it, and moves cells that were pruned before.
    expect(first.count).toBeGreaterThan(0.9 * saved.count);
  });

  it.each([
    ["", "save_map_path is empty"],
    ["map.bt", "wanted a path from the root"],
    ["/nowhere/at/all/map.bt", "There is no folder /nowhere/at/all"],
    [join(tmpdir(), "map.pcd"), "does not say in which format"],
    ["/proc/map.bt", "Cannot write /proc/map.bt"],
  ])("refuses to save to %o", async (path, reason) => {
    await setPath(path);
    const { success, message } = await save();
    expect(success).toBe(false);
    expect(message).toContain(reason);
  });

  it("answers on when only the map is wanted", async () => {
    for (const output of [depth, disparity, octomapFull]) await peer.do("unsubscribe", { topic: topicOf(output) });
    await listen(octomapBinary as never);
    expect(await peer.do("matched", { topics: ["/left/image_rect"] })).toBe(true);
    const topic = topicOf(octomapBinary);
    const { answers } = await peer.do("play", { first: 0, count: 1, await_topic: topic });
    expect(answers[0], node.said).toBeGreaterThan(0);
  });
});

describe.skipIf(graph === undefined)("without octomap_msgs", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-bare-"));
  let peer: Peer;
  let node: NodeProcess;

  beforeAll(() => {
    const prefixes = graph!.variables["AMENT_PREFIX_PATH"] ?? process.env["AMENT_PREFIX_PATH"]!;
    const path = prefixesWithout("octomap_msgs", prefixes.split(":"), folder);
    const bare = { ...graph!, variables: { ...graph!.variables, AMENT_PREFIX_PATH: path } };
    peer = new Peer(graph!);
    node = new NodeProcess(bare);
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts, says which outputs are off, and has the others", async () => {
    await until(
      async () => node.said,
      (said) => said.includes("octomap_full is off"),
      60_000,
    );
    for (const output of ["~/octomap_binary", "~/octomap_full"]) {
      expect(node.said).toContain(`${output} is off: the message package octomap_msgs is not in AMENT_PREFIX_PATH`);
    }
    expect(node.said).toContain("octomap-msgs");
    expect(node.said).not.toContain("~/points is off");
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    const { status } = await peer.do("last", { topic: "/diagnostics", within: 60 });
    expect(status[0].message, node.said).toContain("active");
  });
});

function replaced(file: Buffer, from: string, to: string): Buffer {
  return Buffer.from(file.toString("latin1").replace(from, to), "latin1");
}

function floatsOf({ data }: { readonly data: { readonly hex: string } }): Float32Array {
  const bytes = Buffer.from(data.hex, "hex");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** AMENT_PREFIX_PATH of the same packages but one: where a prefix has it, a folder of links to the others stands in. */
function prefixesWithout(name: string, prefixes: readonly string[], folder: string): string {
  const kept = prefixes.map((prefix, n) => {
    if (!existsSync(join(prefix, "share", name))) return prefix;
    const share = join(folder, String(n), "share");
    mkdirSync(share, { recursive: true });
    for (const other of readdirSync(join(prefix, "share"))) {
      if (other !== name) symlinkSync(join(prefix, "share", other), join(share, other));
    }
    return join(folder, String(n));
  });
  expect(kept).not.toEqual(prefixes);
  return kept.join(":");
}
