import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  detectorInputs,
  detectorNodeName,
  detectorOutputs,
  detectorServices,
} from "../../src/config/detector-topics.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { type StereoNodeConfig, stereoNodeSchema } from "../../src/config/stereo-node-schema.ts";
import { stereoInputs, stereoNodeName, stereoOutputs, stereoServices } from "../../src/config/stereo-topics.ts";
import type { Topic } from "../../src/config/topic.ts";
import { mapTopics } from "../../src/msg/map-messages.ts";
import { readText, readYaml, root, valuesOf } from "./support.ts";

const cameras = ["zed2", "realsense_d4xx", "oak_d"];
const nav2Files = readdirSync(join(root, "launch/params/nav2")).map((name) => `launch/params/nav2/${name}`);

/** The node's topics by the names that they have in the root namespace. */
const topics = new Map<string, Topic>(
  [...Object.values(stereoInputs), ...Object.values(stereoOutputs)].map((topic) => [absolute(topic.name), topic]),
);

function absolute(name: string): string {
  if (name.startsWith("~/")) return `/${stereoNodeName}/${name.slice(2)}`;
  return name.startsWith("/") ? name : `/${name}`;
}

/** What YAML holds, looked into by name. */
interface Tree {
  readonly [name: string]: Tree;
}

interface RosParameters {
  readonly "/**": { readonly ros__parameters: Record<string, unknown> };
}

/** The overlay's values over the defaults; throws where a name or value is not the schema's. */
function configOf(camera: string): StereoNodeConfig {
  const file = `launch/params/${camera}.yaml`;
  return parseConfig(stereoNodeSchema, readYaml<RosParameters>(file)["/**"].ros__parameters, file);
}

describe("parameter files", () => {
  it.each(cameras)("%s sets what the schema has, doubles with a point", (camera) => {
    const { max_range, voxel_size } = configOf(camera);
    // The grid is 64 voxels deep; what lies further would never be seen.
    expect(max_range).toBeLessThanOrEqual(64 * voxel_size);
    for (const line of readText(`launch/params/${camera}.yaml`).split("\n")) {
      const [, name, value] = /^ {4}([a-z_]+): (.*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const { kind } = (stereoNodeSchema as Record<string, { kind: string }>)[name]!;
      if (kind === "double") expect(value, `${name}: rcl reads ${value} as an integer`).toMatch(/^-?\d+\.\d+$/);
    }
  });

  it("every file of launch/params is one of those that are tested", () => {
    const known = ["stereo", "detector", "bag_qos", ...cameras].map((name) => `${name}.yaml`);
    const present = readdirSync(join(root, "launch/params")).filter((name) => name.endsWith(".yaml"));
    expect(present.sort()).toEqual(known.sort());
    expect(nav2Files.map((file) => file.split("/").at(-1)).sort()).toEqual([
      "collision_monitor.yaml",
      "stvl.yaml",
      "voxel_layer.yaml",
    ]);
  });
});

interface Source {
  readonly topic: string;
  readonly marking: boolean;
  readonly clearing: boolean;
  readonly sensor_frame: string;
  readonly min_obstacle_height: number;
  readonly max_obstacle_height: number;
  readonly obstacle_max_range: number;
  readonly raytrace_max_range: number;
  readonly expected_update_rate: number;
}

type Layer = Record<string, unknown> & { readonly observation_sources: string };

function sourcesOf(layer: Layer): Source[] {
  return layer.observation_sources.split(" ").map((name) => layer[name] as Source);
}

describe("Nav2 files", () => {
  it.each(nav2Files)("%s takes points that the node publishes", (file) => {
    const named = [...valuesOf(readYaml(file), "topic")] as string[];
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(topics.get(name)?.type, name).toBe("sensor_msgs/msg/PointCloud2");
  });

  it.each(["local_costmap", "global_costmap"])("%s: the traps of VoxelLayer", (costmap) => {
    const file = readYaml<Tree>("launch/params/nav2/voxel_layer.yaml");
    const parameters = file[costmap]![costmap]!["ros__parameters"] as Tree;
    const layer = parameters["voxel_layer"] as unknown as Layer & Record<string, number>;
    expect(parameters["plugins"]).toContain("voxel_layer");
    expect(layer["z_voxels"]).toBeLessThanOrEqual(16);
    const [mark, clear] = sourcesOf(layer) as [Source, Source];
    expect(mark).toMatchObject({ topic: absolute(stereoOutputs.points.name), marking: true, clearing: false });
    expect(clear).toMatchObject({ topic: absolute(stereoOutputs.pointsClearing.name), marking: false, clearing: true });
    expect(mark.max_obstacle_height).toBe(layer["max_obstacle_height"]);
    expect(clear.min_obstacle_height).toBeLessThanOrEqual(-10);
    expect(clear.max_obstacle_height).toBeGreaterThanOrEqual(10);
    expect(clear.raytrace_max_range).toBeGreaterThan(mark.obstacle_max_range);
    for (const { expected_update_rate, sensor_frame } of [mark, clear]) {
      expect(sensor_frame).toBe("");
      // A period: some frames of a 10 Hz camera, and no whole second of blindness.
      expect(expected_update_rate).toBeGreaterThanOrEqual(0.3);
      expect(expected_update_rate).toBeLessThanOrEqual(1);
    }
    for (const camera of cameras) {
      const { voxel_size } = configOf(camera);
      expect(mark.min_obstacle_height, camera).toBeGreaterThan(voxel_size / 2);
      expect(parameters["resolution"], camera).toBeLessThanOrEqual(Math.max(voxel_size / 2, 0.1));
    }
  });

  it("STVL marks points and clears along the optical axis", () => {
    const file = readYaml("launch/params/nav2/stvl.yaml");
    const [layer] = [...valuesOf(file, "stvl_layer")] as [Layer];
    const [mark, clear] = sourcesOf(layer) as [Source, Source & Record<string, number>];
    expect(mark).toMatchObject({ marking: true, clearing: false, sensor_frame: "", clear_after_reading: true });
    expect(clear).toMatchObject({ marking: false, clearing: true, sensor_frame: "", model_type: 0 });
    expect(clear["vertical_fov_angle"]).toBeLessThan(clear["horizontal_fov_angle"]!);
    expect(mark.max_obstacle_height).toBeGreaterThan(0);
  });

  it("the collision monitor sees above its default height and stops on silence", () => {
    const [monitor] = [...valuesOf(readYaml("launch/params/nav2/collision_monitor.yaml"), "ros__parameters")] as [Tree];
    expect(monitor["source_timeout"]).toBeGreaterThan(0);
    expect(monitor["source_timeout"]).toBeLessThan(2);
    expect(monitor["voxelguard"]).toMatchObject({ type: "pointcloud", max_height: 2 });
    for (const camera of cameras) {
      expect(monitor["voxelguard"]!["min_height"]).toBeGreaterThan(configOf(camera).voxel_size / 2);
    }
  });
});

interface Display {
  readonly Class: string;
  readonly Name: string;
  readonly Enabled?: boolean;
  readonly Topic?: Readonly<Record<string, string | number>>;
}

interface Rviz {
  readonly "Visualization Manager": {
    readonly Displays: readonly Display[];
    readonly "Global Options": { readonly "Fixed Frame": string };
  };
}

describe("rviz/voxelguard.rviz", () => {
  const rviz = readYaml<Rviz>("rviz/voxelguard.rviz");
  const { Displays: displays, "Global Options": options } = rviz["Visualization Manager"];
  const typeOf: Record<string, string> = {
    "rviz_default_plugins/PointCloud2": "sensor_msgs/msg/PointCloud2",
    "rviz_default_plugins/Map": "nav_msgs/msg/OccupancyGrid",
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "octomap_rviz_plugins/OccupancyGrid": "octomap_msgs/msg/Octomap",
  };

  it("shows every topic of the table that can be shown, by type and QoS", () => {
    const shown = displays.flatMap(({ Class, Name, Topic }) => (Topic === undefined ? [] : { Class, Name, Topic }));
    for (const { Class, Name, Topic } of shown) {
      const topic = topics.get(String(Topic["Value"]));
      expect(topic, Name).toBeDefined();
      expect(typeOf[Class], Name).toBe(topic!.type);
      const { reliability, durability, depth } = topic!.qos;
      expect(Topic["Reliability Policy"]).toBe(reliability === "reliable" ? "Reliable" : "Best Effort");
      expect(Topic["Durability Policy"]).toBe(durability === "volatile" ? "Volatile" : "Transient Local");
      expect(Topic["Depth"]).toBe(depth);
    }
    const displayable = [...topics].filter(([, { type }]) => Object.values(typeOf).includes(type));
    expect(shown.map(({ Topic }) => Topic["Value"]).sort()).toEqual(displayable.map(([name]) => name).sort());
    expect([...valuesOf(rviz, "Topic")]).toHaveLength(shown.length);
  });

  it("boxes have the default voxel size, clearing rays are off, the fixed frame is the map's", () => {
    const named = (name: string) => displays.find(({ Name }) => Name === name);
    expect(named("Occupied voxels")).toMatchObject({
      Style: "Boxes",
      "Size (m)": stereoNodeSchema.voxel_size.fallback,
    });
    expect(named("Clearing rays")?.Enabled).toBe(false);
    expect(displays.map(({ Class }) => Class)).toContain("rviz_default_plugins/TF");
    expect(options["Fixed Frame"]).toBe(stereoNodeSchema["map.frame"].fallback);
  });
});

describe("package.xml and CMakeLists.txt", () => {
  const xml = readText("package.xml");
  const cmake = readText("CMakeLists.txt").replace(/#.*/g, "");

  it("depends on the message package of every topic and service, but for octomap_msgs", () => {
    const detector = [detectorInputs, detectorOutputs, detectorServices].flatMap((each) => Object.values(each));
    const types = [...topics.values(), ...Object.values(stereoServices), ...detector].map(
      ({ type }) => type.split("/")[0]!,
    );
    for (const name of new Set(types)) {
      expect(xml.includes(`<exec_depend>${name}</exec_depend>`), name).toBe(name !== "octomap_msgs");
    }
    expect(xml).toContain(
      `<version>${(JSON.parse(readText("package.json")) as { version: string }).version}</version>`,
    );
  });

  it("installs only what exists, dist and node_modules being made by npm", () => {
    const installed = [...cmake.matchAll(/install\((DIRECTORY|FILES|PROGRAMS) ([^)]*?) DESTINATION/g)];
    expect(installed).toHaveLength(5);
    const paths = installed.flatMap(([, , list]) => list!.split(" "));
    expect(paths).toEqual([
      "dist",
      "models",
      "launch",
      "rviz",
      "package.json",
      "LICENSE",
      "launch/params/",
      "build/centernet",
      "launch/bin/node",
    ]);
    const made = ["dist", "build/centernet"];
    for (const path of paths.filter((name) => !made.includes(name)))
      expect(existsSync(join(root, path)), path).toBe(true);
    expect(statSync(join(root, "launch/bin/node")).mode & 0o111).not.toBe(0);
    expect(xml).toContain('<license file="LICENSE">');
  });

  it.each([stereoNodeName, detectorNodeName])("the program %s starts what the build makes of nodes/", (name) => {
    expect(readText("launch/bin/node")).toContain("share/voxelguard/dist/nodes/$name.js");
    expect(cmake).toMatch(new RegExp(`foreach\\(node [^)]*\\b${name}\\b`));
    expect(existsSync(join(root, `nodes/${name}.ts`))).toBe(true);
  });
});

it("the topics table names what the map writes", () => {
  for (const [output, { topic, type }] of Object.entries(mapTopics)) {
    const published = stereoOutputs[output as keyof typeof stereoOutputs];
    expect([published.name.replace("~/", ""), published.type]).toEqual([topic, type]);
  }
});

it("the Fast DDS profile has a segment that holds several large messages", () => {
  const profile = readText("launch/dds/fastdds-shm.xml").replace(/<!--[\s\S]*?-->/g, "");
  const number = (tag: string) => Number(new RegExp(`<${tag}>(\\d+)</${tag}>`).exec(profile)?.[1]);
  expect(number("segment_size")).toBe(32 << 20);
  expect(number("maxMessageSize")).toBe(4 << 20);
  const ids = [...profile.matchAll(/<transport_id>(\w+)<\/transport_id>/g)].map(([, id]) => id!);
  expect(ids.slice(0, 2)).toEqual(ids.slice(2));
});
