import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { plainInfo } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import type { StampedImage } from "../core/image.ts";
import { StageTimes } from "../core/stage-times.ts";
import type { TrackedObject } from "../detect/objects.ts";
import { decodeCdr } from "../msg/codec.ts";
import { detections3dMessage, detectionsMessage, patchMaskMessage } from "./detect-outputs.ts";
import { type DetectOptions, type DetectStep, LiveDetect, type Looked } from "./live-detect.ts";

const classes = ["person"];
const frameId = "left_optical";
const info = {
  ...plainInfo,
  width: 64,
  height: 48,
  distortionModel: "plumb_bob",
  d: [],
  k: [50, 0, 32, 0, 50, 24, 0, 0, 1],
  r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  p: [50, 0, 32, 0, 0, 50, 24, 0, 0, 0, 1, 0],
};
const seconds = (at: number) => BigInt(Math.round(at * 1e9));
const imageAt = (at: number): StampedImage => ({
  stampNs: seconds(at),
  frameId,
  image: { width: 64, height: 48, channels: 1, data: new Uint8Array(64 * 48) },
});
/** A post of voxels 4 m ahead, as high as the box of `person`. */
const cloudAt = (at: number, frame = frameId) => {
  const heights = [-0.75, -0.25, 0.25, 0.75];
  const xyz = Float32Array.from(heights.flatMap((y) => [0.25, y, 4, -0.25, y, 4]));
  return { stampNs: seconds(at), frameId: frame, count: 2 * heights.length, xyz };
};
const person: Looked = {
  count: 1,
  boxes: Float32Array.of(28, 14, 37, 35),
  scores: Float32Array.of(0.9),
  classes: Uint16Array.of(0),
  masks: [[2.5, 3, 5, 6]],
  stagesMs: { network: 7 },
};
const nobody: Looked = { ...person, count: 0, masks: [] };

function makeDetect(change: Partial<DetectOptions> = {}) {
  const asked: number[] = [];
  const answers: ((answer: Looked | Error) => void)[] = [];
  const steps: DetectStep[] = [];
  const givenUp: (() => void)[] = [];
  const health = new Health();
  const basis = {
    beginScore: 0.4,
    patienceS: 0.5,
    holdS: 5,
    demotes: true,
    evidence: true,
    voxelSizeM: 0.5,
    rangeM: 32,
  };
  const detect = new LiveDetect(
    {
      classes,
      options: { ...basis, ...change },
      look: (_, stampNs) => {
        asked.push(Number(stampNs) / 1e9);
        return new Promise((resolve, reject) => {
          answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
        });
      },
      patience: () => new Promise((resolve) => givenUp.push(resolve)),
      refuses: (stampNs) => (stampNs < 0n ? "stale" : undefined),
      // What is in it is used again for the next image.
      onStep: (step) => void steps.push({ ...step, objects: step.objects.map(copied) }),
    },
    health,
    new StageTimes(() => 0),
  );
  const answer = async (with_: Looked | Error) => {
    answers.shift()!(with_);
    await settled();
  };
  const giveUp = async () => {
    for (const resolve of givenUp.splice(0)) resolve();
    await settled();
  };
  return { detect, asked, steps, health, answer, giveUp };
}

function copied(object: TrackedObject): TrackedObject {
  return { ...object, track: { ...object.track, box: object.track.box.slice() } };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await turn();
}

describe("live detection", () => {
  it("takes the newest image next while the detector is busy, and counts those in between", async () => {
    const { detect, asked, steps, answer } = makeDetect({ evidence: false });
    for (const at of [1, 2, 3, 4]) {
      detect.pushImage(imageAt(at));
      await settled();
    }
    await answer(person);
    await answer(person);
    expect(asked).toEqual([1, 4]);
    expect(steps.map(({ image }) => image.stampNs)).toEqual([seconds(1), seconds(4)]);
    expect(detect.counts).toEqual({ seen: 4, processed: 2, weighed: 0, dropped: { newer_image: 2 } });
    await detect.stop();
  });

  it("waits for the voxels of the image's moment, before or after the detector's answer", async () => {
    const { detect, steps, answer, health } = makeDetect();
    detect.pushInfo(info);
    detect.pushImage(imageAt(1));
    await settled();
    detect.pushPoints(cloudAt(0.9));
    await answer(person);
    expect(steps).toEqual([]);
    detect.pushPoints(cloudAt(1));
    await settled();
    expect(steps[0]).toMatchObject({ view: { fx: 50, width: 64 }, masks: person.masks });
    expect(steps[0]!.objects[0]).toMatchObject({ status: "seen", support: "upright", depthM: 4 });
    detect.pushPoints(cloudAt(2));
    detect.pushImage(imageAt(2));
    await settled();
    await answer(nobody);
    // Two sightings make it a thing that stands there; one is not enough.
    expect(steps[1]!.objects).toEqual([]);
    expect(health.list()).toEqual([]);
    await detect.stop();
  });

  it("keeps what the detector loses while voxels hold it, with its box in space", async () => {
    const { detect, steps, answer } = makeDetect();
    detect.pushInfo(info);
    for (const [at, found] of [
      [1, person],
      [1.1, person],
      [1.2, nobody],
    ] as const) {
      detect.pushPoints(cloudAt(at));
      detect.pushImage(imageAt(at));
      await settled();
      await answer(found);
    }
    expect(steps.map(({ objects }) => objects[0]?.status)).toEqual(["seen", "seen", "held"]);
    const space = decodeCdr<{ detections: { id: string; bbox: { center: { position: object }; size: object } }[] }>(
      "vision_msgs/msg/Detection3DArray",
      detections3dMessage(steps[1]!, classes, 0.5),
    );
    // 9 x 21 pixels at 4 m and 50 pixels; the front of the post stands at 3.75 m.
    const { id, bbox } = space.detections[0]!;
    expect(id).toBe("1");
    expect(bbox.center.position).toEqual({
      x: expect.closeTo(0, 5),
      y: expect.closeTo(0, 5),
      z: expect.closeTo(4.11, 5),
    });
    expect(bbox.size).toEqual({ x: expect.closeTo(0.72, 5), y: expect.closeTo(1.68, 5), z: expect.closeTo(0.72, 5) });
    const flat = decodeCdr<{ detections: unknown[] }>(
      "vision_msgs/msg/Detection2DArray",
      detectionsMessage(steps[2]!, classes),
    );
    expect(flat.detections).toEqual([]);
    await detect.stop();
  });

  it.each([
    ["no voxels come", "INPUT_STALE", [info], undefined],
    ["no CameraInfo has come", "CALIBRATION_MISSING", [], cloudAt(1)],
    ["the voxels are another camera's", "TOPIC_TYPE", [info], cloudAt(1, "base_link")],
  ] as const)("goes on without evidence and says so when %s", async (_, code, infos, cloud) => {
    const { detect, steps, answer, giveUp, health } = makeDetect();
    for (const each of infos) detect.pushInfo(each);
    if (cloud !== undefined) detect.pushPoints(cloud);
    detect.pushImage(imageAt(1));
    await settled();
    await answer(person);
    await giveUp();
    expect(steps[0]).toMatchObject({ view: undefined, objects: [{ status: "seen", support: "unknown" }] });
    expect(health.list()).toMatchObject([{ where: "evidence", code, level: "warn" }]);
    const space = decodeCdr<{ detections: unknown[] }>(
      "vision_msgs/msg/Detection3DArray",
      detections3dMessage(steps[0]!, classes, 0.5),
    );
    expect(space.detections).toEqual([]);
    await detect.stop();
  });

  it("tells a failure, counts it, and goes on", async () => {
    const { detect, steps, answer, health } = makeDetect({ evidence: false });
    detect.pushImage(imageAt(1));
    await settled();
    await answer(new Fault("The worker died.", { code: "WORKER_DIED", remedy: "Wait." }));
    expect(health.list()).toMatchObject([{ where: "detector", code: "WORKER_DIED", level: "error" }]);
    detect.pushImage(imageAt(-1));
    detect.pushImage(imageAt(2));
    await settled();
    await answer(person);
    expect(health.list()).toEqual([]);
    expect(steps).toHaveLength(1);
    expect(detect.counts.dropped).toEqual({ failed: 1, newer_image: 1 });
    await detect.stop();
  });

  it("stops with what is in work, without publishing it", async () => {
    const { detect, steps, answer } = makeDetect({ evidence: false });
    detect.pushImage(imageAt(1));
    await settled();
    const stopped = detect.stop();
    await answer(person);
    await stopped;
    expect(steps).toEqual([]);
  });
});

it("the mask holds whole pixels that a window touches, within the image", () => {
  const step = {
    image: imageAt(1),
    objects: [],
    masks: [
      [2.5, 3, 5, 6],
      [60, 40, 90, 90],
      [-5, -5, -1, 2],
    ],
    view: undefined,
  };
  const { data, encoding } = decodeCdr<{ data: Uint8Array; encoding: string }>(
    "sensor_msgs/msg/Image",
    patchMaskMessage(step as unknown as DetectStep),
  );
  expect(encoding).toBe("mono8");
  const masked = [...data].flatMap((value, i) => (value === 255 ? [`${i % 64},${Math.floor(i / 64)}`] : []));
  expect(masked).toHaveLength(3 * 3 + 4 * 8);
  expect(masked).toEqual(expect.arrayContaining(["2,3", "4,5", "60,40", "63,47"]));
});
