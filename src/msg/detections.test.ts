import { describe, expect, it } from "vitest";
import { detectorOutputs } from "../config/detector-topics.ts";
import { decodeCdr } from "./codec.ts";
import { readPointCloud2 } from "./read-cloud.ts";
import { writePointCloud2 } from "./write-cloud.ts";
import { writeDetections2D, writeDetections3D } from "./write-detections.ts";

const header = { stampNs: 5_000_000_007n, frameId: "left_optical" };
const read = { stamp: { sec: 5, nanosec: 7 }, frame_id: "left_optical" };
const who = { id: "7", classId: "person", score: 0.75 };
const still = { x: 0, y: 0, z: 0, w: 1 };
const covariance = new Float64Array(36);

describe("detections as an independent reader sees them", () => {
  it("in the image", () => {
    const found = { ...who, left: 10, top: 20, right: 40, bottom: 100 };
    const bytes = writeDetections2D(header, [found, { ...found, id: "" }]);
    const message = decodeCdr<{ header: object; detections: object[] }>(detectorOutputs.detections.type, bytes);
    expect(message.header).toEqual(read);
    const pose = { pose: { position: { x: 0, y: 0, z: 0 }, orientation: still }, covariance };
    const one = {
      header: read,
      results: [{ hypothesis: { class_id: "person", score: 0.75 }, pose }],
      bbox: { center: { position: { x: 25, y: 60 }, theta: 0 }, size_x: 30, size_y: 80 },
      id: "7",
    };
    expect(message.detections).toEqual([one, { ...one, id: "" }]);
  });

  it("in space", () => {
    const bytes = writeDetections3D(header, [{ ...who, centreM: [1, 2, 3], sizeM: [0.5, 1.75, 0.25] }]);
    const message = decodeCdr<{ detections: object[] }>(detectorOutputs.detections3d.type, bytes);
    const pose = { position: { x: 1, y: 2, z: 3 }, orientation: still };
    expect(message.detections).toEqual([
      {
        header: read,
        results: [{ hypothesis: { class_id: "person", score: 0.75 }, pose: { pose, covariance } }],
        bbox: { center: pose, size: { x: 0.5, y: 1.75, z: 0.25 } },
        id: "7",
      },
    ]);
  });

  it("none", () => {
    const message = decodeCdr<{ detections: object[] }>(detectorOutputs.detections.type, writeDetections2D(header, []));
    expect(message.detections).toEqual([]);
  });
});

describe("reading a point cloud", () => {
  const cloud = { count: 2, xyz: Float32Array.of(1, 2, 3, -4, 5.5, 6), value: Float32Array.of(0.5, 1) };

  it("gives back what was written", () => {
    const { xyz, ...rest } = readPointCloud2(writePointCloud2(header, cloud));
    expect(rest).toEqual({ ...header, count: 2 });
    expect([...xyz]).toEqual([...cloud.xyz]);
  });

  it("reads no points", () => {
    const none = { count: 0, xyz: new Float32Array(0), value: new Float32Array(0) };
    expect(readPointCloud2(writePointCloud2(header, none)).count).toBe(0);
  });

  it("refuses a cloud without x, y and z, and one that was cut off, each with what is wrong", () => {
    const bytes = writePointCloud2(header, cloud);
    const renamed = Uint8Array.from(bytes);
    const at = Buffer.from(renamed).indexOf("y\0");
    renamed[at] = "q".charCodeAt(0);
    expect(() => readPointCloud2(renamed)).toThrow("wanted x, y and z as float32");
    expect(() => readPointCloud2(bytes.subarray(0, bytes.length - 20))).toThrow("not a sensor_msgs/msg/PointCloud2");
  });
});
