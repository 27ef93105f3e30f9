import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import { tempFolder } from "../support/temp.ts";
import { change, NodeProcess, Peer, rosGraph, state, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const points = `${name}/points`;
const [CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE] = [1, 2, 3, 4];
const cycles = 50;
/** Cycles until all that is made once is there: libraries, thread stacks, compiled code. */
const warm = 5;
/** Every so many cycles a pair is answered. */
const pairEvery = 10;

describe.skipIf(graph === undefined)("memory over the lifecycle", () => {
  const folder = tempFolder();
  let peer: Peer;
  let node: NodeProcess;

  beforeAll(async () => {
    const bag = join(folder, "raw.mcap");
    await writeRawDrive(bag, 2);
    peer = new Peer(graph!);
    const script = join(import.meta.dirname, "collecting-node.ts");
    // By default glibc gives the threads of each new model heaps of their own, up to 16 here: they fill over some 20
    // cycles, which is no leak and would hide a small one.
    const variables = { ...graph!.variables, MALLOC_ARENA_MAX: "2" };
    node = new NodeProcess({ ...graph!, variables }, { max_input_age: "20.0", autostart: false }, [], script);
    await peer.do("load", { path: bag });
    await peer.do("advertise");
    await peer.do("subscribe", { topic: points, type: stereoOutputs.points.type });
    expect(await state(peer, name), node.said).toBe("unconfigured");
  });

  afterAll(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
  });

  /** Resident memory without garbage, MB. */
  const usedMb = async () => {
    const times = () => node.said.split("collected\n").length;
    const before = times();
    node.signal("SIGUSR2");
    await until(
      async () => times(),
      (now) => now > before,
    );
    return node.rssMb;
  };

  it(`gives the model's memory back at cleanup, and holds no more after ${cycles} cycles than after ${warm}`, async () => {
    const up: number[] = [];
    const down: number[] = [];
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      for (const transition of [CONFIGURE, ACTIVATE])
        expect(await change(peer, name, transition), node.said).toBe(true);
      if (cycle % pairEvery === 0) {
        await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect", "/left/camera_info"] });
        const { answers } = await peer.do("play", { first: 0, count: 1, await_topic: points });
        expect(answers[0], node.said).toBeGreaterThan(0);
      }
      expect(await change(peer, name, DEACTIVATE), node.said).toBe(true);
      up.push(await usedMb());
      expect(await change(peer, name, CLEANUP), node.said).toBe(true);
      down.push(await usedMb());
    }
    const text = down.map((mb) => mb.toFixed(0)).join(" ");
    expect(median(down.slice(-5)) / median(down.slice(warm, warm + 5)), text).toBeLessThan(1.05);
    const freed = up.map((mb, cycle) => mb - down[cycle]!);
    expect(median(freed), freed.map((mb) => mb.toFixed(0)).join(" ")).toBeGreaterThan(20);
  }, 180_000);
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
