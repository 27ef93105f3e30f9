import { Fault } from "../core/fault.ts";
import { FREE, OCCUPIED, type OctreeFrame, type State, UNKNOWN } from "../core/occupancy.ts";
import type { Rejection } from "../core/ports.ts";
import { isRigid, type Transform } from "../core/transform.ts";
import { BrickStore } from "./bricks.ts";
import { clearKeys } from "./clear-keys.ts";
import { Decay, type DecayOptions, FrameTimes } from "./decay.ts";
import { FrameInserter } from "./insert-frame.ts";
import { PointInserter } from "./insert-points.ts";
import { BRICK_CELLS, BRICK_COUNT, BRICK_EDGE, cellIndex, firstKeyFrom, isKey, keyOf, lastKeyTo } from "./key.ts";
import { type Evidence, LOG_ODDS_STEP, makeEvidence, UNKNOWN_CELL } from "./log-odds.ts";
import { checkMapOptions, type MapOptions, mapDefaults } from "./map-options.ts";
import type { PointList } from "./points.ts";
import { MAX_SCAN_CELLS } from "./scan-grid.ts";
import { RollingWindow } from "./window.ts";

/** What became of a frame or scan. */
export type InsertResult =
  | {
      readonly kind: "inserted";
      /** Map cells moved by this frame. */
      readonly occupiedCells: number;
      readonly freeCells: number;
      /** Bricks held now; dropped because they left the window; dropped because of `maxBricks`. */
      readonly bricks: number;
      readonly left: number;
      readonly evicted: number;
      /** Set when `maxBricks` made the map forget or refuse something. */
      readonly full: Rejection | undefined;
    }
  | { readonly kind: "rejected"; readonly reason: Rejection };

/**
 * Rolling three-state log-odds map in OctoMap's key space. Axes and origin are those of the fixed frame of
 * `T_map_camera` (z up for the 2D projection); metres. Not a function of any clock: time is the frames' stamps.
 */
export class OccupancyMap {
  readonly options: MapOptions;
  readonly resolutionM: number;
  /**
   * The storage, for the readers of this folder; everyone else asks by coordinates.
   * @internal
   */
  readonly store: BrickStore;
  /** @internal */
  readonly evidence: Evidence;
  /** @internal */
  readonly window: RollingWindow;
  readonly #times = new FrameTimes();
  readonly #decay: Decay;
  readonly #inserter: FrameInserter;
  readonly #points: PointInserter;
  readonly #origin = new Float32Array(3);
  #firstNs: bigint | undefined;
  #lastNs = 0n;

  constructor(options: Partial<MapOptions> = {}) {
    this.options = { ...mapDefaults, ...options };
    checkMapOptions(this.options);
    this.resolutionM = this.options.resolutionM;
    this.evidence = makeEvidence(this.options);
    this.store = new BrickStore(this.options.maxBricks);
    const halfBricks = Math.ceil(this.options.windowM / 2 / (this.resolutionM * BRICK_EDGE));
    this.window = new RollingWindow(this.store, Math.min(halfBricks, BRICK_COUNT));
    this.#decay = new Decay(this.options);
    this.#inserter = new FrameInserter(this.window, this.#times, this.evidence, this.resolutionM);
    this.#points = new PointInserter(this.window, this.#times, this.evidence, this.resolutionM);
  }

  /** How the map forgets, from the next frame on. */
  setDecay(decay: Pick<DecayOptions, "decayAfterS" | "decayPerS">): void {
    this.#decay.options = { ...this.#decay.options, ...decay };
  }

  /** Log-odds at which a cell counts as occupied, in steps. */
  get occupiedFrom(): number {
    return this.evidence.occupied;
  }

  /** Time of the newest frame, seconds after the first. */
  get nowS(): number {
    return this.#times.nowS;
  }

  /** By which the cells remember the newest frame; 0 before the first. */
  get frameNumber(): number {
    return this.#times.now;
  }

  /**
   * Adds what one frame says: occupied cells add evidence, free cells take it away, unknown ones change nothing. A
   * pose that is not rigid, leaves the key space, or a stamp older than the last is refused and leaves the map as it was.
   */
  insertFrame(frame: OctreeFrame, T_map_camera: Transform, stampNs: bigint): InsertResult {
    const reason =
      this.#badPose(T_map_camera) ?? this.#refusal(T_map_camera[3]!, T_map_camera[7]!, T_map_camera[11]!, stampNs);
    if (reason !== undefined) return { kind: "rejected", reason };
    this.#begin(T_map_camera[3]!, T_map_camera[7]!, T_map_camera[11]!, stampNs);
    this.#inserter.insert(frame, T_map_camera);
    return this.#inserted(this.#inserter);
  }

  /**
   * Adds a range scan as OctoMap's `insertPointCloud`: the cell of each point is occupied, the cells between it and the
   * sensor are free; each cell moves once, by `hit` or `miss`, and occupied wins. Points and `origin` (the sensor's
   * place) are metres in the map frame, heard as float32; points that are not finite are skipped. A point farther than
   * `maxRangeM` frees the cells up to there. Order in the scan changes nothing. An origin that leaves the key space, a
   * stamp older than the last and a scan that spans more than 2^29 cells are refused and leave the map as it was.
   */
  insertPoints(
    points: Pick<PointList, "count" | "xyz">,
    origin: ArrayLike<number>,
    stampNs: bigint,
    maxRangeM: number = Number.POSITIVE_INFINITY,
  ): InsertResult {
    this.#origin.set(origin);
    const [x, y, z] = [this.#origin[0]!, this.#origin[1]!, this.#origin[2]!];
    const reason = this.#refusal(x, y, z, stampNs) ?? this.#badScan(points, maxRangeM);
    if (reason !== undefined) return { kind: "rejected", reason };
    this.#begin(x, y, z, stampNs);
    this.#points.insert(this.#origin, maxRangeM);
    return this.#inserted(this.#points);
  }

  /** State of the cell around a point, metres, map frame; outside the key space: unknown. */
  stateAt(x: number, y: number, z: number): State {
    return this.stateOfKey(keyOf(x, this.resolutionM), keyOf(y, this.resolutionM), keyOf(z, this.resolutionM));
  }

  /** Log-odds (natural) of the cell around a point; undefined = unknown. */
  logOddsAt(x: number, y: number, z: number): number | undefined {
    const { resolutionM: res } = this;
    const steps = this.cellOfKey(keyOf(x, res), keyOf(y, res), keyOf(z, res));
    return steps === UNKNOWN_CELL ? undefined : steps * LOG_ODDS_STEP;
  }

  /** State of the cell of a key (`src/octree/key.ts`). */
  stateOfKey(kx: number, ky: number, kz: number): State {
    return this.stateOfSteps(this.cellOfKey(kx, ky, kz));
  }

  /** State of a cell with these log-odds, in steps. */
  stateOfSteps(steps: number): State {
    return steps === UNKNOWN_CELL ? UNKNOWN : steps >= this.evidence.occupied ? OCCUPIED : FREE;
  }

  /** Log-odds in steps, or UNKNOWN_CELL. */
  cellOfKey(kx: number, ky: number, kz: number): number {
    if (!(isKey(kx) && isKey(ky) && isKey(kz))) return UNKNOWN_CELL;
    const slot = this.store.find(kx >> 3, ky >> 3, kz >> 3);
    return slot < 0 ? UNKNOWN_CELL : this.store.logOdds[slot * BRICK_CELLS + cellIndex(kx, ky, kz)]!;
  }

  /** Forgets cells whose centres lie in the box (metres, map frame, edges included); returns how many were known. */
  clearBox(min: ArrayLike<number>, max: ArrayLike<number>): number {
    const low = [0, 1, 2].map((a) => firstKeyFrom(min[a]!, this.resolutionM));
    const high = [0, 1, 2].map((a) => lastKeyTo(max[a]!, this.resolutionM));
    return clearKeys(this.store, low, high);
  }

  /** Empty again, as new: the next stamp may be any. */
  reset(): void {
    this.store.clear();
    this.#times.reset();
    this.#firstNs = undefined;
  }

  /** Time, window and decay of a frame taken at this place. */
  #begin(x: number, y: number, z: number, stampNs: bigint): void {
    this.#firstNs ??= stampNs;
    this.#lastNs = stampNs;
    this.#times.next(Number(stampNs - this.#firstNs) * 1e-9, this.store);
    const { resolutionM: res } = this;
    this.window.beginFrame(keyOf(x, res) >> 3, keyOf(y, res) >> 3, keyOf(z, res) >> 3);
    this.#decay.step(this.store, this.#times);
  }

  #inserted({ occupiedCells, freeCells }: FrameInserter | PointInserter): InsertResult {
    return {
      kind: "inserted",
      occupiedCells,
      freeCells,
      bricks: this.store.count,
      left: this.window.left,
      evicted: this.window.evicted,
      full: this.#fullness(),
    };
  }

  #badPose(T: Transform): Rejection | undefined {
    if (isRigid(T)) return undefined;
    const message = `The pose of the camera is not a rigid transform: [${Array.from(T, (v) => v.toPrecision(4)).join(", ")}].`;
    return { code: "TF_INVALID", message };
  }

  #badScan({ xyz, count }: Pick<PointList, "count" | "xyz">, maxRangeM: number): Rejection | undefined {
    if (!(maxRangeM > 0)) throw new Fault(`The range of a scan must be > 0 m; seen ${maxRangeM}.`, rangeRemedy);
    if (count * 3 > xyz.length) {
      throw new Fault(`${count} points need ${count * 3} coordinates; seen ${xyz.length}.`, rangeRemedy);
    }
    if (this.#points.prepare(xyz, count, this.#origin, maxRangeM)) return undefined;
    const message = `The scan spans more than ${MAX_SCAN_CELLS} cells of ${this.resolutionM} m; give maxRangeM or lower windowM.`;
    return { code: "MAP_FULL", message };
  }

  #refusal(x: number, y: number, z: number, stampNs: bigint): Rejection | undefined {
    const { resolutionM: res } = this;
    if (!(isKey(keyOf(x, res)) && isKey(keyOf(y, res)) && isKey(keyOf(z, res)))) {
      const message = `The sensor is at (${x}, ${y}, ${z}) m; at ${res} m a map reaches +-${res * 32768} m.`;
      return { code: "TF_INVALID", message };
    }
    if (this.#firstNs !== undefined && stampNs < this.#lastNs) {
      const message = `A frame of ${stampNs} ns came after one of ${this.#lastNs} ns; the map wants stamps in order.`;
      return { code: "STAMP_BACKWARDS", message };
    }
    return undefined;
  }

  #fullness(): Rejection | undefined {
    const { evicted, refused } = this.window;
    if (evicted === 0 && refused === 0) return undefined;
    const { maxBricks } = this.options;
    const message = `The map holds its ${maxBricks} bricks: what lies farthest is left out; raise maxBricks or lower windowM.`;
    return { code: "MAP_FULL", message };
  }
}

const rangeRemedy = {
  code: "USAGE",
  remedy: "Give count points as x, y, z in metres, and a range in metres or none.",
} as const;
