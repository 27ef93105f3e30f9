import { FREE, makeOctreeFrame, OCCUPIED, type OctreeFrame, type OctreeGrid } from "../../src/core/occupancy.ts";
import { fromQuaternion, type Transform } from "../../src/core/transform.ts";

/** Repeatable numbers in 0..1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Any rotation (uniform) and a shift of at most `reachM` an axis. */
export function randomPose(random: () => number, reachM: number): Transform {
  const [u, v, w] = [random(), random() * 2 * Math.PI, random() * 2 * Math.PI];
  const [a, b] = [Math.sqrt(1 - u), Math.sqrt(u)];
  const q = { x: a * Math.sin(v), y: a * Math.cos(v), z: b * Math.sin(w), w: b * Math.cos(w) };
  const shift = () => (random() * 2 - 1) * reachM;
  return fromQuaternion(q, { x: shift(), y: shift(), z: shift() });
}

/** Optical frame (x right, y down, z forward) of a camera that looks along the map's x, at a place and turned by yaw. */
export function opticalPose(x: number, y: number, z: number, yaw: number): Transform {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return Float64Array.of(s, 0, c, x, -c, 0, s, y, 0, -1, 0, z);
}

export const smallGrid: OctreeGrid = { voxelSizeM: 0.5, origin: [-4, -5, 1], size: [8, 8, 8], levels: 3 };

export function addCell(
  frame: OctreeFrame,
  level: number,
  x: number,
  y: number,
  z: number,
  s: number,
  p: number,
): void {
  const i = frame.count;
  frame.level[i] = level;
  frame.x[i] = x;
  frame.y[i] = y;
  frame.z[i] = z;
  frame.state[i] = s;
  frame.pOccupied[i] = p;
  frame.count += 1;
}

/** A random octree: free and unknown cells of every level, occupied leaves, some space not listed at all. */
export function randomFrame(random: () => number, grid: OctreeGrid = smallGrid): OctreeFrame {
  const frame = makeOctreeFrame(grid, grid.size[0] * grid.size[1] * grid.size[2]);
  const split = (level: number, x: number, y: number, z: number): void => {
    const isLeaf = level === grid.levels - 1;
    const dice = random();
    if (!isLeaf && dice < 0.6) {
      for (let child = 0; child < 8; child += 1) {
        split(level + 1, 2 * x + (child & 1), 2 * y + ((child >> 1) & 1), 2 * z + (child >> 2));
      }
    } else if (dice < 0.9) {
      const state = isLeaf && random() < 0.4 ? OCCUPIED : random() < 0.7 ? FREE : 0;
      addCell(frame, level, x, y, z, state, state === OCCUPIED ? 0.3 + 0.7 * random() : 0.5 * random());
    }
  };
  const edge = 2 ** (grid.levels - 1);
  for (let x = 0; x < grid.size[0] / edge; x += 1) {
    for (let y = 0; y < grid.size[1] / edge; y += 1) {
      for (let z = 0; z < grid.size[2] / edge; z += 1) split(0, x, y, z);
    }
  }
  return frame;
}

/** The same cells in another order. */
export function shuffled(frame: OctreeFrame, random: () => number): OctreeFrame {
  const order = Array.from({ length: frame.count }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const out = makeOctreeFrame(frame.grid, frame.count);
  for (const i of order) {
    addCell(out, frame.level[i]!, frame.x[i]!, frame.y[i]!, frame.z[i]!, frame.state[i]!, frame.pOccupied[i]!);
  }
  return out;
}
