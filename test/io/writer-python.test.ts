import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { encodeCdr } from "../support/encode-cdr.ts";
import { pythonWith } from "../support/python.ts";
import { runPython } from "../support/run-python.ts";
import { tempFolder } from "../support/temp.ts";

const mcapRos2 = pythonWith("mcap_ros2", "mcap");
const rosbags = pythonWith("rosbags");
const folder = mcapRos2 === undefined && rosbags === undefined ? "" : tempFolder();

const header = { stamp: { sec: 7, nanosec: 8 }, frame_id: "left" };
const point = { x: 1, y: 2, z: 3 };
const turn = { x: 0, y: 0, z: 0, w: 1 };
const noPose = { position: point, orientation: turn };

/** One message of each kind that this project writes, with lists of more than one thing in them. */
const samples: readonly (readonly [topic: string, type: string, message: Record<string, unknown>])[] = [
  [
    "/tf_static",
    "tf2_msgs/msg/TFMessage",
    {
      transforms: [1, 2].map((n) => ({
        header,
        child_frame_id: `c${n}`,
        transform: { translation: point, rotation: turn },
      })),
    },
  ],
  [
    "/left/image_rect",
    "sensor_msgs/msg/Image",
    { header, height: 2, width: 3, encoding: "mono8", is_bigendian: 0, step: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
  ],
  [
    "/left/image_rect/compressed",
    "sensor_msgs/msg/CompressedImage",
    { header, format: "jpeg", data: Uint8Array.of(1, 2, 3) },
  ],
  [
    "/left/camera_info",
    "sensor_msgs/msg/CameraInfo",
    {
      header,
      height: 2,
      width: 3,
      distortion_model: "plumb_bob",
      d: [1, 2, 3, 4, 5],
      k: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      binning_x: 1,
      binning_y: 2,
      roi: { x_offset: 3, y_offset: 4, height: 5, width: 6, do_rectify: true },
    },
  ],
  [
    "/points",
    "sensor_msgs/msg/PointCloud2",
    {
      header,
      height: 1,
      width: 2,
      fields: ["x", "y"].map((name, at) => ({ name, offset: 4 * at, datatype: 7, count: 1 })),
      is_bigendian: false,
      point_step: 8,
      row_step: 16,
      data: new Uint8Array(16).fill(9),
      is_dense: true,
    },
  ],
  [
    "/octomap_binary",
    "octomap_msgs/msg/Octomap",
    { header, binary: true, id: "OcTree", resolution: 0.5, data: Int8Array.of(-1, 2, 3) },
  ],
  [
    "/occupancy_grid",
    "nav_msgs/msg/OccupancyGrid",
    {
      header,
      info: { map_load_time: header.stamp, resolution: 0.5, width: 2, height: 1, origin: noPose },
      data: Int8Array.of(-1, 100),
    },
  ],
  [
    "/voxel_markers",
    "visualization_msgs/msg/MarkerArray",
    {
      markers: [
        {
          header,
          ns: "v",
          id: 1,
          type: 6,
          action: 0,
          pose: noPose,
          scale: point,
          color: { r: 1, g: 0, b: 0, a: 1 },
          lifetime: { sec: 1, nanosec: 2 },
          frame_locked: false,
          points: [point, point],
          colors: [],
          texture_resource: "",
          texture: { header, format: "", data: new Uint8Array(0) },
          uv_coordinates: [],
          text: "",
          mesh_resource: "",
          mesh_file: { filename: "", data: new Uint8Array(0) },
          mesh_use_embedded_materials: false,
        },
      ],
    },
  ],
  [
    "/diagnostics",
    "diagnostic_msgs/msg/DiagnosticArray",
    { header, status: [{ level: 1, name: "n", message: "m", hardware_id: "h", values: [{ key: "a", value: "b" }] }] },
  ],
];

async function writeAll(path: string): Promise<void> {
  const sink = await McapSink.open(path);
  for (const [topic, type] of samples) sink.addTopic(topic, type);
  for (const [at, [topic, type, message]] of samples.entries()) {
    await sink.write(topic, 1_700_000_000_000_000_000n + BigInt(at), encodeCdr(type, message));
  }
  await sink.close();
}

/** Both scripts print the same: time, topic, type and every field of every message, flat. */
const flatten = `
import sys, json
def flat(value):
    if isinstance(value, (bool, int, float, str)): return value
    if isinstance(value, (bytes, bytearray)): return list(value)
    if hasattr(value, "tolist"): return flat(value.tolist())
    if isinstance(value, (list, tuple)): return [flat(v) for v in value]
    names = getattr(value, "__slots__", None) or [n for n in value.__dataclass_fields__ if not n.startswith("__")]
    return {name: flat(getattr(value, name)) for name in names if not name.startswith("_") and not name.isupper()}
`;

const mcapScript = `${flatten}
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
with open(sys.argv[1], "rb") as stream:
    reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
    assert reader.get_header().profile == "ros2", reader.get_header()
    rows = [[str(m.log_time), c.topic, s.name, flat(d), c.metadata["offered_qos_profiles"]] for s, c, m, d in reader.iter_decoded_messages()]
print(json.dumps(rows))
`;

// The definitions come from the file alone: the typestore to begin with is empty.
const rosbagsScript = `${flatten}
from pathlib import Path
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore
with AnyReader([Path(sys.argv[1])], default_typestore=get_typestore(Stores.EMPTY)) as reader:
    rows = [[str(time), c.topic, c.msgtype, flat(reader.deserialize(raw, c.msgtype)), None] for c, time, raw in reader.messages()]
print(json.dumps(rows))
`;

type Row = readonly [time: string, topic: string, type: string, message: unknown, qos: string | null];

function check(rows: readonly Row[]): void {
  expect(rows.map(([time, topic, type]) => [time, topic, type])).toEqual(
    samples.map(([topic, type], at) => [String(1_700_000_000_000_000_000n + BigInt(at)), topic, type]),
  );
  const plain = JSON.parse(
    JSON.stringify(samples, (_key, value: unknown) =>
      ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value,
    ),
  );
  for (const [at, row] of rows.entries()) expect(row[3], row[1]).toEqual(plain[at][2]);
}

describe("other people's readers", () => {
  it.skipIf(mcapRos2 === undefined)("mcap-ros2-support decodes every message by the schemas in the file", async () => {
    const path = join(folder, "a.mcap");
    await writeAll(path);
    const rows = JSON.parse(runPython(mcapRos2 as string, mcapScript, path)) as Row[];
    check(rows);
    // rmw: durability 1 is transient local, 2 volatile.
    expect(rows[0]![4]).toMatch(/durability: 1\n/);
    expect(rows[1]![4]).toMatch(/^- history: 1\n {2}depth: 10\n {2}reliability: 1\n {2}durability: 2\n/);
  });

  it.skipIf(rosbags === undefined)("rosbags does, too", async () => {
    const path = join(folder, "b.mcap");
    await writeAll(path);
    check(JSON.parse(runPython(rosbags as string, rosbagsScript, path)) as Row[]);
  });
});
