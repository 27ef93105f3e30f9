import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { arrayOf, readNpz } from "../../src/io/npz.ts";
import type { Scan } from "../../test/octree/scans.ts";
import { pythonWith } from "../../test/support/python.ts";
import { sharedData } from "../../test/support/shared-data.ts";

/** Every second pixel of every second row: some 90,000 points a pair. */
const EVERY = 2;

/** One sweep of a KITTI car's lidar, the points that its left camera sees, as rays from that camera. */
export async function kittiLidar(): Promise<Scan[] | undefined> {
  const path = sharedData("open/stereo/kitti_object_demo/lidar.npz");
  if (path === undefined) return undefined;
  const { data, shape } = arrayOf(await readNpz(path), "points", 2, path);
  const count = shape[0]!;
  const xyz = new Float32Array(count * 3);
  for (let i = 0; i < count; i += 1) {
    xyz.set([data[i * 3 + 2]!, -data[i * 3]!, -data[i * 3 + 1]!], i * 3);
  }
  return [{ origin: new Float32Array(3), xyz, count }];
}

/** The first `count` pairs of a KITTI drive, 1.2 m apart, matched by OpenCV's StereoSGBM. */
export function kittiStereo(count: number): Scan[] | undefined {
  const folder = sharedData("open/seq/kitti_odometry");
  const python = folder && pythonWith("cv2", "numpy");
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL("./kitti_points.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, folder!, String(EVERY), String(count)], {
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`bench/support/kitti_points.py: ${stderr}`);
  const bytes = Uint8Array.from(stdout).buffer;
  let at = 0;
  return Array.from({ length: count }, () => {
    const points = new Int32Array(bytes, at, 1)[0]!;
    const origin = new Float32Array(bytes, at + 4, 3);
    const xyz = new Float32Array(bytes, at + 16, points * 3);
    at += 16 + xyz.byteLength;
    return { origin, xyz, count: points };
  });
}
