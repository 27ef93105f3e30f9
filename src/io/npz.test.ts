import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { sharedData } from "../../test/support/shared-data.ts";
import { arrayOf, parseNpy, readNpz } from "./npz.ts";
import { pairFoldersIn, readPairFolder } from "./pair-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "voxelguard-npz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npy(header: string, data: Uint8Array, version = 1): Buffer {
  const text = Buffer.from(`${header}\n`, "latin1");
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from(`\x93NUMPY${String.fromCharCode(version, 0)}`, "latin1"), length, text, data]);
}

function header(type: string, shape: string, order = "False"): string {
  return `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
}

/** A zip with one entry, by PKWARE's APPNOTE; the local header has an extra field, as NumPy's zip64 one. */
function zip(name: string, content: Buffer, method: 0 | 8): Buffer {
  const packed = method === 0 ? content : deflateRawSync(content);
  const local = Buffer.alloc(30 + name.length + 20);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  local.writeUInt16LE(20, 28);
  local.write(name, 30);
  const central = Buffer.alloc(46 + name.length);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  central.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, central, end]);
}

const floats = new Uint8Array(Float32Array.of(1, 2.5, Number.NaN, -4, 5, 6).buffer);

describe("parseNpy", () => {
  it.each([1, 2])("reads version %d", (version) => {
    const { shape, data } = parseNpy(npy(header("<f4", "2, 3"), floats, version), "a.npy");
    expect(shape).toEqual([2, 3]);
    expect([...data]).toEqual([1, 2.5, Number.NaN, -4, 5, 6]);
  });

  it.each([
    ["<f8", new Float64Array([1.5, -2])],
    ["<u2", new Uint16Array([1, 65535])],
    ["<i4", new Int32Array([-7, 7])],
    ["|u1", new Uint8Array([3, 255])],
  ] as const)("reads %s", (type, values) => {
    expect(parseNpy(npy(header(type, "2,"), new Uint8Array(values.buffer)), "a").data).toEqual(values);
  });

  it.each([
    [npy(header(">f4", "6,"), floats), "type >f4"],
    [npy(header("<f4", "6,", "True"), floats), "column-major"],
    [npy(header("<f4", "7,"), floats), "has 24 bytes, wanted 28"],
    [npy("{}", floats), "header that cannot be read"],
    [Buffer.from("something else altogether"), "no .npy file"],
  ])("refuses what it cannot read", (bytes, message) => {
    expect(() => parseNpy(bytes, "bad.npy")).toThrow(message);
    expect(() => parseNpy(bytes, "bad.npy")).toThrow(expect.objectContaining({ code: "DATASET_INVALID" }));
  });
});

describe("readNpz", () => {
  it.each([0, 8] as const)("reads method %d", async (method) => {
    const path = join(folder, `${method}.npz`);
    writeFileSync(path, zip("disparity.npy", npy(header("<f4", "2, 3"), floats), method));
    const array = arrayOf(await readNpz(path), "disparity", 2, path);
    expect([...array.data.slice(0, 2)]).toEqual([1, 2.5]);
  });

  it("refuses every file that is cut off or damaged, with a Fault", async () => {
    const whole = zip("disparity.npy", npy(header("<f4", "2, 3"), floats), 8);
    const path = join(folder, "bad.npz");
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(readNpz(path), `${length} bytes`).rejects.toMatchObject({ code: "DATASET_INVALID" });
    }
    await expect(readNpz(join(folder, "nowhere.npz"))).rejects.toThrow("nowhere.npz");
  });

  it("names what is there when an array is not, or has another shape", async () => {
    const path = join(folder, "0.npz");
    const arrays = await readNpz(path);
    expect(() => arrayOf(arrays, "points", 2, path)).toThrow('has no array "points", only disparity');
    expect(() => arrayOf(arrays, "disparity", 3, path)).toThrow("shape (2, 3), wanted 3 axes");
  });
});

const stereo = sharedData("open", "stereo");

describe.skipIf(stereo === undefined)("the pairs of shared/data", () => {
  it("are found and read, with their truth; those without sure metres are told apart", async () => {
    const entries = await Promise.all((await pairFoldersIn(stereo!)).map(readPairFolder));
    const metric = entries.flatMap((entry) => (entry.kind === "pair" ? [entry.pair.name] : []));
    expect(metric).toEqual(["drivingstereo_demo", "kitti_object_demo", "mb_motorcycle"]);
    for (const entry of entries) {
      if (entry.kind === "skipped") throw new Error(`${entry.name} was skipped`);
      const { truth, name } = entry.pair;
      if (truth?.kind !== "disparity") throw new Error(`${name} has no disparity`);
      if (entry.kind === "pair") {
        const { width, height } = entry.pair.calibration;
        expect([truth.width, truth.height]).toEqual([width, height]);
      }
      expect(truth.disparityPx.some((value) => value > 0)).toBe(true);
    }
  });

  it("have LiDAR points that a program reads as NumPy does", async () => {
    const path = join(stereo!, "kitti_object_demo", "lidar.npz");
    const points = arrayOf(await readNpz(path), "points", 2, path);
    expect(points.shape[1]).toBe(3);
    expect(points.data.length).toBe(points.shape[0]! * 3);
  });
});

it("a folder without pairs is refused", async () => {
  await expect(pairFoldersIn(folder)).rejects.toMatchObject({ code: "DATASET_INVALID" });
  await expect(pairFoldersIn(join(folder, "nowhere"))).rejects.toThrow("nowhere");
});
