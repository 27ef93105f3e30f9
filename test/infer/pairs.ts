import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid } from "../../src/core/occupancy.ts";

/** A pair of a wall of random dots, as files: left.png, right.png, calib.json. */
export async function writeMadeUpPair(folder: string, { width = 320, height = 160, shiftPx = 16 } = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  const left = new Uint8Array(width * height);
  const random = mulberry(7);
  for (let i = 0; i < left.length; i += 1) left[i] = Math.floor(random() * 256);
  const right = new Uint8Array(left.length);
  for (let i = 0; i < right.length; i += 1) right[i] = left[Math.min(i + shiftPx, left.length - 1)]!;
  for (const [eye, data] of Object.entries({ left, right })) {
    await sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(join(folder, `${eye}.png`));
  }
  const calibration = { width, height, fx: width, fy: width, cx: width / 2, cy: height / 2, baseline_m: 0.5 };
  await writeFile(join(folder, "calib.json"), JSON.stringify(calibration));
}

/** Bytes of an .npz with one float32 array: a stored zip entry (PKWARE APPNOTE 4.3), without its checksum. */
export function npzOf(name: string, shape: readonly number[], data: Float32Array): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }\n`;
  const npy = Buffer.concat([Buffer.from(`\x93NUMPY\x01\0\0\0${text}`, "latin1"), Buffer.from(data.buffer)]);
  npy.writeUInt16LE(text.length, 8);
  const entry = Buffer.from(`${name}.npy`);
  const local = Buffer.alloc(30);
  const central = Buffer.alloc(46);
  for (const [header, signature, sizeAt] of [
    [local, 0x04034b50, 18],
    [central, 0x02014b50, 20],
  ] as const) {
    header.writeUInt32LE(signature, 0);
    header.writeUInt32LE(npy.length, sizeAt);
    header.writeUInt32LE(npy.length, sizeAt + 4);
    header.writeUInt16LE(entry.length, sizeAt + 8);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + entry.length + npy.length, 16);
  return Buffer.concat([local, entry, npy, central, entry, end]);
}

/** Uniform numbers in 0..1, the same for the same seed (mulberry32). */
export function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * An octree that agrees with the points here and there: coarse free and unknown cells, leaves of every state, holes that
 * are not listed. For comparing two judges, not for being good.
 */
export function guessedFrame(grid: OctreeGrid, points: Float64Array, random: () => number): OctreeFrame {
  const { voxelSizeM: v, origin, size, levels } = grid;
  const solid = new Uint8Array(size[0] * size[1] * size[2]);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [0, 1, 2].map((axis) => Math.floor(points[i + axis]! / v) - origin[axis]!) as [
      number,
      number,
      number,
    ];
    if (x >= 0 && x < size[0] && y >= 0 && y < size[1] && z >= 0 && z < size[2])
      solid[(x * size[1] + y) * size[2] + z] = 1;
  }
  const frame = makeOctreeFrame(grid, solid.length);
  const add = (level: number, x: number, y: number, z: number) => {
    const edge = 1 << (levels - 1 - level);
    if (level < levels - 1 && (random() < 0.7 || edge === 8)) {
      for (let child = 0; child < 8; child += 1) {
        add(level + 1, 2 * x + (child & 1), 2 * y + ((child >> 1) & 1), 2 * z + (child >> 2));
      }
      return;
    }
    if (random() < 0.05) return;
    const i = frame.count;
    frame.count += 1;
    frame.level[i] = level;
    frame.x[i] = x;
    frame.y[i] = y;
    frame.z[i] = z;
    const isSolid = edge === 1 && solid[(x * size[1] + y) * size[2] + z] === 1;
    const state = random() < (isSolid ? 0.75 : 0.06) ? OCCUPIED : random() < 0.7 ? 1 : 0;
    frame.state[i] = edge === 1 ? state : Math.min(1, state);
    frame.pOccupied[i] = random();
  };
  const top = 1 << (levels - 1);
  for (let x = 0; x < size[0] / top; x += 1) {
    for (let y = 0; y < size[1] / top; y += 1) for (let z = 0; z < size[2] / top; z += 1) add(0, x, y, z);
  }
  return frame;
}
