import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { detectorNodeSchema } from "../../src/config/detector-node-schema.ts";
import { detectorNodeName } from "../../src/config/detector-topics.ts";
import { stereoNodeSchema } from "../../src/config/stereo-node-schema.ts";
import { imageTopic, stereoInputs, stereoNodeName, stereoOutputs } from "../../src/config/stereo-topics.ts";
import { pythonWith } from "../support/python.ts";
import { type Action, evaluate, root } from "./support.ts";

const python = pythonWith("ast");
const stereo = "launch/stereo.launch.py";
const replay = "launch/replay.launch.py";

const run = (file: string, ...sets: Record<string, string>[]) => evaluate(python!, file, sets);
const once = (file: string, given: Record<string, string> = {}) => run(file, given)[0]!;
const node = (actions: readonly Action[], name: string) =>
  actions.find(({ kind, executable }) => kind === "Node" && executable === name);
const pairs = (value: unknown) => Object.fromEntries(value as [string, string][]);

/** A value that is not the default, for every argument. */
const others: Record<string, string> = {
  namespace: "front",
  use_sim_time: "true",
  params_file: "/tmp/mine.yaml",
  log_level: "debug",
  camera: "zed2",
  left_namespace: "/cam/l",
  right_namespace: "/cam/r",
  image_topic: "image_raw",
  image_transport: "compressed",
  approximate_sync: "true",
  model_path: "/models/mine",
  autostart: "false",
  respawn: "true",
  detector: "true",
  detector_params_file: "/tmp/detector.yaml",
  dds_profile: "false",
  use_rviz: "true",
  rviz_config: "/tmp/mine.rviz",
  nav2: "true",
  nav2_params: join(root, "launch/params/nav2/stvl.yaml"),
  nav2_overlays: "stvl.yaml",
  bag: "/bags/drive",
  rate: "0.5",
  clock_hz: "40",
  loop: "true",
  start_delay: "5",
};
/** Arguments that only mean something beside another one. */
const beside: Record<string, Record<string, string>> = {
  detector_params_file: { detector: "true" },
  rviz_config: { use_rviz: "true" },
  nav2_params: { nav2: "true" },
  nav2_overlays: { nav2: "true" },
};

/** The merged Nav2 file by its content, and gone. */
function taken(actions: readonly Action[]): unknown {
  return actions.map((action) => {
    const given = action.kind === "Include" ? pairs(action["launch_arguments"]) : {};
    if (given["params_file"] === undefined) return action;
    const content = readFileSync(given["params_file"], "utf8");
    rmSync(given["params_file"]);
    return { ...action, launch_arguments: { ...given, params_file: content } };
  });
}

describe.skipIf(python === undefined)("launch files", () => {
  it.each([stereo, replay])("%s is Python", (file) => {
    const script = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
    expect(spawnSync(python!, ["-c", script, join(root, file)]).status).toBe(0);
  });

  it.each([stereo, replay])(
    "every argument of %s is described, lies within its choices and changes what is done",
    (file) => {
      const required = file === replay ? { bag: "/bags/a" } : {};
      const { declared } = once(file, required);
      const names = Object.keys(declared);
      const otherOf = (name: string) => (declared[name]!.default_value === "true" ? "false" : others[name]!);
      const sets = names.flatMap((name) => {
        const with_ = { ...required, ...beside[name] };
        return [with_, { ...with_, [name]: otherOf(name) }];
      });
      const results = run(file, ...sets).map(({ actions }) => JSON.stringify(taken(actions)));
      for (const [i, name] of names.entries()) {
        const { choices, default_value, description } = declared[name]!;
        expect(description.length, name).toBeGreaterThan(10);
        if (choices !== null) expect(choices).toEqual(expect.arrayContaining([default_value, otherOf(name)]));
        expect(results[2 * i + 1], `${name} changes nothing`).not.toBe(results[2 * i]);
      }
    },
  );

  it("starts the lifecycle node alone by default, with parameters that the schema has", () => {
    const { actions } = once(stereo);
    expect(actions.map(({ kind }) => kind)).toEqual(["SetEnvironmentVariable", "SetEnvironmentVariable", "Node"]);
    const started = actions[2]!;
    expect(started).toMatchObject({ package: "voxelguard", executable: stereoNodeName, name: stereoNodeName });
    const [file, given] = started["parameters"] as [string, Record<string, unknown>];
    expect(file).toBe(join(root, "launch/params/stereo.yaml"));
    expect(given).toMatchObject({ autostart: true, use_sim_time: false, image_transport: "raw" });
  });

  it("passes only parameters that the schema has, of their kind", () => {
    const { actions } = once(stereo, { approximate_sync: "true", model_path: "/m" });
    const given = (node(actions, stereoNodeName)!["parameters"] as unknown[]).at(-1) as Record<string, unknown>;
    for (const [name, value] of Object.entries(given)) {
      if (name === "use_sim_time") continue; // declared for every node
      const parameter = (stereoNodeSchema as Record<string, { kind: string; choices?: readonly string[] }>)[name];
      expect(parameter, name).toBeDefined();
      expect(typeof value, name).toBe(parameter!.kind === "boolean" ? "boolean" : "string");
      if (parameter!.choices !== undefined) expect(parameter!.choices).toContain(value);
    }
  });

  it("remaps the node's own topics, and those alone", () => {
    const sets = ["raw", "compressed"].flatMap((image_transport) =>
      ["", "zed2", "realsense_d4xx", "oak_d"].map((camera) => ({ image_transport, camera })),
    );
    for (const [i, { actions }] of run(stereo, ...sets).entries()) {
      const { image_transport } = sets[i]!;
      const started = node(actions, stereoNodeName)!;
      const { image_topic } = (started["parameters"] as Record<string, string>[]).at(-1)!;
      const own = (["left", "right"] as const).map((side) => imageTopic(side, image_topic!, image_transport).name);
      const map = pairs(started["remappings"]);
      expect(Object.keys(map).sort()).toEqual([...own, stereoInputs.leftInfo.name, stereoInputs.rightInfo.name].sort());
      expect(new Set(Object.values(map)).size).toBe(4);
    }
  });

  it("starts the detector on the left image, with the stereo node's voxels", () => {
    for (const image_transport of ["raw", "compressed"]) {
      const { actions } = once(stereo, { detector: "true", namespace: "robot", camera: "zed2", image_transport });
      const started = node(actions, detectorNodeName)!;
      const given = (started["parameters"] as Record<string, unknown>[]).at(-1)!;
      for (const name of Object.keys(given))
        if (name !== "use_sim_time") expect(detectorNodeSchema).toHaveProperty(name);
      const map = pairs(started["remappings"]);
      const suffix = image_transport === "raw" ? "" : "/compressed";
      const ofStereo = pairs(node(actions, stereoNodeName)!["remappings"]);
      expect(map).toEqual({
        [`image_rect${suffix}`]: ofStereo[`left/image_rect${suffix}`],
        camera_info: ofStereo["left/camera_info"],
        // Relative to the same namespace, as the stereo node's own name is.
        points: `${stereoNodeName}/points`,
      });
    }
  });

  it("takes the overlay of each camera", () => {
    const { declared } = once(stereo);
    for (const camera of declared["camera"]!.choices!.filter((name) => name !== "")) {
      const { actions } = once(stereo, { camera, params_file: "/tmp/p.yaml" });
      const files = (node(actions, stereoNodeName)!["parameters"] as unknown[]).slice(0, -1) as string[];
      expect(files.map((file) => file.split("/").at(-1))).toEqual(["stereo.yaml", `${camera}.yaml`, "p.yaml"]);
      expect(existsSync(files[1]!)).toBe(true);
    }
  });

  it("RViz finds the node's topics in a namespace and the camera's pictures", () => {
    const { actions } = once(stereo, { use_rviz: "true", namespace: "front", camera: "oak_d" });
    const map = pairs(node(actions, "rviz2")!["remappings"]);
    expect(map["/left/image_rect"]).toBe("/oak/left/image_raw");
    for (const { name } of Object.values(stereoOutputs)) {
      if (!name.startsWith("~/")) continue;
      expect(map[`/stereo_voxel_node/${name.slice(2)}`]).toBe(`/front/stereo_voxel_node/${name.slice(2)}`);
    }
  });

  it("lays its costmaps over Nav2's parameters and leaves the rest", () => {
    const { actions } = once(stereo, { nav2: "true", namespace: "front" });
    const [included] = (taken(actions) as Action[]).filter(({ kind }) => kind === "Include");
    expect(included!.values).toEqual([join(root, "test/launch/nav2_bringup/launch/navigation_launch.py")]);
    const merged = JSON.parse((included!["launch_arguments"] as Record<string, string>)["params_file"]!);
    expect(merged.controller_server.ros__parameters.controller_frequency).toBe(20);
    const local = merged.local_costmap.local_costmap.ros__parameters;
    expect(local).toMatchObject({ resolution: 0.1, robot_radius: 0.22, inflation_layer: { inflation_radius: 0.55 } });
    expect(local.voxel_layer.voxelguard_mark.topic).toBe("/front/stereo_voxel_node/points");
    expect(merged.collision_monitor.ros__parameters.observation_sources).toEqual(["voxelguard"]);
  });

  it("plays a bag with a clock into the node", () => {
    const { actions } = once(replay, { bag: "/bags/a", loop: "true" });
    const [included, player] = actions;
    expect(included).toMatchObject({ kind: "Include", values: [join(root, stereo)] });
    expect(pairs(included!["launch_arguments"])).toMatchObject({ use_sim_time: "true" });
    const command = player!["cmd"] as string[];
    expect(command.slice(0, 4)).toEqual(["ros2", "bag", "play", "/bags/a"]);
    expect(command).toEqual(expect.arrayContaining(["--clock", "--rate", "--loop", "--delay"]));
    expect(existsSync(command[command.indexOf("--qos-profile-overrides-path") + 1]!)).toBe(true);
  });
});
