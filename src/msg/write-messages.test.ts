import { MessageReader } from "@foxglove/rosmsg2-serialization";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromQuaternion } from "../core/transform.ts";
import { definitionsOf } from "./definitions.ts";
import { writeCameraInfo, writeCompressedImage, writeImage } from "./write-camera.ts";
import { CdrBytes } from "./write-cdr.ts";
import { type CloudArrays, writePointCloud2 } from "./write-cloud.ts";
import { writeDisparityImage, writeFloatImage } from "./write-depth.ts";
import { writeDiagnosticArray } from "./write-diagnostics.ts";
import { writeOccupancyGrid, writeOctomap } from "./write-map.ts";
import { writeCubeMarkers } from "./write-markers.ts";
import { writeTfMessage } from "./write-tf.ts";

/** Reads by others' code; the message must end where its bytes end and own its buffer. */
function readBack<T>(type: string, bytes: Uint8Array): T {
  expect(bytes.byteOffset).toBe(0);
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
  const reader = new MessageReader(definitionsOf(type)!);
  const message = reader.readMessage<T>(bytes);
  expect(reader.lastReadByteLength()).toBe(bytes.byteLength);
  return message;
}

/** Names of every length modulo 8 shift all that follows: each writer is tried with all of them. */
const frameIds = ["", "o", "od", "odo", "odom", "base_", "camera", "optical", "left_opt", "links_ä"];
const stampNs = 1_700_000_000_123_456_789n;
const stamp = { sec: 1_700_000_000, nanosec: 123_456_789 };

function cloudOf(values: readonly number[]): CloudArrays {
  const count = Math.floor(values.length / 4);
  const xyz = new Float32Array(count * 3 + 6).fill(Number.NaN);
  const value = new Float32Array(count + 2).fill(Number.NaN);
  for (let i = 0; i < count; i += 1) {
    xyz.set(values.slice(i * 4, i * 4 + 3), i * 3);
    value[i] = values[i * 4 + 3]!;
  }
  return { count, xyz, value };
}

interface Cloud {
  header: unknown;
  height: number;
  width: number;
  fields: { name: string; offset: number; datatype: number; count: number }[];
  is_bigendian: boolean;
  point_step: number;
  row_step: number;
  data: Uint8Array;
  is_dense: boolean;
}

describe("PointCloud2", () => {
  it("holds the points of any cloud", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...frameIds),
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 60 }),
        (frameId, values) => {
          const cloud = cloudOf(values);
          const message = readBack<Cloud>("sensor_msgs/msg/PointCloud2", writePointCloud2({ stampNs, frameId }, cloud));
          expect(message).toMatchObject({ header: { stamp, frame_id: frameId }, height: 1, width: cloud.count });
          expect(message).toMatchObject({ is_bigendian: false, is_dense: true, point_step: 16 });
          expect(message.row_step).toBe(16 * cloud.count);
          expect(message.fields.map((f) => [f.name, f.offset, f.datatype, f.count])).toEqual([
            ["x", 0, 7, 1],
            ["y", 4, 7, 1],
            ["z", 8, 7, 1],
            ["intensity", 12, 7, 1],
          ]);
          expect(message.data).toHaveLength(16 * cloud.count);
          const floats = Array.from(new Float32Array(message.data.slice().buffer));
          expect(floats).toEqual(values.slice(0, cloud.count * 4));
        },
      ),
    );
  });

  it("never holds a NaN", () => {
    const cloud = cloudOf([1, 2, 3, 4, Number.NaN, 0, 0, 1, 0, Number.POSITIVE_INFINITY, 0, 1, 5, 6, 7, Number.NaN]);
    const message = readBack<Cloud>("sensor_msgs/PointCloud2", writePointCloud2({ stampNs, frameId: "a" }, cloud));
    expect(message.width).toBe(2);
    expect(Array.from(new Float32Array(message.data.slice().buffer))).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
  });
});

describe.each(frameIds)("with frame %o", (frameId) => {
  const header = { stampNs, frameId };
  const read = { stamp, frame_id: frameId };

  it.each([0, 1, 7, 8, 1001])("Octomap of %i bytes", (length) => {
    const data = Uint8Array.from({ length }, (_, i) => i * 7);
    for (const binary of [true, false]) {
      const bytes = writeOctomap(header, 0.15, data, binary);
      const message = readBack<{ data: Int8Array }>("octomap_msgs/msg/Octomap", bytes);
      expect(message).toMatchObject({ header: read, binary, id: "OcTree", resolution: 0.15 });
      expect(Uint8Array.from(message.data)).toEqual(data);
    }
  });

  it.each([
    [0, 0],
    [3, 5],
    [8, 8],
  ])("OccupancyGrid of %i x %i", (width, height) => {
    const data = Int8Array.from({ length: width * height + 9 }, (_, i) => (i % 3) * 50 - 1);
    const grid = { width, height, resolutionM: 0.25, originXM: -12.5, originYM: 3, data };
    const message = readBack<{ data: Int8Array }>("nav_msgs/msg/OccupancyGrid", writeOccupancyGrid(header, grid));
    const origin = { position: { x: -12.5, y: 3, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } };
    const info = { map_load_time: stamp, resolution: 0.25, width, height, origin };
    expect(message).toMatchObject({ header: read, info });
    expect(Array.from(message.data)).toEqual(Array.from(data.subarray(0, width * height)));
  });

  it.each([0, 1, 2, 25])("MarkerArray of %i cubes, at most 10", (count) => {
    const cloud = cloudOf(Array.from({ length: count * 4 }, (_, i) => i * 0.5));
    const options = { edgeM: 0.5, maxCubes: 10, minZM: 1, maxZM: 5 };
    const bytes = writeCubeMarkers(header, "voxels", cloud, options);
    const { markers } = readBack<{ markers: Record<string, unknown>[] }>("visualization_msgs/msg/MarkerArray", bytes);
    expect(markers[0]).toMatchObject({ header: read, ns: "voxels", action: 3, points: [], colors: [] });
    if (count === 0) return expect(markers).toHaveLength(1);
    const stride = Math.ceil(count / 10);
    const shown = Array.from({ length: Math.ceil(count / stride) }, (_, n) => n * stride);
    expect(markers[1]).toMatchObject({ ns: "voxels", id: 0, type: 6, action: 0, scale: { x: 0.5, y: 0.5, z: 0.5 } });
    expect(markers[1]).toMatchObject({
      pose: { orientation: { x: 0, y: 0, z: 0, w: 1 } },
      frame_locked: false,
      text: "",
    });
    expect(markers[1]!["points"]).toEqual(shown.map((i) => ({ x: i * 2, y: i * 2 + 0.5, z: i * 2 + 1 })));
    const colors = markers[1]!["colors"] as { r: number; g: number; b: number; a: number }[];
    expect(colors).toHaveLength(shown.length);
    expect(colors[0]).toEqual({ r: 0, g: expect.closeTo(0.2, 5), b: 1, a: 1 });
    if (count === 25) expect(colors.at(-1)).toMatchObject({ r: 1, b: 0 });
    return undefined;
  });

  it("TFMessage", () => {
    const T = fromQuaternion({ x: 0.1, y: -0.2, z: 0.3, w: 0.9 }, { x: 1, y: 2, z: 3 });
    const one = { stampNs, parent: frameId, child: "base_link", T_parent_child: T, isStatic: false };
    const bytes = writeTfMessage([one, { ...one, stampNs: -1n, child: "c" }]);
    const { transforms } = readBack<{ transforms: Record<string, unknown>[] }>("tf2_msgs/msg/TFMessage", bytes);
    const n = Math.hypot(0.1, 0.2, 0.3, 0.9);
    const rotation = { x: 0.1 / n, y: -0.2 / n, z: 0.3 / n, w: 0.9 / n };
    expect(transforms).toHaveLength(2);
    expect(transforms[0]).toMatchObject({ header: read, child_frame_id: "base_link" });
    expect(transforms[0]!["transform"]).toMatchObject({ translation: { x: 1, y: 2, z: 3 } });
    const got = (transforms[0]!["transform"] as { rotation: typeof rotation }).rotation;
    for (const k of ["x", "y", "z", "w"] as const) expect(got[k]).toBeCloseTo(rotation[k], 12);
    expect(transforms[1]).toMatchObject({ header: { stamp: { sec: -1, nanosec: 999_999_999 } }, child_frame_id: "c" });
  });

  it.each([0, 5, 8])("CameraInfo with %i distortion numbers", (length) => {
    const row = (n: number, by: number) => Float64Array.from({ length: n }, (_, i) => i * by);
    const info = {
      ...header,
      width: 881,
      height: 400,
      distortionModel: "plumb_bob",
      d: row(length, -0.1),
      k: row(9, 1.5),
      r: row(9, 2.5),
      p: row(12, -3.5),
      binningX: 1,
      binningY: 2,
      roi: { xOffset: 3, yOffset: 4, width: 5, height: 6 },
    };
    const message = readBack("sensor_msgs/msg/CameraInfo", writeCameraInfo(info));
    const { distortionModel, binningX, binningY, d, k, r, p } = info;
    expect(message).toMatchObject({
      header: read,
      width: 881,
      height: 400,
      distortion_model: distortionModel,
      d,
      k,
      r,
      p,
    });
    const roi = { x_offset: 3, y_offset: 4, width: 5, height: 6, do_rectify: false };
    expect(message).toMatchObject({ binning_x: binningX, binning_y: binningY, roi });
  });

  it.each([1, 3] as const)("Image of %i channels", (channels) => {
    const data = Uint8Array.from({ length: 7 * 3 * channels }, (_, i) => i);
    const message = readBack("sensor_msgs/msg/Image", writeImage(header, { width: 7, height: 3, channels, data }));
    const encoding = channels === 1 ? "mono8" : "rgb8";
    expect(message).toMatchObject({
      header: read,
      width: 7,
      height: 3,
      encoding,
      is_bigendian: 0,
      step: 7 * channels,
      data,
    });
  });

  it.each([
    [0, 0],
    [3, 5],
    [7, 2],
  ])("depth and DisparityImage of %i x %i", (width, height) => {
    const data = Float32Array.from({ length: width * height + 3 }, (_, i) => [0.5, Number.NaN, -1, 1e9][i % 4]! * i);
    const bytes = new Uint8Array(data.buffer, 0, width * height * 4);
    const image = { header: read, width, height, encoding: "32FC1", is_bigendian: 0, step: width * 4, data: bytes };
    expect(readBack("sensor_msgs/msg/Image", writeFloatImage(header, { width, height, data }))).toEqual(image);
    const rest = { focalPx: 700, baselineM: 0.25, maxPx: 192, stepPx: 0.125 };
    const message = readBack(
      "stereo_msgs/msg/DisparityImage",
      writeDisparityImage(header, { width, height, data, ...rest }),
    );
    const valid_window = { x_offset: 0, y_offset: 0, width, height, do_rectify: false };
    const search = { min_disparity: 0, max_disparity: 192, delta_d: 0.125 };
    expect(message).toEqual({ header: read, image, f: 700, t: 0.25, valid_window, ...search });
  });

  it("CompressedImage", () => {
    const data = Uint8Array.of(1, 2, 3, 250, 251);
    const message = readBack("sensor_msgs/msg/CompressedImage", writeCompressedImage(header, "jpeg", data));
    expect(message).toMatchObject({ header: read, format: "jpeg", data });
  });
});

it("DiagnosticArray", () => {
  const statuses = [
    { level: "ok", name: "n: inference", message: "", hardwareId: "h", values: [] },
    {
      level: "error",
      name: "n: /left",
      message: "fünf",
      hardwareId: "",
      values: [
        ["rate", "9.9"],
        ["", "x"],
      ],
    },
  ] as const;
  const message = readBack("diagnostic_msgs/msg/DiagnosticArray", writeDiagnosticArray(stampNs, statuses));
  const second = { level: 2, name: "n: /left", message: "fünf", hardware_id: "" };
  expect(message).toMatchObject({
    header: { stamp, frame_id: "" },
    status: [
      { level: 0, name: "n: inference", message: "", hardware_id: "h", values: [] },
      {
        ...second,
        values: [
          { key: "rate", value: "9.9" },
          { key: "", value: "x" },
        ],
      },
    ],
  });
});

it("CdrBytes grows from any size hint to the same bytes", () => {
  const write = (hint: number) => {
    const out = new CdrBytes(hint).uint8(1).float64(2).string("abc").int32(-4).bool(true).float64s([5, 6]);
    return out.string("a longer text that fills what is left").byteSequence(new Uint8Array(100).fill(7)).take();
  };
  for (let hint = 0; hint < 260; hint += 1) expect(write(hint)).toEqual(write(1000));
});
