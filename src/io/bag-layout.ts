import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Fault, messageOf } from "../core/fault.ts";

/** The part of rosbag2's metadata.yaml that is believed: the rest is read from the files themselves. */
const metadataSchema = z.object({
  rosbag2_bagfile_information: z.object({ relative_file_paths: z.array(z.string()).min(1) }),
});

const storageFile = /\.(mcap|db3)(\.zstd|\.zst)?$/;

/** Which files make up a bag, in order, and what was odd about that. */
export interface BagLayout {
  readonly files: readonly string[];
  readonly faults: readonly Fault[];
}

/**
 * Finds the files of a bag: the file itself, those that metadata.yaml of a folder names, or, when a recording broke off
 * before that was written, all storage files of the folder. Files that are named but missing become faults. Throws
 * `Fault` BAG_NOT_A_BAG when there is nothing.
 */
export async function findBagFiles(path: string): Promise<BagLayout> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw notABag(`There is no ${path}`, "Check the path.");
  if (basename(path) === "metadata.yaml") return findBagFiles(dirname(path));
  if (!found.isDirectory()) return { files: [path], faults: [] };
  const names = await readdir(path);
  const listed = names.includes("metadata.yaml") ? await listedFiles(join(path, "metadata.yaml")) : undefined;
  if (listed !== undefined && !(listed instanceof Fault)) return presentFiles(path, names, listed);
  const files = names.filter((name) => storageFile.test(name)).sort(byNumber);
  if (files.length === 0) {
    const holds = names.length === 0 ? "nothing" : names.slice(0, 5).join(", ");
    throw notABag(
      `${path} is a folder without a bag: wanted metadata.yaml, *.mcap or *.db3, and it holds ${holds}`,
      "Name the folder that `ros2 bag record` made, or a single .mcap or .db3 file.",
    );
  }
  return { files: files.map((name) => join(path, name)), faults: listed === undefined ? [] : [listed] };
}

async function listedFiles(path: string): Promise<readonly string[] | Fault> {
  try {
    const metadata = metadataSchema.parse(parse(await readFile(path, "utf8")));
    return metadata.rosbag2_bagfile_information.relative_file_paths;
  } catch (thrown) {
    return new Fault(`${path} cannot be understood (${messageOf(thrown)}); all storage files beside it are read`, {
      code: "BAG_TRUNCATED",
      remedy: "Write it anew with `ros2 bag reindex`.",
    });
  }
}

function presentFiles(folder: string, names: readonly string[], listed: readonly string[]): BagLayout {
  const files: string[] = [];
  const faults: Fault[] = [];
  for (const path of listed) {
    // Old rosbag2 versions wrote the path with the folder's name in front.
    const name = names.includes(path) ? path : basename(path);
    if (names.includes(name)) files.push(join(folder, name));
    else {
      const message = `${folder} lacks ${name}, which metadata.yaml names (file ${listed.indexOf(path) + 1} of ${listed.length})`;
      const remedy = "Copy the missing file from where the bag was recorded; the others are read.";
      faults.push(new Fault(message, { code: "BAG_TRUNCATED", remedy }));
    }
  }
  if (files.length === 0)
    throw notABag(
      `${folder} has none of the files that metadata.yaml names: ${listed.join(", ")}`,
      "Copy the whole folder.",
    );
  return { files, faults };
}

/** `drive_2.db3` before `drive_10.db3`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

export function notABag(message: string, remedy: string): Fault {
  return new Fault(message, { code: "BAG_NOT_A_BAG", remedy });
}
