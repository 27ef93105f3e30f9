import type { Box, Detections } from "../../core/detection.ts";
import { area, common, iou } from "../candidates.ts";
import type { Track } from "../tracker.ts";
import type { Window } from "./propose.ts";

/** A window that is filled before the detector looks. */
export interface Mask {
  /** Where it is in this image, pixels. */
  box: Box;
  /** Stamp of the image in which it was found. */
  readonly sinceNs: bigint;
  /** Why it was looked at. */
  readonly window: Window;
}

interface Held extends Mask {
  /** The detection around it, and where the mask lay when that lay in its place; none: the mask stays where it is. */
  object: { readonly classIndex: number; box: Box; placed: Box; trackId: number | undefined } | undefined;
  /** Images since it was last tried without, and tries in a row that changed nothing. */
  age: number;
  idle: number;
}

interface Cleared {
  box: Box;
  readonly suspicion: number;
  /** Images in which it was not seen. */
  unseen: number;
}

/** Overlap that makes a track the object of a mask, a window the one that was looked at before. */
const SAME = 0.3;
/** A mask grows by this share on each side where it follows a track: it must not lag. */
const SLACK = 0.05;
/** A window that was found harmless is not looked into again while it stands out by less than this factor more. */
const MORE = 1.5;
/** Images after which a harmless window is forgotten when nothing stands out there any more, and how many are known. */
const FORGET = 10;
const KNOWN = 64;

/** What was found out in earlier images. */
export class Memory {
  #held: Held[] = [];
  #cleared: Cleared[] = [];
  #stampNs = 0n;
  #elapsedS = 0;

  get masks(): readonly Mask[] {
    return this.#held;
  }

  /** Moves the masks with their tracks to the time of the next image. Stamps that go back: all is forgotten. */
  advance(stampNs: bigint, tracks: readonly Track[]): void {
    if (stampNs < this.#stampNs) {
      this.#held = [];
      this.#cleared = [];
    }
    this.#elapsedS = Number(stampNs - this.#stampNs) / 1e9;
    this.#stampNs = stampNs;
    const boxes = this.predict(tracks);
    for (const mask of this.#held) {
      mask.age += 1;
      follow(mask, tracks, boxes);
    }
    for (const cleared of this.#cleared) cleared.unseen += 1;
    this.#cleared = this.#cleared.filter(({ unseen }) => unseen <= FORGET);
  }

  /** Boxes of tracks at the time of the image, at their last velocity. */
  predict(tracks: readonly Track[]): Box[] {
    return tracks.map(({ box, velocityX, velocityY }) => {
      const [dx, dy] = [velocityX * this.#elapsedS, velocityY * this.#elapsedS];
      return [box[0]! + dx, box[1]! + dy, box[2]! + dx, box[3]! + dy];
    });
  }

  /** Keeps a window filled from now on. `found`: the answer with it filled. */
  hold(window: Window, found: Detections): void {
    const { box } = window;
    const place = { window, box, sinceNs: this.#stampNs, age: 0, idle: 0 };
    this.#held.push({ ...place, object: objectAround(box, found) });
  }

  /** The mask that has waited longest, where `recheck` images have gone by since it was last tried without. */
  due(recheck: number): Mask | undefined {
    let oldest: Held | undefined;
    for (const mask of this.#held) if (mask.age >= (oldest === undefined ? recheck : oldest.age + 1)) oldest = mask;
    return oldest;
  }

  /** Takes down what a try without the mask showed; it is dropped after `clean` tries in a row that changed nothing. */
  tried(mask: Mask, isNeeded: boolean, clean: number): void {
    const held = this.#held.find((each) => each === mask)!;
    held.age = 0;
    held.idle = isNeeded ? 0 : held.idle + 1;
    if (held.idle >= clean) this.#held = this.#held.filter((each) => each !== mask);
  }

  /** Takes down that a window is harmless. */
  clear({ box, suspicion }: Window): void {
    this.#cleared = this.#cleared.filter((known) => iou(known.box, 0, 0, box) < SAME).slice(1 - KNOWN);
    this.#cleared.push({ box, suspicion, unseen: 0 });
  }

  /** Whether a window was looked into before; it then follows to where the window is now. */
  knows({ box, suspicion }: Window): boolean {
    const known = this.#cleared.find((each) => iou(each.box, 0, 0, box) >= SAME);
    if (known === undefined || suspicion > MORE * known.suspicion) return false;
    known.box = box;
    known.unseen = 0;
    return true;
  }
}

/** Moves a mask with the track of its object, once that has one. */
function follow(mask: Held, tracks: readonly Track[], boxes: readonly Box[]): void {
  const { object } = mask;
  if (object === undefined) return;
  const at = tracks.findIndex(({ id, classIndex }, i) =>
    object.trackId === undefined
      ? classIndex === object.classIndex && iou(boxes[i]!, 0, 0, object.box) >= SAME
      : id === object.trackId,
  );
  if (at === -1) return;
  const box = boxes[at]!;
  if (object.trackId === tracks[at]!.id) mask.box = grown(carried(object.placed, object.box, box), SLACK);
  else mask.object = { classIndex: object.classIndex, box, placed: mask.box, trackId: tracks[at]!.id };
}

/** The best detection that a window lies in by more than half. */
function objectAround(window: Box, { count, boxes, classes }: Detections): Held["object"] {
  for (let i = 0; i < count; i += 1) {
    if (common(window, 0, 4 * i, boxes) <= area(window, 0) / 2) continue;
    const box = [...boxes.subarray(4 * i, 4 * i + 4)] as unknown as Box;
    return { classIndex: classes[i]!, box, placed: window, trackId: undefined };
  }
  return undefined;
}

/** `place` after its object went from one box to another. */
function carried(place: Box, from: Box, to: Box): Box {
  const x = (value: number) => to[0] + ((value - from[0]) * (to[2] - to[0])) / (from[2] - from[0]);
  const y = (value: number) => to[1] + ((value - from[1]) * (to[3] - to[1])) / (from[3] - from[1]);
  return [x(place[0]), y(place[1]), x(place[2]), y(place[3])];
}

function grown([x0, y0, x1, y1]: Box, share: number): Box {
  const [dx, dy] = [share * (x1 - x0), share * (y1 - y0)];
  return [x0 - dx, y0 - dy, x1 + dx, y1 + dy];
}
