import { existsSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { asFault, Fault } from "../core/fault.ts";
import { timeOf } from "../msg/header.ts";
import { mapBinary, mapFile } from "../pipeline/map-file.ts";
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
    checkPlace(path);
    if (last === undefined || last.map.store.count === 0) throw emptyMap();
    const data = mapFile(path, last.map);
    await write(path, data);
    const cell = `cells of ${last.map.resolutionM} m in the frame ${last.fixed.frameId}`;
    return { success: true, message: `${path}: ${data.length} bytes, ${cell}` };
  } catch (thrown) {
    const { message, remedy } = asFault(thrown, "The map was not saved.", { code: "OUTPUT_UNWRITABLE", remedy: "" });
    return { success: false, message: `${message} ${remedy}`.trim() };
  }
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

function checkPlace(path: string): void {
  if (path === "") {
    throw new Fault("The parameter save_map_path is empty, so there is no place for the map.", {
      code: "CONFIG_INVALID",
      remedy: "Set it first: ros2 param set <node> save_map_path /path/to/map.bt",
    });
  }
  if (!isAbsolute(path)) {
    throw new Fault(`save_map_path is "${path}"; wanted a path from the root, since the node may run in any folder.`, {
      code: "CONFIG_INVALID",
      remedy: "Write it out, such as /home/robot/map.bt.",
    });
  }
  if (!existsSync(dirname(path))) {
    throw new Fault(`There is no folder ${dirname(path)} on the machine of the node.`, {
      code: "OUTPUT_UNWRITABLE",
      remedy: "Make it, or name another in save_map_path.",
    });
  }
}

function emptyMap(): Fault {
  return new Fault("The map is empty: no pair was answered since the start or the last ~/reset.", {
    code: "INPUT_STALE",
    remedy: "Subscribe to an output (nothing is computed while nobody does) and wait for one.",
  });
}
