import sharp from "sharp";
import { cameraInfosOf } from "../../src/core/calibration.ts";
import { Health } from "../../src/core/health.ts";
import { FREE, OCCUPIED } from "../../src/core/occupancy.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { diagnosticsMessage, octomapBinaryMessage } from "../../src/msg/map-messages.ts";
import { writeCameraInfo, writeCompressedImage, writeImage } from "../../src/msg/write-camera.ts";
import { writeDetections2D, writeDetections3D } from "../../src/msg/write-detections.ts";
import { writeTfMessage } from "../../src/msg/write-tf.ts";
import { keyOf } from "../../src/octree/key.ts";
import { loadLeaves } from "../../src/octree/load.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { OctomapEncoder } from "../../src/octree/octomap.ts";
import type { OctomapLeaves } from "../../src/octree/octomap-read.ts";
import { edgeM, type StreetPoint, streetUpTo } from "./street.ts";

export const firstNs = 1_700_000_000_000_000_000n;
export const periodNs = 100_000_000n;
/** How far the robot drives between two frames. */
const stepM = 1;

export interface RecordingOptions {
  readonly frames?: number;
  /** Leaves voxels of the street out. */
  readonly without?: (point: StreetPoint) => boolean;
  /** When it begins. */
  readonly fromNs?: bigint;
}

/** Voxels that the map of a frame holds. */
export function occupiedAt(frame: number, without: RecordingOptions["without"] = () => false): StreetPoint[] {
  return streetUpTo(12 + frame * stepM).filter((point) => !without(point));
}

/** Free ones, ahead of the robot and above the road, where nothing stands. */
export function freeAt(frame: number): StreetPoint[] {
  const placeOf = ({ x, y, z }: StreetPoint): string => `${x} ${y} ${z}`;
  const taken = new Set(occupiedAt(frame).map(placeOf));
  const points: StreetPoint[] = [];
  for (let x = 2; x < 8; x += edgeM) {
    for (let y = -3; y < 3; y += edgeM) {
      for (let z = 0.5; z < 2; z += edgeM) {
        points.push({ x: frame * stepM + x + edgeM / 2, y: y + edgeM / 2, z: z + edgeM / 2, p: 0 });
      }
    }
  }
  return points.filter((point) => !taken.has(placeOf(point)));
}

/** A made-up map.mcap, as `replay --out` writes it: a drive along the street, a new metre of it a frame. */
export async function writeRecording(path: string, options: RecordingOptions = {}): Promise<string> {
  const { frames = 20, without, fromNs = firstNs } = options;
  const sink = await McapSink.open(path);
  for (const [topic, type] of [
    ["octomap_binary", "octomap_msgs/msg/Octomap"],
    ["/diagnostics", "diagnostic_msgs/msg/DiagnosticArray"],
    ["left/image_rect/compressed", "sensor_msgs/msg/CompressedImage"],
    ["left/camera_info", "sensor_msgs/msg/CameraInfo"],
    ["detections", "vision_msgs/msg/Detection2DArray"],
    ["detections_3d", "vision_msgs/msg/Detection3DArray"],
    ["patch_mask", "sensor_msgs/msg/Image"],
    ["/tf", "tf2_msgs/msg/TFMessage"],
    ["/tf_static", "tf2_msgs/msg/TFMessage"],
  ] as const) {
    sink.addTopic(topic, type);
  }
  const camera = { width: 440, height: 200, fx: 240, fy: 240, cx: 219.5, cy: 99.5, baselineM: 0.3, doffsPx: 0 };
  const health = new Health();
  const mount = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 1.5);
  const standing = { stampNs: fromNs, parent: "base_link", child: "left_optical", isStatic: true };
  await sink.write("/tf_static", fromNs, writeTfMessage([{ ...standing, T_parent_child: mount }]));
  for (let frame = 0; frame < frames; frame += 1) {
    const stampNs = fromNs + BigInt(frame) * periodNs;
    const header = { stampNs, frameId: "left_optical" };
    const T_parent_child = Float64Array.of(1, 0, 0, frame * stepM, 0, 1, 0, 0, 0, 0, 1, 0);
    const moving = { stampNs, parent: "odom", child: "base_link", isStatic: false };
    await sink.write("/tf", stampNs, writeTfMessage([{ ...moving, T_parent_child }]));
    await sink.write("left/camera_info", stampNs, writeCameraInfo({ ...cameraInfosOf(camera).left, ...header }));
    await sink.write("left/image_rect/compressed", stampNs, writeCompressedImage(header, "jpeg", await picture(frame)));
    const states = encoded(occupiedAt(frame, without), freeAt(frame));
    await sink.write("octomap_binary", stampNs, octomapBinaryMessage({ stampNs, frameId: "odom" }, edgeM, states));
    const car = { id: "3", classId: "car", score: 0.9, left: 100 + frame, top: 60, right: 200 + frame, bottom: 140 };
    await sink.write("detections", stampNs, writeDetections2D(header, [car]));
    const solid = { id: "3", classId: "car", score: 0.9, centreM: [-1, 0.5, 8], sizeM: [2, 1.5, 2] } as const;
    await sink.write("detections_3d", stampNs, writeDetections3D(header, [solid]));
    const mask = {
      width: 440,
      height: 200,
      channels: 1,
      data: new Uint8Array(440 * 200).fill(255, 0, 440 * 20),
    } as const;
    await sink.write("patch_mask", stampNs, writeImage(header, mask));
    if (frame === 12) health.raise("/right/image_rect", "PAIR_LONE", "no partner within 20 ms");
    const values = { pairs_processed: frame + 1, network_p50_ms: "31.5" };
    await sink.write("/diagnostics", stampNs, diagnosticsMessage(stampNs, "stereo_voxel_node", health, values));
  }
  await sink.close();
  return path;
}

const encoder = new OctomapEncoder();

function encoded(occupied: readonly StreetPoint[], free: readonly StreetPoint[]): Uint8Array {
  const map = new OccupancyMap({ resolutionM: edgeM, windowM: 512 });
  for (const [points, state] of [
    [free, FREE],
    [occupied, OCCUPIED],
  ] as const) {
    const leaves: OctomapLeaves = {
      count: points.length,
      keys: Uint16Array.from(points.flatMap(({ x, y, z }) => [x, y, z].map((v) => keyOf(v, edgeM)))),
      depth: new Uint8Array(points.length).fill(16),
      state: new Uint8Array(points.length).fill(state),
      nodes: 0,
    };
    loadLeaves(map, leaves);
  }
  return encoder.borrowBinary(map).slice();
}

/** Its brightness tells the frame. */
async function picture(frame: number): Promise<Uint8Array> {
  const grey = 20 + frame * 10;
  return await sharp({ create: { width: 440, height: 200, channels: 3, background: { r: grey, g: grey, b: grey } } })
    .jpeg()
    .toBuffer();
}
