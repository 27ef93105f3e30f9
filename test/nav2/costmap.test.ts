import { beforeAll, describe, expect, it } from "vitest";
import type { OctreeFrame } from "../../src/core/occupancy.ts";
import { decodeCdr } from "../../src/msg/codec.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { MapOutputs } from "../../src/pipeline/map-outputs.ts";
import type { MapStep } from "../../src/pipeline/map-steps.ts";
import { readYaml } from "../launch/support.ts";
import { opticalPose } from "../octree/frames.ts";
import { streetCamera, streetFrame, streetGrid } from "../octree/street.ts";
import { type LayerParameters, observe, type SourceParameters, VoxelLayer } from "../support/voxel-layer.ts";

/** The costmap that ships, under Nav2's names. */
interface LocalCostmap {
  readonly width: number;
  readonly resolution: number;
  readonly voxel_layer: LayerParameters & {
    readonly voxelguard_mark: SourceParameters;
    readonly voxelguard_clear: SourceParameters;
  };
}

const costmap = readYaml<{ local_costmap: { local_costmap: { ros__parameters: LocalCostmap } } }>(
  "launch/params/nav2/voxel_layer.yaml",
).local_costmap.local_costmap.ros__parameters;
const { voxelguard_mark, voxelguard_clear, ...layer } = costmap.voxel_layer;

/** The street of test/octree shrunk to a robot's size: 0.2 m voxels, the camera 0.64 m above the floor. */
const voxelM = 0.2;
const cameraHeightM = (1.6 / streetGrid.voxelSizeM) * voxelM;
/** Where the person stands, x and y of the costmap: 3.6 m ahead. */
const person = [3.4, 4.2, -0.5, 0.5] as const;

type Points = number[][];
interface Clouds {
  readonly points: Points;
  readonly clearing: Points;
}

let present: Clouds;
let removed: Clouds;

beforeAll(() => {
  present = cloudsOf(streetFrame(0));
  // Moved out of the grid.
  removed = cloudsOf(streetFrame(100));
});

/** What MapOutputs publishes of a frame, read back from its CDR; metres, left optical frame. */
function cloudsOf(street: OctreeFrame, voxelSizeM = voxelM, calibration = streetCamera): Clouds {
  const frame = { ...street, grid: { ...streetGrid, voxelSizeM } };
  const header = { stampNs: 0n, frameId: "left_optical" };
  const image = { width: 1, height: 1, channels: 1 as const, data: new Uint8Array(1) };
  const step: MapStep = {
    pair: { ...header, left: image, right: image, calibration },
    header,
    fixed: { stampNs: 0n, frameId: "odom" },
    frame,
    map: new OccupancyMap({ resolutionM: voxelSizeM }),
    T_fixed_camera: opticalPose(0, 0, cameraHeightM, 0),
    T_fixed_base: undefined,
    isPosed: true,
  };
  const outputs = new MapOutputs({
    maxRangeM: 64 * voxelSizeM,
    minHeightM: 0.1,
    maxHeightM: 2,
    maxMarkers: 0,
    node: "test",
  });
  const messages = [...outputs.messages(step, new Set(["points", "pointsClearing"] as const))];
  const [points, clearing] = messages.map(({ data }) => pointsOf(data));
  return { points: points!, clearing: clearing! };
}

function pointsOf(message: Uint8Array): Points {
  const type = "sensor_msgs/msg/PointCloud2";
  const { width, data } = decodeCdr<{ width: number; data: Uint8Array }>(type, message);
  const values = new Float32Array(data.slice().buffer);
  return Array.from({ length: width }, (_, i) => [values[4 * i]!, values[4 * i + 1]!, values[4 * i + 2]!]);
}

interface Pose {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly yaw: number;
}

class Robot {
  readonly layer: VoxelLayer;
  readonly #T: ReturnType<typeof opticalPose>;
  readonly #clear: SourceParameters;
  readonly #mark: SourceParameters;

  constructor(
    { x, y, z, yaw }: Pose,
    parameters: Partial<LayerParameters> = {},
    clear = voxelguard_clear,
    mark = voxelguard_mark,
  ) {
    const half = costmap.width / 2;
    const extent = { originXM: -half, originYM: -half, widthM: costmap.width, resolutionM: costmap.resolution };
    this.layer = new VoxelLayer({ ...layer, ...parameters }, extent);
    this.#T = opticalPose(x, y, z, yaw);
    this.#clear = clear;
    this.#mark = mark;
  }

  see({ points, clearing }: Clouds): void {
    this.layer.update([observe(clearing, this.#T, this.#clear)], [observe(points, this.#T, this.#mark)]);
  }
}

const straight = { x: 0, y: 0, z: cameraHeightM, yaw: 0 };

describe("Nav2's VoxelLayer over points and points_clearing, with the parameters that ship", () => {
  it("marks the person and clears the place within three frames after they left", () => {
    const robot = new Robot(straight);
    robot.see(present);
    expect(robot.layer.lethalIn(person)).toBeGreaterThan(0);
    const left = [1, 2, 3].map(() => {
      robot.see(removed);
      return robot.layer.lethalIn(person);
    });
    expect(left[2]).toBe(0);
  });

  it("clears nothing of what is still there", () => {
    const robot = new Robot(straight);
    robot.see(present);
    const seen = robot.layer.lethalIn(person);
    for (let n = 0; n < 10; n += 1) robot.see(present);
    expect(robot.layer.lethalIn(person)).toBe(seen);
  });

  it("keeps the person for ever without points_clearing, and when points do both", () => {
    for (const clearing of [[], removed.points]) {
      const robot = new Robot(straight);
      robot.see({ points: present.points, clearing: [] });
      const seen = robot.layer.lethalIn(person);
      for (let n = 0; n < 20; n += 1) robot.see({ points: removed.points, clearing });
      expect(robot.layer.lethalIn(person)).toBe(seen);
      expect(seen).toBeGreaterThan(0);
    }
  });

  /** A post just within the marking range, as a box of the street. */
  const postAt = (rangeM: number, voxelSizeM: number) => {
    const z = ((rangeM - 0.4) / voxelSizeM) * streetGrid.voxelSizeM;
    return [0.05 * z, 0.085 * z, -0.2, 1.6, z, z + 0.6];
  };
  const { obstacle_max_range: rangeM } = voxelguard_mark as Required<SourceParameters>;
  // The frame is the same; a wide camera spreads its rays further.
  const wide = { ...streetCamera, fx: 308, fy: 308 };
  it.each([
    ["0.2 m voxels, a view of 64 degrees", rangeM, 0.2, streetCamera, [0, 0.04], [0, 0.05, 0.1]],
    ["0.1 m voxels, a view of 64 degrees", rangeM, 0.1, streetCamera, [0.04], [0]],
    ["0.2 m voxels, a view of 110 degrees", 5, 0.2, wide, [0.04], [0]],
    ["0.1 m voxels, a view of 110 degrees", 5, 0.1, wide, [0.04], [0]],
  ])(
    "leaves no ghost anywhere, wherever the voxels lie against the costmap's cells: %s",
    (_, range, voxelSizeM, camera, ys, ups) => {
      const heightM = (1.6 / streetGrid.voxelSizeM) * voxelSizeM;
      const [before, after] = [streetFrame(0, [postAt(range, voxelSizeM)]), streetFrame(100)].map((frame) =>
        cloudsOf(frame, voxelSizeM, camera),
      );
      const poses = [0, 0.03, 0.07].flatMap((x) =>
        ys.flatMap((y) => ups.flatMap((up) => [0, 0.3].map((yaw) => ({ x, y, z: heightM + up, yaw })))),
      );
      for (const pose of poses) {
        const mark = { ...voxelguard_mark, obstacle_max_range: range };
        const [robot, fresh] = [
          new Robot(pose, {}, voxelguard_clear, mark),
          new Robot(pose, {}, voxelguard_clear, mark),
        ];
        robot.see(before!);
        const marked = lethal(robot.layer);
        for (let n = 0; n < 3; n += 1) robot.see(after!);
        fresh.see(after!);
        // Whatever a robot that never saw those who left does not mark.
        const there = new Set(lethal(fresh.layer));
        const gone = marked.filter((cell) => !there.has(cell));
        const aheadM = gone.map((cell) => distanceM(robot.layer, cell, pose));
        expect(Math.max(...aheadM)).toBeGreaterThan(range - 0.5);
        expect(
          lethal(robot.layer).filter((cell) => !there.has(cell)),
          JSON.stringify(pose),
        ).toEqual([]);
      }
      expect(poses).toHaveLength(6 * ys.length * ups.length);
    },
  );
});

describe("the traps that the parameter file names", () => {
  it("a clearing source with the heights of a marking one leaves the person standing", () => {
    const robot = new Robot(straight, {}, { ...voxelguard_clear, min_obstacle_height: 0.5, max_obstacle_height: 0.55 });
    robot.see({ points: present.points, clearing: [] });
    for (let n = 0; n < 3; n += 1) robot.see(removed);
    expect(robot.layer.lethalIn(person)).toBeGreaterThan(0);
  });

  it("a camera above the grid clears nothing", () => {
    const robot = new Robot(straight, { z_voxels: 3 });
    robot.see({ points: present.points, clearing: [] });
    const seen = robot.layer.lethalIn(person);
    for (let n = 0; n < 3; n += 1) robot.see(removed);
    expect(seen).toBeGreaterThan(0);
    expect(robot.layer.lethalIn(person)).toBe(seen);
  });

  it("a source whose max_obstacle_height is left at Nav2's default drops every point", () => {
    const T = opticalPose(0, 0, cameraHeightM, 0);
    const source = { ...voxelguard_mark, max_obstacle_height: 0 };
    expect(observe(present.points, T, source).xyz).toEqual([]);
    expect(observe(present.points, T, voxelguard_mark).xyz.length).toBeGreaterThan(0);
  });
});

/** From the robot to the middle of a cell. */
function distanceM({ size }: VoxelLayer, cell: number, { x, y }: Pose): number {
  const at = (index: number) => (index + 0.5) * costmap.resolution - costmap.width / 2;
  return Math.hypot(at(cell % size) - x, at(Math.floor(cell / size)) - y);
}

function lethal({ costs }: VoxelLayer): number[] {
  return Array.from(costs.keys()).filter((cell) => costs[cell] === 254);
}
