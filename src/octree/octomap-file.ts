import { Fault } from "../core/fault.ts";
import { FULL_NODE_BYTES } from "./octomap-full.ts";
import { type OctomapLeaves, readOctomapBinary } from "./octomap-read.ts";
import { readOctomapFull } from "./octomap-read-full.ts";

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

export interface OctomapFile {
  readonly resolutionM: number;
  readonly leaves: OctomapLeaves;
}

/**
 * Reads a `.bt` or `.ot` file; which of them it is its first line says. Throws MESSAGE_CORRUPT where it is no such file, of
 * another tree type, or cut.
 */
export function readOctomapFile(file: Uint8Array): OctomapFile {
  const { fields, dataAt, isBinary } = readHeader(file);
  const [id, size, resolutionM] = [fields.get("id"), Number(fields.get("size")), Number(fields.get("res"))];
  if (id !== "OcTree") throw corrupt(`holds a tree of type "${id ?? "none"}"; wanted OcTree`);
  if (!(resolutionM > 0)) throw corrupt(`has the resolution "${fields.get("res") ?? "none"}"; wanted metres > 0`);
  const data = file.subarray(dataAt);
  const leaves = isBinary ? readOctomapBinary(data) : readOctomapFull(data);
  if (leaves.nodes !== size)
    throw corrupt(`has ${leaves.nodes} nodes; its header says ${fields.get("size") ?? "none"}`);
  return { resolutionM, leaves };
}

function readHeader(file: Uint8Array): { fields: Map<string, string>; dataAt: number; isBinary: boolean } {
  const fields = new Map<string, string>();
  let line = "";
  let first: string | undefined;
  for (let i = 0; i < Math.min(file.length, HEADER_LIMIT); i += 1) {
    if (file[i] !== 10) {
      line += String.fromCharCode(file[i]!);
      continue;
    }
    first ??= line;
    const isBinary = first.startsWith(FIRST_LINE);
    if (!(isBinary || first.startsWith(FIRST_LINE_FULL))) break;
    if (line.trim() === "data") return { fields, dataAt: i + 1, isBinary };
    const [name, value] = line.trim().split(/\s+/);
    if (name !== undefined && value !== undefined && !name.startsWith("#")) fields.set(name, value);
    line = "";
  }
  const isOctomap = first?.startsWith(FIRST_LINE) || first?.startsWith(FIRST_LINE_FULL);
  throw corrupt(isOctomap ? 'has no "data" line' : `does not begin with "${FIRST_LINE}" or "${FIRST_LINE_FULL}"`);
}

function corrupt(what: string): Fault {
  return new Fault(`The OctoMap file ${what}.`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Give an OctoMap file of an OcTree: .bt as OctoMap's writeBinary makes, or .ot as its write.",
  });
}
