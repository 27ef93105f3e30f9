import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkRos, hasInterfaces, lackOf } from "./environment.ts";

const root = join(import.meta.dirname, "../..");
const bare = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

it("names everything that is missing where no ROS is sourced, each with its remedy", () => {
  const checks = checkRos(bare);
  expect(checks.map(({ name }) => name)).toEqual([
    "ROS 2 is sourced",
    "librcl.so is found",
    "message packages",
    "rclnodejs is installed",
  ]);
  for (const { problem } of checks.slice(0, 3)) expect(problem?.remedy).toMatch(/source|apt-get install/);
});

it("names the message packages that a distribution lacks", () => {
  const [, , messages] = checkRos({ ...bare, ROS_DISTRO: "jazzy", AMENT_PREFIX_PATH: "/nowhere" });
  expect(messages?.problem?.message).toContain("nav_msgs");
  expect(messages?.problem?.remedy).toContain("ros-jazzy-nav-msgs");
  // Only two outputs want it, and those are off without.
  expect(messages?.problem?.message).not.toContain("octomap_msgs");
  const env = { ...bare, ROS_DISTRO: "jazzy", AMENT_PREFIX_PATH: "/nowhere" };
  expect(hasInterfaces("octomap_msgs/msg/Octomap", env)).toBe(false);
  expect(lackOf("octomap_msgs/msg/Octomap", env)).toContain("apt-get install ros-jazzy-octomap-msgs");
});

it("the node says so and ends with 1, without starting a compiler", () => {
  const node = join(root, "nodes/stereo_voxel_node.ts");
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", node], {
    cwd: root,
    env: bare,
    encoding: "utf8",
  });
  expect(stderr).toContain("A live node cannot run here: no ROS 2 is sourced here");
  expect(stderr).toContain("Run `source /opt/ros/<distribution>/setup.bash`");
  expect(stderr).toContain("[ROS_MISSING]");
  expect(status).toBe(1);
});
