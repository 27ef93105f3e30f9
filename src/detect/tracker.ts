import type { Detections } from "../core/detection.ts";
import { iou } from "./candidates.ts";

/** An object followed from image to image. Reused by the tracker: what is to be kept longer than a frame, copy. */
export interface Track {
  /** Unique in the tracker's life, from 1 on; never given twice. */
  readonly id: number;
  readonly classIndex: number;
  /** Of the last detection, 0..1. */
  score: number;
  /** Left, top, right, bottom, pixels: where it is now, predicted while it is missed. */
  readonly box: Float32Array;
  /** Of the centre, pixels a second. */
  velocityX: number;
  velocityY: number;
  /** Detections so far. */
  hits: number;
  /** Images in a row without a detection; 0: seen in the last one. */
  missed: number;
  /** Stamp of the last detection. */
  seenNs: bigint;
  /** Stamp of the last detection or of other evidence that it is still there; its patience counts from here. */
  keptNs: bigint;
}

export interface TrackerOptions {
  /** A track begins at this score; weaker detections only continue one. */
  readonly beginScore: number;
  /** A track that has neither been seen nor kept for longer is given up, seconds. */
  readonly patienceS: number;
}

/** Boxes are enlarged on each side by this share of their size before they are compared: things move between images. */
const MARGIN = 0.2;
/** Least overlap of enlarged boxes that makes them the same object, for sure detections and for weak ones. */
const OVERLAP_SURE = 0.2;
const OVERLAP_WEAK = 0.4;
/** Shares of the difference between seen and predicted that go to place and to velocity. */
const PLACE_GAIN = 0.75;
const VELOCITY_GAIN = 0.35;

/**
 * Follows objects by the overlap of their boxes: tracks are predicted with constant velocity, take the sure detections of
 * their class first and then the weak ones, best overlap first (the two rounds are those of ByteTrack, arXiv 2110.06864; the
 * enlarged boxes those of C-BIoU, arXiv 2211.14317). Prediction is an alpha-beta filter over the centre, and over the size
 * without a velocity. Stamps that go back begin everything anew, with new ids.
 */
export class Tracker {
  readonly tracks: Track[] = [];
  /** Id of each detection of the last update, 0 where it belongs to no track. */
  ids = new Uint32Array(128);
  readonly options: TrackerOptions;
  #nextId = 1;
  #stampNs: bigint | undefined;
  /** Enlarged boxes of tracks, then of detections. */
  #boxes = new Float32Array(4 * 256);
  #taken = new Uint8Array(128);

  constructor(options: TrackerOptions = { beginScore: 0.4, patienceS: 1 }) {
    this.options = options;
  }

  /** Takes the detections of the next image; returns `tracks`, those that are missed too. */
  update(detections: Detections, stampNs: bigint): readonly Track[] {
    const elapsedS = this.#stampNs === undefined ? 0 : Number(stampNs - this.#stampNs) / 1e9;
    if (elapsedS < 0) this.tracks.length = 0;
    this.#stampNs = stampNs;
    this.#makeRoom(detections.count);
    for (const track of this.tracks) {
      track.missed += 1;
      move(track.box, track.velocityX * elapsedS, track.velocityY * elapsedS);
    }
    this.#enlarge(detections);
    const { beginScore, patienceS } = this.options;
    this.#match(detections, beginScore, 2, OVERLAP_SURE, elapsedS, stampNs);
    this.#match(detections, 0, beginScore, OVERLAP_WEAK, elapsedS, stampNs);
    const patienceNs = BigInt(Math.round(patienceS * 1e9));
    let alive = 0;
    for (const track of this.tracks) if (stampNs - track.keptNs <= patienceNs) this.tracks[alive++] = track;
    this.tracks.length = alive;
    for (let i = 0; i < detections.count; i += 1) {
      if (this.ids[i] === 0 && detections.scores[i]! >= beginScore) this.#begin(detections, i, stampNs);
    }
    return this.tracks;
  }

  /** Pairs tracks and detections with a score in `from`..`below` that have no partner yet, best overlap first. */
  #match(found: Detections, from: number, below: number, least: number, elapsedS: number, stampNs: bigint): void {
    const { tracks, ids } = this;
    for (;;) {
      let best = least;
      let bestTrack = -1;
      let bestFound = -1;
      for (let t = 0; t < tracks.length; t += 1) {
        if (this.#taken[t] === 1) continue;
        for (let i = 0; i < found.count; i += 1) {
          const score = found.scores[i]!;
          if (ids[i] !== 0 || score < from || score >= below || found.classes[i] !== tracks[t]!.classIndex) continue;
          const overlap = iou(this.#boxes, 4 * t, 4 * (tracks.length + i));
          if (overlap > best) [best, bestTrack, bestFound] = [overlap, t, i];
        }
      }
      if (bestTrack === -1) return;
      this.#taken[bestTrack] = 1;
      ids[bestFound] = tracks[bestTrack]!.id;
      follow(tracks[bestTrack]!, found, bestFound, elapsedS, stampNs);
    }
  }

  #begin({ boxes, scores, classes }: Detections, i: number, stampNs: bigint): void {
    const id = this.#nextId++;
    this.ids[i] = id;
    const box = boxes.slice(4 * i, 4 * i + 4);
    const still = { velocityX: 0, velocityY: 0, hits: 1, missed: 0 };
    this.tracks.push({
      id,
      classIndex: classes[i]!,
      score: scores[i]!,
      box,
      ...still,
      seenNs: stampNs,
      keptNs: stampNs,
    });
  }

  #makeRoom(count: number): void {
    const entries = this.tracks.length + count;
    if (this.ids.length < count) this.ids = new Uint32Array(2 * count);
    if (this.#taken.length < this.tracks.length) this.#taken = new Uint8Array(2 * this.tracks.length);
    if (this.#boxes.length < 4 * entries) this.#boxes = new Float32Array(8 * entries);
    this.ids.fill(0);
    this.#taken.fill(0);
  }

  #enlarge({ boxes, count }: Detections): void {
    for (let t = 0; t < this.tracks.length; t += 1) enlargeInto(this.#boxes, t, this.tracks[t]!.box, 0);
    for (let i = 0; i < count; i += 1) enlargeInto(this.#boxes, this.tracks.length + i, boxes, i);
  }
}

function follow(track: Track, { boxes, scores }: Detections, i: number, elapsedS: number, stampNs: bigint): void {
  const { box } = track;
  const across = (boxes[4 * i]! + boxes[4 * i + 2]! - box[0]! - box[2]!) / 2;
  const down = (boxes[4 * i + 1]! + boxes[4 * i + 3]! - box[1]! - box[3]!) / 2;
  for (let side = 0; side < 4; side += 1) box[side] = box[side]! + PLACE_GAIN * (boxes[4 * i + side]! - box[side]!);
  // The second sighting is the first that says anything of the velocity: it is believed as a whole.
  const gain = track.hits === 1 ? 1 : VELOCITY_GAIN;
  const sinceS = Number(stampNs - track.seenNs) / 1e9;
  const overS = track.hits === 1 ? sinceS : elapsedS;
  if (overS > 0) {
    track.velocityX += (gain * across) / overS;
    track.velocityY += (gain * down) / overS;
  }
  track.score = scores[i]!;
  track.hits += 1;
  track.missed = 0;
  track.seenNs = stampNs;
  track.keptNs = stampNs;
}

function move(box: Float32Array, x: number, y: number): void {
  box[0] = box[0]! + x;
  box[1] = box[1]! + y;
  box[2] = box[2]! + x;
  box[3] = box[3]! + y;
}

function enlargeInto(to: Float32Array, entry: number, from: Float32Array, index: number): void {
  const [x0, y0, x1, y1] = [from[4 * index]!, from[4 * index + 1]!, from[4 * index + 2]!, from[4 * index + 3]!];
  const [dx, dy] = [MARGIN * (x1 - x0), MARGIN * (y1 - y0)];
  to[4 * entry] = x0 - dx;
  to[4 * entry + 1] = y0 - dy;
  to[4 * entry + 2] = x1 + dx;
  to[4 * entry + 3] = y1 + dy;
}
