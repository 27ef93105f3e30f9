/**
 * The ROS graph that the tests run on: the one that is sourced, else the one that `build.mjs` makes in a cache folder
 * that is named after its pins.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** Everything that decides what is built. */
const pins = ["build.mjs", "requirements.txt", "messages"];

/** The profile that ships: its shared memory takes large messages. */
export const dds = join(here, "../../launch/dds/fastdds-shm.xml");

/** VOXELGUARD_ROS_DIR, else `~/.cache/voxelguard/ros-<hash of the pins>`. */
export function rosFolder() {
  const hash = createHash("sha256").update(rclnodejsVersion());
  for (const path of pins.flatMap(filesBelow).sort()) hash.update(`${path}\n`).update(readFileSync(join(here, path)));
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.VOXELGUARD_ROS_DIR ?? join(cache, "voxelguard", `ros-${hash.digest("hex").slice(0, 12)}`);
}

/** The version that package.json asks for; the graph and the package must agree. */
export function rclnodejsVersion() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(here, "../../package.json"), "utf8"));
  return optionalDependencies.rclnodejs;
}

export function isSourced() {
  return process.env.ROS_DISTRO !== undefined && process.env.AMENT_PREFIX_PATH !== undefined;
}

/** @returns {import("./environment.d.mts").RosEnvironment | string} */
export function rosEnvironment() {
  if (isSourced()) return { kind: "sourced", variables: {}, python: "python3" };
  const folder = rosFolder();
  const file = join(folder, "environment.json");
  if (existsSync(file)) {
    const { variables, python, bin } = JSON.parse(readFileSync(file, "utf8"));
    const local = { PATH: `${bin}:${process.env.PATH}`, FASTDDS_DEFAULT_PROFILES_FILE: dds };
    return { kind: "built", variables: { ...variables, ...local }, python };
  }
  const failure = join(folder, "failure.txt");
  const why = existsSync(failure) ? `; its last build said: ${readFileSync(failure, "utf8").trim()}` : "";
  return `no ROS is sourced and ${folder} holds none: run \`node tools/ros/build.mjs\`${why}`;
}

function filesBelow(path) {
  const entries = readdirSync(here, { withFileTypes: true, recursive: true });
  const inside = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(here.length + 1));
  return inside.filter((name) => name === path || name.startsWith(`${path}/`));
}
