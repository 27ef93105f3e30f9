import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openModel } from "../../src/cli/model-folder.ts";
import { reportOf } from "../../src/cli/replay-report.ts";
import type { ReplayRun } from "../../src/cli/replay-run.ts";
import type { Health } from "../../src/core/health.ts";
import { OCCUPIED } from "../../src/core/occupancy.ts";
import type { StereoModel } from "../../src/core/ports.ts";
import { openBag } from "../../src/io/bag.ts";
import { readTf } from "../../src/msg/read-tf.ts";
import { keyOf } from "../../src/octree/key.ts";
import { readOctomapBinary } from "../../src/octree/octomap-read.ts";
import { liboctomapProgram, runLiboctomap } from "../octree/liboctomap.ts";
import { pythonWith } from "../support/python.ts";
import { runPython } from "../support/run-python.ts";
import { sharedData } from "../support/shared-data.ts";
import { tempFolder } from "../support/temp.ts";
import { type Outcome, voxelguard } from "./program.ts";
import { config, expectAlongTheDrive, replaySteps, type Seen } from "./steps.ts";

// Slow where other work fills the machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const bags = sharedData("open", "bags");
const mcapRos2 = pythonWith("mcap_ros2", "mcap");
const rosbags = pythonWith("rosbags");
const program = liboctomapProgram();
const script = readFileSync(fileURLToPath(new URL("./readers.py", import.meta.url)), "utf8");
const folder = tempFolder();

describe.skipIf(bags === undefined)("the map of a KITTI bag, as others read it", () => {
  let model: StereoModel;
  const [first, second] = [join(folder, "first.mcap"), join(folder, "second.mcap")];
  const [reportPath, preview] = [join(folder, "report.json"), join(folder, "preview.png")];
  let command: Outcome;
  let steps: Seen[];
  let run: ReplayRun;
  let health: Health;
  beforeAll(async () => {
    const bag = join(bags as string, "kitti_raw_mcap");
    model = await openModel(config);
    command = await voxelguard("replay", bag, "--out", first, "--report", reportPath, "--preview", preview);
    ({ run, steps, health } = await replaySteps(bag, model, second));
  });

  afterAll(async () => await model?.close());

  it("all 16 pairs, along the drive; the command says so", () => {
    expect(run.counts).toEqual({ seen: 16, processed: 16, dropped: {}, images: 32 });
    expectAlongTheDrive(steps, 16);
    expect(command).toMatchObject({ code: 0, err: "" });
    expect(command.out).toMatch(/^16 of 16 pairs, [\d.]+ a second \(octree-stereo .*\)\ndropped: nothing\n/);
    expect(readFileSync(preview).subarray(1, 4).toString()).toBe("PNG");
  });

  it("gives byte-identical files twice", () => {
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  });

  it("report.json has the keys of the design", () => {
    const reports = [JSON.parse(readFileSync(reportPath, "utf8")), reportOf(run, model, health)];
    const number = expect.any(Number);
    const quantiles = { p50_ms: number, p95_ms: number, p99_ms: number };
    for (const report of reports) {
      expect(report).toMatchObject({
        pairs: { seen: 16, processed: 16, dropped: {} },
        pairs_per_second: number,
        stages: { match: quantiles, network: quantiles, decode: quantiles, map: quantiles, outputs: quantiles },
        age_ms: { p50: number, p95: number, p99: number },
        rss_mb: { max: number },
        model: { name: model.name, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        health: [],
      });
      expect(report.pairs_per_second).toBeGreaterThan(0);
      expect(report.rss_mb.max).toBeGreaterThan(50);
      for (const { p50_ms, p95_ms, p99_ms } of Object.values<Record<string, number>>(report.stages)) {
        expect(p50_ms).toBeGreaterThan(0);
        expect(p95_ms).toBeGreaterThanOrEqual(p50_ms!);
        expect(p99_ms).toBeGreaterThanOrEqual(p95_ms!);
      }
    }
  });

  const others = [
    ["mcap", "mcap-ros2-support", mcapRos2],
    ["rosbags", "rosbags", rosbags],
  ] as const;
  const rowsOf = new Map<string, readonly Row[]>();
  const readBy = (reader: string, python: string): readonly Row[] => {
    let rows = rowsOf.get(reader);
    if (rows === undefined) {
      rows = JSON.parse(runPython(python, script, reader, first)) as Row[];
      rowsOf.set(reader, rows);
    }
    return rows;
  };

  describe.each(others)("as %s reads it (%s)", (reader, _name, python) => {
    const on = (topic: string) => readBy(reader, python as string).filter((row) => row.topic === topic);
    const stamps = () => steps.map(({ stampNs }) => String(stampNs));

    it.skipIf(python === undefined)("all topics, one message a pair, on the stamps of the left images", () => {
      const types = {
        points: "sensor_msgs/msg/PointCloud2",
        points_clearing: "sensor_msgs/msg/PointCloud2",
        octomap_binary: "octomap_msgs/msg/Octomap",
        occupancy_grid: "nav_msgs/msg/OccupancyGrid",
        voxel_markers: "visualization_msgs/msg/MarkerArray",
        "left/image_rect/compressed": "sensor_msgs/msg/CompressedImage",
        "left/camera_info": "sensor_msgs/msg/CameraInfo",
        "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
      };
      for (const [topic, type] of Object.entries(types)) {
        expect(on(topic).map((row) => [row.type, row.time])).toEqual(stamps().map((stamp) => [type, stamp]));
      }
      for (const topic of ["points", "points_clearing"]) {
        expect(on(topic).map(({ stamp, frame }) => [stamp, frame])).toEqual(
          steps.map(({ stampNs, optical }) => [String(stampNs), optical]),
        );
      }
      for (const topic of ["octomap_binary", "occupancy_grid"]) {
        expect(on(topic).map(({ stamp, frame }) => [stamp, frame])).toEqual(stamps().map((stamp) => [stamp, "odom"]));
      }
      expect(on("/diagnostics").map(({ stamp }) => stamp)).toEqual(stamps());
      const topics = new Set(readBy(reader, python as string).map(({ topic }) => topic));
      expect(topics).toEqual(new Set([...Object.keys(types), "/tf", "/tf_static"]));
    });

    it.skipIf(python === undefined)("the left image and its calibration", async () => {
      const { width, height } = await sharp(
        Buffer.from(on("left/image_rect/compressed")[0]!.data!, "base64"),
      ).metadata();
      expect(new Set(on("left/image_rect/compressed").map(({ format }) => format))).toEqual(new Set(["jpeg"]));
      for (const { size, p, stamp, frame } of on("left/camera_info")) {
        expect([stamps(), frame, size]).toEqual([expect.arrayContaining([stamp]), steps[0]!.optical, [height, width]]);
        // A left camera: the projection has no baseline.
        expect(p).toEqual([expect.any(Number), 0, expect.any(Number), 0, 0, p![0], expect.any(Number), 0, 0, 0, 1, 0]);
      }
    });

    it.skipIf(python === undefined)("points: the occupied cells of each frame, value for value", () => {
      const rows = on("points");
      for (const [i, { points }] of steps.entries()) {
        const { fields, shape, dense, data } = rows[i]!;
        expect(fields).toEqual(["x", "y", "z", "intensity"].map((name, at) => [name, at * 4, 7, 1]));
        const count = points.length / 4;
        expect([shape, dense]).toEqual([[1, count, 16, count * 16], true]);
        const values = floats(data!);
        expect(values.every(Number.isFinite)).toBe(true);
        expect(Buffer.from(values.buffer).equals(Buffer.from(points.buffer))).toBe(true);
      }
      expect(steps.some(({ points }) => points.length > 0)).toBe(true);
      for (const { data, shape } of on("points_clearing")) {
        const values = floats(data!);
        expect(values.length).toBe(shape![1]! * 4);
        expect(values.every(Number.isFinite)).toBe(true);
      }
    });

    it.skipIf(python === undefined)("occupancy_grid: what stands in the height band is an obstacle", () => {
      for (const [i, { size, resolution, origin, data }] of on("occupancy_grid").entries()) {
        const cells = new Int8Array(bytes(data!));
        const [width, height] = size as [number, number];
        const [x0, y0] = origin as [number, number];
        expect(cells.length).toBe(width * height);
        expect(resolution).toBe(config.voxel_size);
        expect(cells.every((cell) => cell === -1 || cell === 0 || cell === 100)).toBe(true);
        const { occupied, baseZM = 0 } = steps[i]!;
        let obstacles = 0;
        for (let at = 0; at < occupied.length; at += 3) {
          const aboveBase = occupied[at + 2]! - baseZM;
          if (aboveBase < config.min_height || aboveBase > config.max_height) continue;
          const column = Math.floor((occupied[at]! - x0) / resolution!);
          const row = Math.floor((occupied[at + 1]! - y0) / resolution!);
          expect(cells[row * width + column]).toBe(100);
          obstacles += 1;
        }
        expect(obstacles).toBeGreaterThan(10);
      }
    });

    it.skipIf(python === undefined)("voxel_markers: the occupied cells of the map as cubes", () => {
      const rows = on("voxel_markers");
      for (const [i, { occupied, stampNs }] of steps.entries()) {
        const [clear, cubes, ...rest] = rows[i]!.markers!;
        expect([clear!.action, rest]).toEqual([3, []]);
        expect(cubes).toMatchObject({ type: 6, action: 0, frame: "odom", stamp: String(stampNs), edge: 0.5 });
        expect(occupied.length / 3).toBeLessThanOrEqual(config.max_markers);
        expect(cubes!.points.flat()).toEqual(Array.from(occupied));
        expect(cubes!.colors).toBe(cubes!.points.length);
      }
    });

    it.skipIf(python === undefined)("/tf and /tf_static as recorded; /diagnostics", async () => {
      const recorded: Record<string, unknown[]> = { "/tf": [], "/tf_static": [] };
      const bag = await openBag(join(bags as string, "kitti_raw_mcap"));
      for await (const { topic, data } of bag.messages({ topics: new Set(Object.keys(recorded)) })) {
        for (const { stampNs, parent, child, T_parent_child: T } of readTf(data, topic === "/tf_static").transforms) {
          recorded[topic]!.push([String(stampNs), parent, child, ...[T[3]!, T[7]!, T[11]!].map(round)]);
        }
      }
      await bag.close();
      for (const [topic, transforms] of Object.entries(recorded)) {
        const written = on(topic).flatMap((row) => row.transforms!);
        expect(transforms.length).toBeGreaterThan(0);
        expect(written.map(({ stamp, frame, child, t }) => [stamp, frame, child, ...t.map(round)])).toEqual(transforms);
        for (const { q } of written) expect(Math.hypot(...q)).toBeCloseTo(1, 9);
      }
      expect(on("/tf_static").length).toBe(1);
      const [level, name, values] = on("/diagnostics").at(-1)!.status![0]!;
      expect([level, name]).toEqual([0, "stereo_voxel_node: inference"]);
      expect(values).toMatchObject({ model: model.name, model_sha256: model.sha256 });
      expect(Number(values["pairs_processed"])).toBeGreaterThan(0);
    });

    it.skipIf(python === undefined)("octomap_binary: the occupied cells of the map", () => {
      for (const [i, row] of on("octomap_binary").entries()) {
        expect(row).toMatchObject({ binary: true, id: "OcTree", resolution: 0.5 });
        expect(occupiedOf(bytes(row.data!))).toEqual(keysOf(steps[i]!.occupied));
      }
    });

    it.skipIf(python === undefined || program === undefined)("octomap_binary: liboctomap says the same", () => {
      const last = on("octomap_binary").at(-1)!;
      const lines = runLiboctomap(program as string, ["read-binary"], new Uint8Array(bytes(last.data!))).toString();
      const occupied = lines.split("\n").filter((line) => line.endsWith(" o"));
      expect(occupied.length).toBeGreaterThan(100);
      expect(occupied.map((line) => line.slice(0, -2)).sort()).toEqual(keysOf(steps.at(-1)!.occupied));
    });
  });
});

/** One message as readers.py prints it. */
interface Row {
  readonly topic: string;
  readonly type: string;
  readonly time: string;
  readonly stamp?: string;
  readonly frame?: string;
  readonly fields?: unknown;
  readonly shape?: readonly number[];
  readonly dense?: boolean;
  /** base64 */
  readonly data?: string;
  readonly format?: string;
  /** Of a CameraInfo, row by row. */
  readonly p?: readonly number[];
  readonly resolution?: number;
  readonly size?: readonly number[];
  readonly origin?: readonly number[];
  readonly markers?: readonly {
    readonly action: number;
    readonly points: readonly number[][];
    readonly colors: number;
  }[];
  readonly transforms?: readonly {
    readonly stamp: string;
    readonly frame: string;
    readonly child: string;
    readonly t: readonly number[];
    readonly q: readonly number[];
  }[];
  readonly status?: readonly (readonly [level: number, name: string, values: Record<string, string>])[];
}

function bytes(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, "base64")).buffer;
}

function floats(base64: string): Float32Array<ArrayBuffer> {
  return new Float32Array(bytes(base64));
}

function round(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** Keys of depth 16 of cells with these centres, as text, sorted. */
function keysOf(centres: Float32Array): string[] {
  const keys: string[] = [];
  for (let i = 0; i < centres.length; i += 3) {
    keys.push([0, 1, 2].map((axis) => keyOf(centres[i + axis]!, config.voxel_size)).join(" "));
  }
  return keys.sort();
}

function occupiedOf(data: ArrayBuffer): string[] {
  const { count, keys, depth, state } = readOctomapBinary(new Uint8Array(data));
  const out: string[] = [];
  for (let i = 0; i < count; i += 1) {
    if (state[i] !== OCCUPIED) continue;
    const edge = 2 ** (16 - depth[i]!);
    for (let x = 0; x < edge; x += 1) {
      for (let y = 0; y < edge; y += 1) {
        for (let z = 0; z < edge; z += 1) {
          out.push([keys[i * 3]! + x, keys[i * 3 + 1]! + y, keys[i * 3 + 2]! + z].join(" "));
        }
      }
    }
  }
  return out.sort();
}
