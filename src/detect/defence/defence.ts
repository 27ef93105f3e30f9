import type { Box, Detections, Detector, DetectorAnswer, ImageAnswer } from "../../core/detection.ts";
import type { Image } from "../../core/image.ts";
import { common } from "../candidates.ts";
import type { Track } from "../tracker.ts";
import { type Lost, lostTracks, partsOf } from "./gate.ts";
import { Look, type Verdict } from "./look.ts";
import { type Mask, Memory } from "./memory.ts";
import { patrol, patrolled } from "./patrol.ts";
import { boxesOf, Proposer, resized, type Window } from "./propose.ts";
import { type DefenceSettings, defaultSettings } from "./settings.ts";
import { bestAt, cut, surplus } from "./verify.ts";

export interface DefendedAnswer extends DetectorAnswer {
  /** Parts of this image that were filled before the detector looked. */
  readonly masks: readonly Mask[];
  /** Windows that were found suspicious in this image and looked into. */
  readonly verdicts: readonly Verdict[];
  /** Runs of the network that this image took; 1: nothing was suspicious. */
  readonly passes: number;
}

/** Parts of a lost object that are tried in one image; the others wait for the next. */
const SEARCH_PASSES = 3;
/** Score from which a lost object is back. */
const BACK = 0.4;

/**
 * What vanishes with a window counts where it was seen surely and falls far, however much of its box the windows cover: a
 * detection that hangs on what passes the gate was made by it.
 */
const LOST = { score: 0.6, rise: 0.4, cover: 1 };

/**
 * Suspicion from which the first window is tried in other sizes even where filling it as it was found changed nothing. Of 128 clean
 * pictures of coco_train two reach it.
 */
const CERTAIN = 4.5;

/** Passes for patrols with which a stream begins, so that the first does not wait as long as the others. */
const FIRST_SAVED = 0.8;
/** All other passes are paid for, too, but after a long attack patrols are not off for longer than this many passes take. */
const MOST_OWED = 10;

/** Sizes in which a suspect is tried by itself: what is left of a patch may still work, and filling more hides more. */
const SIZES = [1, 0.75, 1.35];

/**
 * A detector with a defence against adversarial patches: small parts of an image that excite its early layer, and that
 * detections hang on, are filled before it looks. Takes the images of one camera one after the other; the next may be given
 * when the answer is there. Between pictures that have nothing to do with each other, `reset`.
 */
export class Defence {
  readonly #detector: Detector;
  readonly #settings: DefenceSettings;
  #memory = new Memory();
  readonly #proposer = new Proposer();
  /** Passes that may be spent on a patrol; it goes out when there is a whole one. */
  #saved = FIRST_SAVED;

  /** `detector`: opened with `cues`. */
  constructor(detector: Detector, settings: Partial<DefenceSettings> = {}) {
    this.#detector = detector;
    this.#settings = { ...defaultSettings, ...settings };
  }

  /** Forgets all earlier images. */
  reset(): void {
    this.#memory = new Memory();
    this.#saved = FIRST_SAVED;
  }

  /**
   * Detects in the next image. `tracks`: those of the images before, which are to be brought up to date with the answer before
   * the next call; masks follow them, and what they lost is searched. Undefined where the detector left the image out.
   * Rejects as `Detector.run` does.
   */
  async run(image: Image, stampNs = 0n, tracks: readonly Track[] = []): Promise<DefendedAnswer | undefined> {
    const memory = this.#memory;
    memory.advance(stampNs, tracks);
    const first = await this.#detector.run(image, boxesOf(memory.masks));
    if (first === undefined) return undefined;
    const look = new Look(this.#detector, first, boxesOf(memory.masks));
    await this.#recheck(look);
    const suspects = this.#suspects(first, image);
    const verdicts = suspects.length === 0 ? [] : await this.#verify(look, suspects);
    const missing = lostTracks(look.answer, tracks, memory.predict(tracks), image);
    for (const lost of missing) verdicts.push(...(await this.#search(look, lost)));
    this.#saved = Math.min(1, this.#saved + this.#settings.patrol);
    if (this.#saved === 1 && look.passes === 1) verdicts.push(...(await this.#patrol(look, image)));
    this.#saved = Math.max(-MOST_OWED, this.#saved - (look.passes - 1));
    const masks = memory.masks.map(({ box, sinceNs, window }) => ({ box, sinceNs, window }));
    return { ...cut(look.answer, this.#detector.scoreThreshold), masks, verdicts, passes: look.passes };
  }

  /** Looks without the mask that has waited longest: it goes when it has not been needed a few times. */
  async #recheck(look: Look): Promise<void> {
    const due = this.#memory.due(this.#settings.recheck);
    if (due === undefined) return;
    const [without] = await look.again([look.held.filter((box) => box !== due.box)], []);
    const { gained, lost } = this.#change(without!, look.first, [due.box]);
    this.#memory.tried(due, gained.length + lost.length > 0, this.#settings.clean);
  }

  /** Windows that stand out and are not known to be harmless, best first. */
  #suspects({ cues }: ImageAnswer, { width, height }: Image): Window[] {
    if (cues === undefined) return [];
    const { gate, most } = this.#settings;
    return this.#proposer
      .propose(cues, { width, height }, { least: gate, most })
      .filter((window) => !this.#memory.knows(window));
  }

  /** Windows that may still be tried one by one in this image. */
  #searchRoom(look: Look): number {
    return Math.max(0, Math.min(SEARCH_PASSES, this.#settings.passes - look.passes));
  }

  /** Fills a lost object part by part: when it is back without one of them, that hid it, whatever it looks like. */
  async #search(look: Look, { box, classIndex }: Lost): Promise<Verdict[]> {
    const parts = partsOf(box)
      .map((part): Window => ({ box: part, suspicion: 0, excitement: { hues: 0, energy: 0 } }))
      .filter((window) => !this.#memory.knows(window))
      .slice(0, this.#searchRoom(look));
    if (parts.length === 0) return [];
    const before = look.answer;
    const answers = await look.again(parts.map((part) => [part.box]));
    const changes = answers.map((answer, i) => this.#change(before, answer, [parts[i]!.box]));
    const scores = answers.map((answer) => bestAt(answer, classIndex, box, 0));
    const best = scores.indexOf(Math.max(...scores));
    const isFound = scores[best]! >= BACK;
    if (isFound) look.keep([parts[best]!.box], answers[best]!);
    return parts.map((window, i) => {
      const masked = isFound && i === best;
      if (masked) this.#memory.hold(window, look.answer);
      else if (!isFound) this.#memory.clear(window);
      return { window, masked, gained: changes[i]!.gained.length, lost: changes[i]!.lost.length };
    });
  }

  async #patrol(look: Look, image: Image): Promise<Verdict[]> {
    const windows = patrolled(this.#proposer, look.first, image, this.#settings.most);
    const verdicts = await patrol(look, windows, this.#searchRoom(look));
    for (const { window, masked } of verdicts) if (masked) this.#memory.hold(window, look.answer);
    return verdicts;
  }

  /** Fills all suspects at once; where that changes anything, one by one and in several sizes, to know which it was. */
  async #verify(look: Look, suspects: readonly Window[]): Promise<Verdict[]> {
    const boxes = boxesOf(suspects);
    const [all] = await look.again([boxes]);
    const whole = this.#change(look.first, all!, boxes);
    const isNothing = whole.gained.length + whole.lost.length === 0;
    if (isNothing && suspects[0]!.suspicion < CERTAIN) {
      for (const window of suspects) this.#memory.clear(window);
      return suspects.map((window) => ({ window, masked: false, gained: 0, lost: 0 }));
    }
    const tries = await this.#tryEach(look, isNothing ? boxes.slice(0, 1) : boxes, all!);
    const best = boxes.map((_, i) => {
      const own = tries.filter(({ of }) => of === i);
      return own.length === 0 ? undefined : own.reduce((a, b) => (b.rise > a.rise ? b : a));
    });
    const isBlamed = best.map((each) => each !== undefined && each.gained.length + each.lost.length > 0);
    // Several may be needed together, or there was no room to try each: then all that lie on what came or went.
    if (!isBlamed.includes(true)) {
      const changed = [
        ...whole.gained.map((i) => all!.boxes.subarray(4 * i, 4 * i + 4)),
        ...whole.lost.map((i) => look.first.boxes.subarray(4 * i, 4 * i + 4)),
      ];
      for (const [k, box] of boxes.entries()) {
        isBlamed[k] = changed.some((object) => common(object, 0, 0, box) > 0);
      }
    }
    const fitting = boxes.map((box, i) => (best[i] !== undefined && best[i].rise > 0 ? best[i].box : box));
    const blamed = fitting.filter((_, i) => isBlamed[i]);
    const single = best[isBlamed.indexOf(true)];
    if (blamed.length === 1 && single?.box === blamed[0]) look.keep(blamed, single!.answer);
    else if (blamed.length > 0) look.keep(blamed, (await look.again([blamed]))[0]!);
    return suspects.map((window, i) => {
      const { gained, lost } = best[i] ?? { gained: [], lost: [] };
      if (isBlamed[i]) this.#memory.hold({ ...window, box: fitting[i]! }, look.answer);
      else if (isNothing || best[i] !== undefined) this.#memory.clear(window);
      return { window, masked: isBlamed[i]!, gained: gained.length, lost: lost.length };
    });
  }

  /** What each suspect alone changes, in sizes around its own, as many as there is room for. `all`: with all of them filled. */
  async #tryEach(look: Look, boxes: readonly Box[], all: DetectorAnswer) {
    const { passes, most } = this.#settings;
    const tries = SIZES.flatMap((size) => boxes.map((box, of) => ({ of, box: resized(box, size) })));
    // A single one was tried already.
    const known = boxes.length === 1 ? [all] : [];
    const room = Math.max(0, Math.min(most, passes - look.passes - 1));
    const answers = [...known, ...(await look.again(tries.slice(known.length, room).map(({ box }) => [box])))];
    return answers.map((answer, k) => ({ ...tries[k]!, answer, ...this.#change(look.first, answer, [tries[k]!.box]) }));
  }

  #change(before: Detections, after: Detections, windows: readonly Box[]) {
    const gained = surplus(after, before, windows, this.#settings);
    const lost = surplus(before, after, windows, LOST);
    return { gained: gained.indices, lost: lost.indices, rise: gained.rise + lost.rise };
  }
}
