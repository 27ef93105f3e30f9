import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { asFault, Fault, messageOf } from "../core/fault.ts";
import { timeOf } from "../msg/header.ts";
import { mapBinary, mapFile, parseMapFile, type SavedMap } from "../pipeline/map-file.ts";
import type { MapStep } from "../pipeline/map-steps.ts";

type WrittenStep = Pick<MapStep, "map" | "fixed">;

/** Answer of std_srvs/Trigger. */
export interface TriggerAnswer {
  readonly success: boolean;
  readonly message: string;
}

/**
 * Writes the map to `path`, `.bt` or `.ot`, whole or not at all. Never rejects: what is wrong (no such folder, another
 * ending, an empty map) is said in the answer.
 */
export async function saveMap(
  path: string,
  last: WrittenStep | undefined,
  write: (path: string, data: Uint8Array) => Promise<void>,
): Promise<TriggerAnswer> {
  try {
    checkPlace("save_map_path", path, "for the map");
    if (last === undefined || last.map.store.count === 0) throw emptyMap();
    const data = mapFile(path, last.map);
    await write(path, data);
    const cell = `cells of ${last.map.resolutionM} m in the frame ${last.fixed.frameId}`;
    return { success: true, message: `${path}: ${data.length} bytes, ${cell}` };
  } catch (thrown) {
    return refusal(thrown, "The map was not saved.");
  }
}

/**
 * Reads the map at `path` and hands it to `put`, which says what it did with it. Never rejects: what is wrong with the
 * file is said in the answer, and then nothing was put anywhere.
 */
export async function loadMap(path: string, put: (saved: SavedMap) => string): Promise<TriggerAnswer> {
  try {
    checkPlace("load_map_path", path, "to load a map from");
    return { success: true, message: put(parseMapFile(path, await readMap(path))) };
  } catch (thrown) {
    return refusal(thrown, "The map was not loaded.");
  }
}

/** A request of octomap_msgs/BoundingBoxQuery. */
export interface BoxRequest {
  readonly min: { readonly x: number; readonly y: number; readonly z: number };
  readonly max: { readonly x: number; readonly y: number; readonly z: number };
}

/**
 * Makes the box unknown; returns how many cells were known. Throws `Fault` CONFIG_INVALID for a box that is none: the
 * answer of this service has no room for words.
 */
export function clearBox(last: WrittenStep | undefined, { min, max }: BoxRequest): number {
  if (!(min.x <= max.x && min.y <= max.y && min.z <= max.z)) {
    const text = ({ x, y, z }: BoxRequest["min"]) => `(${x}, ${y}, ${z})`;
    throw new Fault(`~/clear_bbox was asked for the box from ${text(min)} to ${text(max)} m; nothing was cleared.`, {
      code: "CONFIG_INVALID",
      remedy: "Give min <= max on each axis, metres, in the frame of the map.",
    });
  }
  return last?.map.clearBox([min.x, min.y, min.z], [max.x, max.y, max.z]) ?? 0;
}

/** Answer of octomap_msgs/GetOctomap, as rclnodejs takes it; the empty tree before the first pair. */
export function octomapAnswer(last: WrittenStep | undefined): object {
  const data = last === undefined ? new Uint8Array(0) : mapBinary(last.map);
  const { stampNs, frameId } = last?.fixed ?? { stampNs: 0n, frameId: "" };
  const { sec, nanosec } = timeOf(stampNs);
  const header = { stamp: { sec, nanosec }, frame_id: frameId };
  const bytes = Int8Array.from(data);
  return { map: { header, binary: true, id: "OcTree", resolution: last?.map.resolutionM ?? 0, data: bytes } };
}

function refusal(thrown: unknown, what: string): TriggerAnswer {
  const { message, remedy } = asFault(thrown, what, { code: "OUTPUT_UNWRITABLE", remedy: "" });
  return { success: false, message: `${message} ${remedy}`.trim() };
}

async function readMap(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw new Fault(`${path} cannot be read on the machine of the node: ${messageOf(thrown)}.`, {
      code: "CONFIG_INVALID",
      remedy: "Name a file that is there in load_map_path.",
    });
  }
}

function checkPlace(parameter: string, path: string, use: string): void {
  if (path === "") {
    throw new Fault(`The parameter ${parameter} is empty, so there is no place ${use}.`, {
      code: "CONFIG_INVALID",
      remedy: `Set it first: ros2 param set <node> ${parameter} /path/to/map.bt`,
    });
  }
  if (!isAbsolute(path)) {
    throw new Fault(`${parameter} is "${path}"; wanted a path from the root, since the node may run in any folder.`, {
      code: "CONFIG_INVALID",
      remedy: "Write it out, such as /home/robot/map.bt.",
    });
  }
  if (!existsSync(dirname(path))) {
    throw new Fault(`There is no folder ${dirname(path)} on the machine of the node.`, {
      code: "OUTPUT_UNWRITABLE",
      remedy: `Make it, or name another in ${parameter}.`,
    });
  }
}

function emptyMap(): Fault {
  return new Fault("The map is empty: no pair was answered since the start or the last ~/reset.", {
    code: "INPUT_STALE",
    remedy: "Subscribe to an output (nothing is computed while nobody does) and wait for one.",
  });
}
