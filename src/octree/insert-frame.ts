import { FREE, OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import type { Transform } from "../core/transform.ts";
import type { FrameTimes } from "./decay.ts";
import { BRICK_CELLS, cellIndex, isKey, KEY_COUNT, keyOf, ROOT_KEY, spread3 } from "./key.ts";
import { type Evidence, probabilityByte, UNKNOWN_CELL } from "./log-odds.ts";
import type { RollingWindow } from "./window.ts";

/** Lets a cell whose centre lies on the rim of the bounding box through to the exact test, whatever rounding did. */
const SLACK = 1e-6;

/**
 * Writes a three-state octree whose axes may be turned in any way against the map's.
 *
 * A map cell belongs to the frame cell in which its centre lies; the centre is carried into the frame's grid by one
 * formula, so that the frame's cells part space without gaps or overlaps whatever the rounding. A slab of cells then
 * stays closed to every 6-connected path (its thickness, one leaf, is never less than a map cell's along the normal's
 * largest axis: "naive plane", Andres et al. 1997), and so to the ray caster. In addition the map cell around the
 * centre of an occupied frame cell is occupied: no lone obstacle slips between the map's centres.
 *
 * Each map cell moves once per frame: occupied before free, more certain before less, so order in the frame is nothing.
 */
export class FrameInserter {
  /** Map cells that the last frame moved towards occupied, and towards free. */
  occupiedCells = 0;
  freeCells = 0;
  readonly #window: RollingWindow;
  readonly #times: FrameTimes;
  readonly #evidence: Evidence;
  readonly #resolutionM: number;
  /** Cells of the frame sorted by certainty. */
  #order = new Uint32Array(0);
  readonly #starts = new Uint32Array(257);
  /** Grid position (leaf voxels from the grid's corner) of the centre of the map cell at `#key`, and its change by one cell. */
  readonly #base = new Float64Array(3);
  readonly #step = new Float64Array(9);
  readonly #key = new Int32Array(3);
  readonly #low = new Int32Array(3);
  readonly #high = new Int32Array(3);

  constructor(window: RollingWindow, times: FrameTimes, evidence: Evidence, resolutionM: number) {
    this.#window = window;
    this.#times = times;
    this.#evidence = evidence;
    this.#resolutionM = resolutionM;
  }

  /** The window must already be centred on the camera, and its key must lie in the key space. */
  insert(frame: OctreeFrame, T_map_camera: Transform): void {
    this.#align(frame, T_map_camera);
    this.occupiedCells = 0;
    this.freeCells = 0;
    const { hitOf, missOf } = this.#evidence;
    let end = this.#sort(frame, OCCUPIED);
    for (let n = end - 1; n >= 0; n -= 1) {
      const i = this.#order[n]!;
      this.occupiedCells += this.#insertCell(frame, T_map_camera, i, hitOf[probabilityByte(frame.pOccupied[i]!)]!);
    }
    end = this.#sort(frame, FREE);
    for (let n = 0; n < end; n += 1) {
      const i = this.#order[n]!;
      this.freeCells += this.#insertCell(frame, T_map_camera, i, missOf[probabilityByte(frame.pOccupied[i]!)]!);
    }
  }

  /** Counting sort of the frame's cells of `state` by probability, ascending, into `#order`; returns how many. */
  #sort(frame: OctreeFrame, state: number): number {
    const starts = this.#starts.fill(0);
    if (this.#order.length < frame.count) this.#order = new Uint32Array(frame.count * 2);
    for (let i = 0; i < frame.count; i += 1) {
      if (frame.state[i] === state) starts[probabilityByte(frame.pOccupied[i]!) + 1]! += 1;
    }
    for (let b = 0; b < 256; b += 1) starts[b + 1]! += starts[b]!;
    for (let i = 0; i < frame.count; i += 1) {
      if (frame.state[i] !== state) continue;
      const byte = probabilityByte(frame.pOccupied[i]!);
      this.#order[starts[byte]!] = i;
      starts[byte]! += 1;
    }
    return starts[255]!;
  }

  /** Sets up map key -> grid position, counted from the camera's own key so that numbers stay small. */
  #align({ grid }: OctreeFrame, T: Transform): void {
    const res = this.#resolutionM;
    for (let a = 0; a < 3; a += 1) this.#key[a] = keyOf(T[a * 4 + 3]!, res);
    for (let g = 0; g < 3; g += 1) {
      let at = -grid.origin[g]!;
      for (let a = 0; a < 3; a += 1) {
        const fromCamera = (this.#key[a]! - ROOT_KEY + 0.5) * res - T[a * 4 + 3]!;
        at += (T[a * 4 + g]! * fromCamera) / grid.voxelSizeM;
        this.#step[a * 3 + g] = (T[a * 4 + g]! * res) / grid.voxelSizeM;
      }
      this.#base[g] = at;
    }
  }

  #insertCell(frame: OctreeFrame, T: Transform, i: number, delta: number): number {
    const { grid } = frame;
    const res = this.#resolutionM;
    const edge = 1 << (grid.levels - 1 - frame.level[i]!);
    const lowX = frame.x[i]! * edge;
    const lowY = frame.y[i]! * edge;
    const lowZ = frame.z[i]! * edge;
    const cx = (grid.origin[0] + lowX + edge / 2) * grid.voxelSizeM;
    const cy = (grid.origin[1] + lowY + edge / 2) * grid.voxelSizeM;
    const cz = (grid.origin[2] + lowZ + edge / 2) * grid.voxelSizeM;
    const half = (edge * grid.voxelSizeM) / (2 * res);
    let moved = 0;
    for (let a = 0; a < 3; a += 1) {
      const r = a * 4;
      const at = T[r]! * cx + T[r + 1]! * cy + T[r + 2]! * cz + T[r + 3]!;
      const reach = half * (Math.abs(T[r]!) + Math.abs(T[r + 1]!) + Math.abs(T[r + 2]!)) + SLACK;
      this.#low[a] = Math.max(0, Math.ceil(at / res - reach - 0.5) + ROOT_KEY);
      this.#high[a] = Math.min(KEY_COUNT - 1, Math.floor(at / res + reach - 0.5) + ROOT_KEY);
    }
    if (delta > 0) {
      const kx = keyOf(T[0]! * cx + T[1]! * cy + T[2]! * cz + T[3]!, res);
      const ky = keyOf(T[4]! * cx + T[5]! * cy + T[6]! * cz + T[7]!, res);
      const kz = keyOf(T[8]! * cx + T[9]! * cy + T[10]! * cz + T[11]!, res);
      if (isKey(kx) && isKey(ky) && isKey(kz)) moved = this.#touch(kx, ky, kz, delta);
    }
    return moved + this.#fillBox(lowX, lowY, lowZ, edge, delta);
  }

  #touch(kx: number, ky: number, kz: number, delta: number): number {
    const slot = this.#window.ensure(kx >> 3, ky >> 3, kz >> 3, this.#times.nowS);
    return slot < 0 ? 0 : this.#move(slot, slot * BRICK_CELLS + cellIndex(kx, ky, kz), delta);
  }

  /** One update of one cell, unless this frame has moved it already. */
  #move(slot: number, at: number, delta: number): number {
    const { store } = this.#window;
    if (store.seen[at] === this.#times.now) return 0;
    store.seen[at] = this.#times.now;
    let value = store.logOdds[at]!;
    if (value === UNKNOWN_CELL) {
      store.known[slot]! += 1;
      value = 0;
    }
    value += delta;
    const { min, max } = this.#evidence;
    store.logOdds[at] = Math.min(Math.max(value, min), max);
    return 1;
  }

  /** Moves the map cells of the box `#low`..`#high` whose centres lie in the cube at `low` with this edge. */
  #fillBox(lowX: number, lowY: number, lowZ: number, edge: number, delta: number): number {
    const [baseX, baseY, baseZ] = this.#base as unknown as [number, number, number];
    const step = this.#step;
    const ux = step[0]!;
    const uy = step[1]!;
    const uz = step[2]!;
    const [keyX, keyY, keyZ] = this.#key as unknown as [number, number, number];
    const [fromX, fromY, fromZ] = this.#low as unknown as [number, number, number];
    const [toX, toY, toZ] = this.#high as unknown as [number, number, number];
    const nowS = this.#times.nowS;
    let moved = 0;
    for (let kz = fromZ; kz <= toZ; kz += 1) {
      const dz = kz - keyZ;
      for (let ky = fromY; ky <= toY; ky += 1) {
        const dy = ky - keyY;
        const rowX = baseX + dy * step[3]! + dz * step[6]!;
        const rowY = baseY + dy * step[4]! + dz * step[7]!;
        const rowZ = baseZ + dy * step[5]! + dz * step[8]!;
        const place = (spread3[ky & 7]! << 1) | (spread3[kz & 7]! << 2);
        let brick = -1;
        let slot = -1;
        for (let kx = fromX; kx <= toX; kx += 1) {
          const dx = kx - keyX;
          const gx = rowX + dx * ux - lowX;
          const gy = rowY + dx * uy - lowY;
          const gz = rowZ + dx * uz - lowZ;
          if (!(gx >= 0 && gx < edge && gy >= 0 && gy < edge && gz >= 0 && gz < edge)) continue;
          if (kx >> 3 !== brick) {
            brick = kx >> 3;
            slot = this.#window.ensure(brick, ky >> 3, kz >> 3, nowS);
          }
          if (slot >= 0) moved += this.#move(slot, slot * BRICK_CELLS + (place | spread3[kx & 7]!), delta);
        }
      }
    }
    return moved;
  }
}
