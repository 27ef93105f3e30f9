import type { Box, Detections, Detector, DetectorAnswer, ImageAnswer } from "../../core/detection.ts";
import type { Image } from "../../core/image.ts";
import { common } from "../candidates.ts";
import { Tracker } from "../tracker.ts";
import { type Lost, lostTracks, partsOf } from "./gate.ts";
import { type Mask, Memory } from "./memory.ts";
import { Proposer, type Window } from "./propose.ts";
import { type DefenceSettings, defaultSettings } from "./settings.ts";
import { bestAt, cut, surplus } from "./verify.ts";

/** What came of a window that was looked into by itself. */
export interface Verdict {
  readonly window: Window;
  readonly masked: boolean;
  /** Detections that appear, and that vanish, when it is filled. */
  readonly gained: number;
  readonly lost: number;
}

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

/**
 * Largest share of the box of a detection that vanishes which windows may cover. It is small: hiding a third of a real object
 * is reason enough to miss it.
 */
const LOST_COVER = 0.2;

/**
 * A detector with a defence against adversarial patches: small parts of an image that excite its early layer, and that
 * detections hang on, are filled before it looks. Takes the images of one camera one after the other; the next may be given
 * when the answer is there. Between pictures that have nothing to do with each other, `reset`.
 */
export class Defence {
  readonly #detector: Detector;
  readonly #settings: DefenceSettings;
  #memory = new Memory();
  #tracker: Tracker;
  readonly #proposer = new Proposer();

  /** `detector`: opened with `cues`. */
  constructor(detector: Detector, settings: Partial<DefenceSettings> = {}) {
    this.#detector = detector;
    this.#settings = { ...defaultSettings, ...settings };
    this.#tracker = this.#makeTracker();
  }

  /** Forgets all earlier images. */
  reset(): void {
    this.#memory = new Memory();
    this.#tracker = this.#makeTracker();
  }

  #makeTracker(): Tracker {
    return new Tracker({ beginScore: this.#settings.score, patienceS: 1 });
  }

  /** Detects in the next image. Undefined where the detector left it out. Rejects as `Detector.run` does. */
  async run(image: Image, stampNs = 0n): Promise<DefendedAnswer | undefined> {
    const memory = this.#memory;
    memory.advance(stampNs, this.#tracker.tracks);
    const first = await this.#detector.run(image, boxesOf(memory.masks));
    if (first === undefined) return undefined;
    const look = new Look(this.#detector, first, boxesOf(memory.masks));
    await this.#recheck(look);
    const suspects = this.#suspects(first, image);
    const verdicts = suspects.length === 0 ? [] : await this.#verify(look, suspects);
    for (const lost of this.#lost(look, image)) verdicts.push(...(await this.#search(look, lost)));
    const masks = memory.masks.map(({ box, sinceNs, window }) => ({ box, sinceNs, window }));
    this.#tracker.update(look.answer, stampNs);
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
    const wanted = { least: gate, most, within: [0, 0, width, height] as const };
    return this.#proposer.propose(cues, { width, height }, wanted).filter((window) => !this.#memory.knows(window));
  }

  /** Where objects were lost that the answer so far does not show. */
  #lost(look: Look, image: Image): Lost[] {
    const { tracks } = this.#tracker;
    return lostTracks(look.answer, tracks, this.#memory.predict(tracks), image, this.#settings);
  }

  /** Fills a lost object part by part: when it is back without one of them, that hid it, whatever it looks like. */
  async #search(look: Look, { box, classIndex }: Lost): Promise<Verdict[]> {
    const parts = partsOf(box)
      .map((part): Window => ({ box: part, suspicion: 0, excess: { texture: 0, chroma: 0, energy: 0 } }))
      .filter((window) => !this.#memory.knows(window))
      .slice(0, Math.max(0, Math.min(SEARCH_PASSES, this.#settings.passes - look.passes)));
    if (parts.length === 0) return [];
    const before = look.answer;
    const answers = await look.again(parts.map((part) => [part.box]));
    const changes = answers.map((answer, i) => this.#change(before, answer, [parts[i]!.box]));
    const scores = answers.map((answer) => bestAt(answer, classIndex, box, 0));
    const best = scores.indexOf(Math.max(...scores));
    const isFound = scores[best]! >= this.#settings.score;
    if (isFound) look.keep([parts[best]!.box], answers[best]!);
    return parts.map((window, i) => {
      const masked = isFound && i === best;
      if (masked) this.#memory.hold(window, look.answer);
      else if (!isFound) this.#memory.clear(window);
      return { window, masked, gained: changes[i]!.gained.length, lost: changes[i]!.lost.length };
    });
  }

  /** Fills all suspects at once; where that changes anything, one by one, to know which it was. */
  async #verify(look: Look, suspects: readonly Window[]): Promise<Verdict[]> {
    const boxes = boxesOf(suspects);
    const [all] = await look.again([boxes]);
    const whole = this.#change(look.first, all!, boxes);
    if (whole.gained.length + whole.lost.length === 0) {
      for (const window of suspects) this.#memory.clear(window);
      return suspects.map((window) => ({ window, masked: false, gained: 0, lost: 0 }));
    }
    const room = Math.max(0, this.#settings.passes - look.passes - 1);
    const tried = suspects.length === 1 ? [all!] : await look.again(boxes.slice(0, room).map((box) => [box]));
    const changes = tried.map((answer, i) => this.#change(look.first, answer, [boxes[i]!]));
    const isBlamed = suspects.map((_, i) => (changes[i]?.gained.length ?? 0) + (changes[i]?.lost.length ?? 0) > 0);
    // Several may be needed together, or there was no room to try each: then all that lie on what came back.
    for (const i of isBlamed.includes(true) ? [] : whole.gained) {
      const object = all!.boxes.subarray(4 * i, 4 * i + 4);
      for (const [k, box] of boxes.entries()) if (common(object, 0, 0, box) > 0) isBlamed[k] = true;
    }
    const blamed = boxes.filter((_, i) => isBlamed[i]);
    const single = isBlamed.indexOf(true);
    if (blamed.length === boxes.length) look.keep(blamed, all!);
    else if (blamed.length === 1 && single < tried.length) look.keep(blamed, tried[single]!);
    else if (blamed.length > 0) look.keep(blamed, (await look.again([blamed]))[0]!);
    return suspects.map((window, i) => {
      const { gained, lost } = changes[i] ?? { gained: [], lost: [] };
      if (isBlamed[i]) this.#memory.hold(window, look.answer);
      else if (i < tried.length) this.#memory.clear(window);
      return { window, masked: isBlamed[i]!, gained: gained.length, lost: lost.length };
    });
  }

  #change(before: Detections, after: Detections, windows: readonly Box[]) {
    return {
      gained: surplus(after, before, windows, this.#settings),
      lost: surplus(before, after, windows, { ...this.#settings, cover: LOST_COVER }),
    };
  }
}

/** One image at the detector: what it answered so far, and at what cost. */
class Look {
  readonly first: ImageAnswer;
  /** Windows that are filled in each look. */
  held: readonly Box[];
  /** The best so far. */
  answer: DetectorAnswer;
  passes = 1;
  readonly #detector: Detector;

  constructor(detector: Detector, first: ImageAnswer, held: readonly Box[]) {
    this.#detector = detector;
    this.first = first;
    this.answer = first;
    this.held = held;
  }

  /** Takes an answer for the best so far, and the windows that were filled for it into those held. */
  keep(windows: readonly Box[], answer: DetectorAnswer): void {
    this.held = [...this.held, ...windows];
    this.answer = answer;
  }

  /** The image again, once for each list of windows that is filled besides those held. */
  async again(variants: readonly (readonly Box[])[], held = this.held): Promise<readonly DetectorAnswer[]> {
    this.passes += variants.length;
    return await this.#detector.again(
      this.first.imageId,
      variants.map((windows) => [...held, ...windows]),
    );
  }
}

function boxesOf(windows: readonly { readonly box: Box }[]): Box[] {
  return windows.map(({ box }) => box);
}
