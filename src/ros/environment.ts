import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Fault, messageOf } from "../core/fault.ts";
import type { Rclnodejs } from "./rclnodejs.ts";

/** One thing that a live node needs. */
export interface RosCheck {
  readonly name: string;
  /** Undefined: it is there. */
  readonly problem: { readonly message: string; readonly remedy: string } | undefined;
}

const require = createRequire(import.meta.url);
const source = "Run `source /opt/ros/<distribution>/setup.bash` in this shell, and the setup of your workspace.";

/** Message packages beyond those that every ROS 2 installation brings; without others an output is off. */
const interfaces = ["tf2_msgs", "diagnostic_msgs", "visualization_msgs", "nav_msgs", "lifecycle_msgs"];

/**
 * Whether this process can have a live node, told without loading rclnodejs: loading it without a ROS starts a
 * compiler, and hides why its library does not load.
 */
export function checkRos(env: NodeJS.ProcessEnv = process.env): RosCheck[] {
  const distribution = env["ROS_DISTRO"];
  const prefixes = pathsOf(env["AMENT_PREFIX_PATH"]);
  const libraries = pathsOf(env["LD_LIBRARY_PATH"]);
  const hasLibrary = libraries.some((folder) => existsSync(join(folder, "librcl.so")));
  const lacking = lackingOf(interfaces, env);
  const check = (name: string, isThere: boolean, message: string, remedy: string): RosCheck => ({
    name,
    problem: isThere ? undefined : { message, remedy },
  });
  return [
    check(
      "ROS 2 is sourced",
      distribution !== undefined && prefixes.length > 0,
      "no ROS 2 is sourced here (ROS_DISTRO and AMENT_PREFIX_PATH are not set)",
      source,
    ),
    check("librcl.so is found", hasLibrary, "librcl.so lies in no folder of LD_LIBRARY_PATH", source),
    check(
      "message packages",
      lacking.length === 0,
      `the message packages ${lacking.join(", ")} are not in AMENT_PREFIX_PATH`,
      installing(lacking, env),
    ),
    check(
      "rclnodejs is installed",
      rclnodejsPath() !== undefined,
      "the npm package rclnodejs is not installed (it is optional, and npm leaves it out where no ROS is sourced)",
      "Source ROS 2, then run `npm install` again in the folder of voxelguard.",
    ),
  ];
}

/** Whether the package of an interface type (`octomap_msgs/msg/Octomap`) is there. */
export function hasInterfaces(type: string, env: NodeJS.ProcessEnv = process.env): boolean {
  return lackingOf([type.split("/")[0]!], env).length === 0;
}

/** Why an output of this type is off, and what to do. */
export function lackOf(type: string, env: NodeJS.ProcessEnv = process.env): string {
  const name = type.split("/")[0]!;
  return `the message package ${name} is not in AMENT_PREFIX_PATH. ${installing([name], env)}`;
}

function lackingOf(names: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const prefixes = pathsOf(env["AMENT_PREFIX_PATH"]);
  return names.filter((name) => !prefixes.some((prefix) => existsSync(join(prefix, "share", name))));
}

function installing(names: readonly string[], env: NodeJS.ProcessEnv): string {
  const packages = names.map((name) => `ros-${env["ROS_DISTRO"] ?? "<distribution>"}-${name.replaceAll("_", "-")}`);
  return `Run \`apt-get install ${packages.join(" ")}\`, or build ${names.length === 1 ? "it" : "them"} in your workspace and source it.`;
}

/** Loads rclnodejs after the check. Throws `Fault` ROS_MISSING with everything that is missing. */
export async function loadRclnodejs(): Promise<Rclnodejs> {
  const problems = checkRos().flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    throw new Fault(`A live node cannot run here: ${problems.map(({ message }) => message).join("; ")}.`, {
      code: "ROS_MISSING",
      remedy: [...new Set(problems.map(({ remedy }) => remedy))].join(" "),
    });
  }
  try {
    // Not import(): that would not look in NODE_PATH, where a graph without a distribution has it.
    return require("rclnodejs") as Rclnodejs;
  } catch (thrown) {
    throw new Fault(`rclnodejs does not load: ${messageOf(thrown)}.`, {
      code: "ROS_MISSING",
      remedy: "It is built for one ROS distribution: with yours sourced, run `npm rebuild rclnodejs`.",
      cause: thrown,
    });
  }
}

function rclnodejsPath(): string | undefined {
  try {
    return require.resolve("rclnodejs");
  } catch {
    return undefined;
  }
}

function pathsOf(list: string | undefined): string[] {
  return (list ?? "").split(":").filter((path) => path !== "");
}
