import { expect, it } from "vitest";
import { writeDetections2D, writeDetections3D } from "../msg/write-detections.ts";
import { imageBoxesOf, spaceBoxesOf } from "./detections.ts";

const header = { stampNs: 5n, frameId: "left_optical" };

it("reads what the detector publishes", () => {
  const flat = { id: "7", classId: "car", score: 0.912, left: 10, top: 20, right: 110, bottom: 60 };
  expect(imageBoxesOf(writeDetections2D(header, [flat]))).toEqual([
    { id: "7", label: "#7 car 0.91", left: 10, top: 20, width: 100, height: 40 },
  ]);
  const solid = { id: "", classId: "person", score: 0.5, centreM: [1, 2, 3], sizeM: [0.5, 1.8, 0.5] } as const;
  expect(spaceBoxesOf(writeDetections3D(header, [solid]))).toEqual([
    { id: "", label: "person 0.50", centre: { x: 1, y: 2, z: 3 }, size: { x: 0.5, y: 1.8, z: 0.5 } },
  ]);
  expect(imageBoxesOf(writeDetections2D(header, []))).toEqual([]);
});
