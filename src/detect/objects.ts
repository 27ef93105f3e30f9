import type { Detections } from "../core/detection.ts";
import type { View } from "../core/view.ts";
import { iou } from "./candidates.ts";
import { type Evidence, judge, type Support } from "./evidence.ts";
import { CELL_PX, type SolidView } from "./solid-view.ts";
import { type Track, Tracker, type TrackerOptions } from "./tracker.ts";

/** `seen` by the detector; `held` by solid voxels alone; `demoted`: seen, but the voxels speak against it. */
export type ObjectStatus = "seen" | "held" | "demoted";

/** A tracked object with what the voxels say of it. Valid until the next image. */
export interface TrackedObject {
  readonly track: Track;
  readonly status: ObjectStatus;
  /** The detector's score; less where demoted. 0..1 */
  readonly score: number;
  /** Of this image; `unknown` without voxels. */
  readonly support: Support;
  /** Metres along the optical axis; NaN where not known. */
  readonly depthM: number;
}

export interface ObjectOptions extends TrackerOptions {
  /** How long voxels alone keep a lost track, seconds; 0: not at all. */
  readonly holdS: number;
  /** Whether detections without support are demoted. */
  readonly demotes: boolean;
}

/** Voxels of the same frame, painted, and how far they reach. */
export interface SolidEvidence {
  readonly solid: SolidView;
  readonly rangeM: number;
}

/** What is left of a demoted score: below any threshold in use, and still there to be seen. */
const DEMOTED_SHARE = 0.25;
/** Images that are remembered of each track, and in how many of them it must have stood upright to be held. */
const REMEMBERED = 8;
const UPRIGHT_BEFORE = 2;
/** How far the depth of a held track may lie from where it was, as a share of it and in voxels. */
const DEPTH_SHARE = 0.2;
const DEPTH_VOXELS = 1.5;

/** A lost track whose box overlaps that of a seen one by more than this is the same thing under another class. */
const SAME = 0.45;
/** A lost track is held while this share of its box is in the image. */
const IN_VIEW = 0.5;

interface Memory {
  /** The last judgements, newest in the lowest bit: upright, and against it. */
  upright: number;
  against: number;
  depthM: number;
}

/**
 * Tracks detections and weighs them against geometry, which a printed patch cannot change: a track that the detector
 * loses while something solid still stands there is kept as an obstacle; a detection where nothing stands out is demoted.
 */
export class ObjectTracker {
  readonly tracker: Tracker;
  readonly objects: TrackedObject[] = [];
  readonly #options: ObjectOptions;
  readonly #classes: readonly string[];
  readonly #memories = new Map<number, Memory>();

  constructor(classes: readonly string[], options: ObjectOptions) {
    this.#classes = classes;
    this.#options = options;
    this.tracker = new Tracker(options);
  }

  /** Takes the detections of the next image, and the voxels of the same moment where there are any. */
  update(detections: Detections, stampNs: bigint, evidence?: SolidEvidence): readonly TrackedObject[] {
    this.objects.length = 0;
    const tracks = this.tracker.update(detections, stampNs);
    for (const id of this.#memories.keys()) if (!tracks.some((track) => track.id === id)) this.#memories.delete(id);
    for (const track of tracks) if (track.missed === 0) this.objects.push(this.#seen(track, evidence));
    const seen = this.objects.length;
    for (const track of tracks) {
      if (track.missed === 0 || evidence === undefined) continue;
      // Under another name it is seen still.
      const isSeen = this.objects.slice(0, seen).some((other) => iou(other.track.box, 0, 0, track.box) > SAME);
      const object = isSeen ? undefined : this.#held(track, stampNs, evidence);
      if (object !== undefined) this.objects.push(object);
    }
    return this.objects;
  }

  #seen(track: Track, evidence: SolidEvidence | undefined): TrackedObject {
    const found = this.#judge(track, evidence);
    const memory = this.#memoryOf(track.id);
    if (evidence !== undefined) remember(memory, found);
    const isDoubted = found.support !== "unknown" && bits(memory.against) > bits(memory.upright);
    if (!this.#options.demotes || !isDoubted) return { track, status: "seen", score: track.score, ...found };
    return { track, status: "demoted", score: DEMOTED_SHARE * track.score, ...found };
  }

  #held(track: Track, stampNs: bigint, evidence: SolidEvidence): TrackedObject | undefined {
    const memory = this.#memoryOf(track.id);
    const sinceS = Number(stampNs - track.seenNs) / 1e9;
    if (sinceS > this.#options.holdS || bits(memory.upright) < UPRIGHT_BEFORE) return undefined;
    if (shareInView(track.box, evidence.solid.view) < IN_VIEW) return undefined;
    if (bits(memory.against) > bits(memory.upright)) return undefined;
    const found = this.#judge(track, evidence);
    const within = Math.max(DEPTH_VOXELS * evidence.solid.voxelSizeM, DEPTH_SHARE * memory.depthM);
    if (found.support !== "upright" || !(Math.abs(found.depthM - memory.depthM) <= within)) return undefined;
    settle(track.box, evidence.solid, found.depthM, found.depthM / memory.depthM);
    memory.depthM = (memory.depthM + found.depthM) / 2;
    track.keptNs = stampNs;
    return { track, status: "held", score: track.score, ...found };
  }

  #judge(track: Track, evidence: SolidEvidence | undefined): Pick<Evidence, "support" | "depthM"> {
    if (evidence === undefined) return { support: "unknown", depthM: Number.NaN };
    const { support, depthM } = judge(evidence.solid, track.box, this.#classes[track.classIndex]!, evidence.rangeM);
    return { support, depthM };
  }

  #memoryOf(id: number): Memory {
    const known = this.#memories.get(id);
    if (known !== undefined) return known;
    const memory = { upright: 0, against: 0, depthM: Number.NaN };
    this.#memories.set(id, memory);
    return memory;
  }
}

function remember(memory: Memory, { support, depthM }: Pick<Evidence, "support" | "depthM">): void {
  const mask = (1 << REMEMBERED) - 1;
  memory.upright = ((memory.upright << 1) | Number(support === "upright")) & mask;
  memory.against = ((memory.against << 1) | Number(isAgainst(support))) & mask;
  if (!Number.isNaN(depthM)) memory.depthM = depthM;
}

function isAgainst(support: Support): boolean {
  return support === "flat" || support === "small" || support === "empty";
}

/** Share of a box's area that lies in the image, 0..1. */
function shareInView(box: Float32Array, { width, height }: View): number {
  const [x0, y0, x1, y1] = [box[0]!, box[1]!, box[2]!, box[3]!];
  const across = Math.max(0, Math.min(x1, width) - Math.max(x0, 0));
  const down = Math.max(0, Math.min(y1, height) - Math.max(y0, 0));
  return (across * down) / ((x1 - x0) * (y1 - y0));
}

function bits(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Moves a predicted box half of the way to what is solid at its depth, and sizes it as that has come nearer. */
function settle(box: Float32Array, solid: SolidView, depthM: number, nearer: number): void {
  const [x0, y0, x1, y1] = [box[0]!, box[1]!, box[2]!, box[3]!];
  const [width, height] = [x1 - x0, y1 - y0];
  const within = 1.01 * solid.voxelSizeM;
  let sum = 0;
  let count = 0;
  for (let row = Math.floor((y0 + 0.1 * height) / CELL_PX); row <= (y0 + 0.7 * height) / CELL_PX; row += 1) {
    for (let column = Math.floor((x0 - 0.4 * width) / CELL_PX); column <= (x1 + 0.4 * width) / CELL_PX; column += 1) {
      // NaN, outside of the image, is not within.
      if (!(Math.abs(solid.at(row, column) - depthM) <= within)) continue;
      sum += (column + 0.5) * CELL_PX;
      count += 1;
    }
  }
  const middle = (x0 + x1) / 2;
  const centre = count === 0 ? middle : (middle + sum / count) / 2;
  const scale = 1 / Math.sqrt(Math.max(0.8, Math.min(1.25, nearer)));
  box[0] = centre - (scale * width) / 2;
  box[2] = centre + (scale * width) / 2;
  box[1] = y1 - scale * height;
}
