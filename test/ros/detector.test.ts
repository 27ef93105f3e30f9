import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectorNodeName, detectorOutputs } from "../../src/config/detector-topics.ts";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import type { Topic } from "../../src/config/topic.ts";
import { NodeProcess, Peer, rosGraph, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const name = `/${detectorNodeName}`;
const frames = 12;
const script = join(import.meta.dirname, "../../nodes/defended_detector_node.ts");
const remaps = ["image_rect:=/left/image_rect", "camera_info:=/left/camera_info", "points:=/stereo_voxel_node/points"];
const topicOf = (output: { readonly name: string }) => output.name.replace("~", name);

/** A frame of the demo drive takes longer than its period while tests run beside: nothing may be called old. */
const patient = { max_input_age: "20.0", "evidence.wait": "5.0" };

interface Detection {
  readonly id: string;
  readonly results: readonly [{ readonly hypothesis: { readonly class_id: string; readonly score: number } }];
}

type Status = { readonly name: string; readonly message: string };

describe.skipIf(graph === undefined)("defended_detector_node beside stereo_voxel_node", () => {
  const folder = mkdtempSync(join(tmpdir(), "voxelguard-detector-"));
  const bag = join(folder, "raw.mcap");
  let peer: Peer;
  let stereo: NodeProcess;
  let detector: NodeProcess;

  const listen = ({ name: topic, type, qos }: Topic) =>
    peer.do("subscribe", { topic: topic.replace("~", name), type, reliable: qos.reliability === "reliable" });
  const statuses = async () => (await peer.do("last", { topic: stereoOutputs.diagnostics.name, within: 60 })).status;
  const setParameter = (parameter: string, value: object) =>
    peer.do("call", {
      service: `${name}/set_parameters`,
      type: "rcl_interfaces/srv/SetParameters",
      request: { parameters: [{ name: parameter, value }] },
    });
  const said = () => `${detector.said}\n${stereo.said}`;

  beforeAll(async () => {
    await writeRawDrive(bag, frames);
    peer = new Peer(graph!);
    stereo = new NodeProcess(graph!, { max_input_age: "20.0" });
    detector = new NodeProcess(
      graph!,
      patient,
      remaps.flatMap((each) => ["-r", each]),
      script,
    );
    expect(await peer.do("load", { path: bag })).toBe(frames);
    await peer.do("advertise");
  });

  afterAll(async () => {
    peer?.close();
    await stereo?.stop("SIGKILL");
    await detector?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("leaves image and voxels alone while nobody listens", async () => {
    await listen(detectorOutputs.diagnostics);
    // Both nodes publish them.
    const isOurs = ([summary]: Status[]) =>
      summary!.name.startsWith(detectorNodeName) && summary!.message.includes("idle");
    const idle = await until(statuses, isOurs, 60_000);
    expect(isOurs(idle), JSON.stringify(idle)).toBe(true);
    expect(await peer.do("matched", { topics: ["/left/image_rect"], within: 0.5 })).toBe(false);
  });

  it("answers each image with tracked objects, in pixels and in space", async () => {
    const { diagnostics: _, ...outputs } = detectorOutputs;
    for (const output of Object.values(outputs)) await listen(output);
    expect(await peer.do("matched", { topics: ["/left/image_rect", "/right/image_rect", "/left/camera_info"] })).toBe(
      true,
    );
    const every = Object.values(outputs).map(topicOf);
    const { sent, answers } = await peer.do("play", { first: 0, count: frames, await_topic: every });
    expect(answers.includes(null), said()).toBe(false);
    for (const topic of every) expect(await peer.do("stamps", { topic })).toEqual(sent);

    const flat = await peer.do("last", { topic: topicOf(outputs.detections) });
    const space = await peer.do("last", { topic: topicOf(outputs.detections3d) });
    for (const { header } of [flat, space]) expect(header.frame_id).toBe("stereo_left_optical_frame");
    const sure = (flat.detections as Detection[]).filter(({ results }) => results[0].hypothesis.score >= 0.4);
    expect(sure.map(({ results }) => results[0].hypothesis.class_id)).toContain("car");
    expect(new Set(sure.map(({ id }) => id)).size).toBe(sure.length);
    // What stands in space was seen before it: at least one car of the street, in front of the camera and of a car's size.
    const cars = space.detections.filter((each: Detection) => each.results[0].hypothesis.class_id === "car");
    expect(cars.length, JSON.stringify(space.detections)).toBeGreaterThan(0);
    for (const { bbox } of cars) {
      expect(bbox.center.position.z).toBeGreaterThan(1);
      expect(bbox.center.position.z).toBeLessThan(33);
      expect(bbox.size.y).toBeGreaterThan(0.4);
      expect(bbox.size.y).toBeLessThan(4);
    }
  });

  it("shows the mask, the defended image and the drawn one at the size of the image", async () => {
    const pictures = [detectorOutputs.patchMask, detectorOutputs.defendedImage, detectorOutputs.debugImage];
    const [mask, defended, debug] = await Promise.all(
      pictures.map((each) => peer.do("last", { topic: topicOf(each) })),
    );
    expect(mask).toMatchObject({ encoding: "mono8", width: 640, height: 360, step: 640 });
    expect(defended).toMatchObject({ encoding: "mono8", width: 640, height: 360 });
    expect(debug).toMatchObject({ encoding: "rgb8", width: 640, height: 360, step: 1920 });
    expect(new Set(Buffer.from(debug.data.hex, "hex")).size).toBeGreaterThan(20);
  });

  it("keeps ids from image to image, and begins anew after ~/reset", async () => {
    const idsNow = async () => {
      const { detections } = await peer.do("last", { topic: topicOf(detectorOutputs.detections) });
      return (detections as Detection[]).map(({ id }) => Number(id));
    };
    const before = await idsNow();
    const play = { count: 1, await_topic: topicOf(detectorOutputs.detections) };
    await peer.do("play", { first: frames - 1, ...play });
    const after = await idsNow();
    expect(after.filter((id) => before.includes(id)).length).toBeGreaterThan(0);
    await peer.do("call", { service: `${name}/reset`, type: "std_srvs/srv/Empty" });
    await peer.do("play", { first: frames - 1, ...play });
    const anew = await idsNow();
    expect(anew.filter((id) => after.includes(id)).every((id) => id <= anew.length)).toBe(true);
  });

  it("takes evidence off and on while it runs", async () => {
    const topic = topicOf(detectorOutputs.detections3d);
    const weighed = async (isOn: boolean) => {
      await setParameter("evidence.enabled", { type: 1, bool_value: isOn });
      // It gives up its inputs, and has them again when it next asks who listens.
      const held = (inputs: number) =>
        until(() => peer.do("endpoints", { topic: "/stereo_voxel_node/points" }), isOurs(inputs));
      expect(isOurs(isOn ? 1 : 0)(await held(isOn ? 1 : 0))).toBe(true);
      // Without evidence it asks for no CameraInfo, and the stereo node, to which nobody listens then, for nothing.
      const wanted = isOn ? ["/left/image_rect", "/left/camera_info"] : ["/left/image_rect"];
      expect(await peer.do("matched", { topics: wanted })).toBe(true);
      const { answers } = await peer.do("play", { first: 2, count: 3, await_topic: topic });
      expect(answers.includes(null), said()).toBe(false);
      return (await peer.do("last", { topic })).detections.length;
    };
    const isOurs =
      (inputs: number) =>
      ({ subscribers }: { subscribers: object }) =>
        Object.keys(subscribers).filter((from) => from === detectorNodeName).length === inputs;
    expect(await weighed(false)).toBe(0);
    expect(await weighed(true)).toBeGreaterThan(0);
  });

  it("says that it has no evidence when the stereo node is gone, and goes on", async () => {
    await stereo.stop("SIGKILL");
    await setParameter("evidence.wait", { type: 3, double_value: 0.05 });
    const topic = topicOf(detectorOutputs.detections);
    const { answers } = await peer.do("play", { first: 0, count: 2, await_topic: topic });
    expect(answers.includes(null), said()).toBe(false);
    const status = await until(statuses, (all: Status[]) =>
      all.some(({ message }) => message.includes("not weighed against the map")),
    );
    expect(JSON.stringify(status)).toContain("No voxels with the stamp of the image came in time");
  });

  it("ends with 0 after SIGTERM", async () => {
    expect((await detector.stop()).code, detector.said).toBe(0);
  });
});
