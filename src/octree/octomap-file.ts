import { Fault } from "../core/fault.ts";
import { FULL_NODE_BYTES } from "./octomap-full.ts";
import { type OctomapLeaves, readOctomapBinary } from "./octomap-read.ts";

const FIRST_LINE = "# Octomap OcTree binary file";
const FIRST_LINE_FULL = "# Octomap OcTree file";
const HEADER_LIMIT = 4096;

/**
 * A `.bt` file around the bytes of `OctomapEncoder.borrowBinary` (OctoMap, `AbstractOccupancyOcTree::writeBinary`): text
 * lines with tree type, number of nodes and resolution, then the stream. A fresh array.
 */
export function writeBt(data: Uint8Array, resolutionM: number): Uint8Array {
  return withHeader(FIRST_LINE, readOctomapBinary(data).nodes, resolutionM, data);
}

/** A `.ot` file around the bytes of `FullOctomapEncoder.borrowFull` (OctoMap, `AbstractOcTree::write`). A fresh array. */
export function writeOt(data: Uint8Array, resolutionM: number): Uint8Array {
  return withHeader(FIRST_LINE_FULL, data.length / FULL_NODE_BYTES, resolutionM, data);
}

function withHeader(firstLine: string, nodes: number, resolutionM: number, data: Uint8Array): Uint8Array {
  const header = [
    firstLine,
    "# (feel free to add / change comments, but leave the first line as it is!)",
    "#",
    "id OcTree",
    `size ${nodes}`,
    `res ${resolutionM}`,
    "data\n",
  ].join("\n");
  const file = new Uint8Array(header.length + data.length);
  for (let i = 0; i < header.length; i += 1) file[i] = header.charCodeAt(i);
  file.set(data, header.length);
  return file;
}

export interface BtFile {
  readonly resolutionM: number;
  readonly leaves: OctomapLeaves;
}

/** Reads a `.bt` file. Throws MESSAGE_CORRUPT where it is no such file, of another tree type, or cut. */
export function readBt(file: Uint8Array): BtFile {
  const { fields, dataAt } = readHeader(file);
  const [id, size, resolutionM] = [fields.get("id"), Number(fields.get("size")), Number(fields.get("res"))];
  if (id !== "OcTree") throw corrupt(`holds a tree of type "${id ?? "none"}"; wanted OcTree`);
  if (!(resolutionM > 0)) throw corrupt(`has the resolution "${fields.get("res") ?? "none"}"; wanted metres > 0`);
  const leaves = readOctomapBinary(file.subarray(dataAt));
  if (leaves.nodes !== size)
    throw corrupt(`has ${leaves.nodes} nodes; its header says ${fields.get("size") ?? "none"}`);
  return { resolutionM, leaves };
}

function readHeader(file: Uint8Array): { fields: Map<string, string>; dataAt: number } {
  const fields = new Map<string, string>();
  let line = "";
  let first = true;
  for (let i = 0; i < Math.min(file.length, HEADER_LIMIT); i += 1) {
    if (file[i] !== 10) {
      line += String.fromCharCode(file[i]!);
      continue;
    }
    if (first && !line.startsWith(FIRST_LINE)) break;
    first = false;
    if (line.trim() === "data") return { fields, dataAt: i + 1 };
    const [name, value] = line.trim().split(/\s+/);
    if (name !== undefined && value !== undefined && !name.startsWith("#")) fields.set(name, value);
    line = "";
  }
  throw corrupt(first ? `does not begin with "${FIRST_LINE}"` : 'has no "data" line');
}

function corrupt(what: string): Fault {
  return new Fault(`The .bt file ${what}.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Give a binary OctoMap file (.bt) of an OcTree, as OctoMap's writeBinary or `writeBt` makes.",
  });
}
