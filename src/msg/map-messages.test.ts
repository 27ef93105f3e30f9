import { describe, expect, it } from "vitest";
import { Health } from "../core/health.ts";
import { decodeCdr } from "./codec.ts";
import { definitionsOf } from "./definitions.ts";
import {
  depthMessage,
  diagnosticsMessage,
  disparityMessage,
  mapTopics,
  occupancyGridMessage,
  octomapBinaryMessage,
  octomapFullMessage,
  pointsClearingMessage,
  pointsMessage,
  voxelMarkersMessage,
} from "./map-messages.ts";

const header = { stampNs: 5_000_000_007n, frameId: "odom" };
const read = { stamp: { sec: 5, nanosec: 7 }, frame_id: "odom" };
const cloud = { count: 1, xyz: Float32Array.of(1, 2, 3), value: Float32Array.of(0.5) };
const grid = { width: 2, height: 1, resolutionM: 1, originXM: 0, originYM: 0, data: Int8Array.of(-1, 100) };
const image = { width: 2, height: 1, data: Float32Array.of(1.5, Number.NaN) };
const cubes = { edgeM: 1, maxCubes: 5, minZM: 0, maxZM: 2 };

describe("each output", () => {
  const written = {
    points: pointsMessage(header, cloud),
    pointsClearing: pointsClearingMessage(header, cloud),
    octomapBinary: octomapBinaryMessage(header, 0.5, Uint8Array.of(1, 2)),
    octomapFull: octomapFullMessage(header, 0.5, Uint8Array.of(1, 2, 3, 4, 5)),
    depth: depthMessage(header, image),
    disparity: disparityMessage(header, { ...image, focalPx: 2, baselineM: 3, maxPx: 192, stepPx: 0.5 }),
    occupancyGrid: occupancyGridMessage(header, grid),
    voxelMarkers: voxelMarkersMessage(header, cloud, cubes),
    diagnostics: diagnosticsMessage(header.stampNs, "stereo", new Health(), {}),
  };

  it.each(Object.entries(written))("%s is of the type that its topic names", (output, bytes) => {
    const { type } = mapTopics[output as keyof typeof mapTopics];
    expect(definitionsOf(type)).toBeDefined();
    const message = decodeCdr<Record<string, unknown>>(type, bytes);
    const first = output === "voxelMarkers" ? (message["markers"] as Record<string, unknown>[])[0]! : message;
    expect(first["header"]).toEqual(output === "diagnostics" ? { ...read, frame_id: "" } : read);
  });
});

describe("diagnostics", () => {
  interface Status {
    level: number;
    name: string;
    message: string;
    values: { key: string; value: string }[];
  }
  const statusOf = (health: Health, values = {}) =>
    decodeCdr<{ status: Status[] }>(mapTopics.diagnostics.type, diagnosticsMessage(1n, "stereo", health, values))
      .status;

  it("say OK with the figures in order when nothing is wrong", () => {
    const [summary, ...rest] = statusOf(new Health(), { "rate (Hz)": 9.5, model: "voxel" });
    expect(rest).toEqual([]);
    expect(summary).toMatchObject({ level: 0, name: "stereo: inference", message: "all is well" });
    expect(summary!.values.map(({ key, value }) => [key, value])).toEqual([
      ["rate (Hz)", "9.5"],
      ["model", "voxel"],
    ]);
  });

  it("name each standing fault, and take the worst level for the whole", () => {
    const health = new Health();
    health.raise("/left", "TOPIC_MISSING", "no image yet");
    expect(statusOf(health)[0]!.level).toBe(1);
    health.raise("map", "MAP_FULL", "full", "error");
    health.raise("map", "MAP_FULL", "full", "error");
    const [summary, left, map] = statusOf(health);
    expect(summary).toMatchObject({ level: 2, message: "/left: no image yet; map: full" });
    expect(left).toMatchObject({ level: 1, name: "stereo: /left", message: "no image yet" });
    expect(map).toMatchObject({ level: 2, name: "stereo: map" });
    expect(map!.values.map(({ value }) => value)).toEqual(["MAP_FULL", "2"]);
  });
});
