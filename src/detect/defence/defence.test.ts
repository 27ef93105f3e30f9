import { describe, expect, it } from "vitest";
import type { Box, Cues, Detections, Detector, DetectorAnswer, ImageAnswer } from "../../core/detection.ts";
import type { Image } from "../../core/image.ts";
import { common } from "../candidates.ts";
import { Tracker } from "../tracker.ts";
import { Defence } from "./defence.ts";
import type { DefenceSettings } from "./settings.ts";

const WIDTH = 256;
const HEIGHT = 192;
const CELL = 4;
const image: Image = { width: WIDTH, height: HEIGHT, channels: 3, data: new Uint8Array(WIDTH * HEIGHT * 3) };

/** What the made-up camera sees. */
interface Scene {
  /** Persons; taken for a cat where the face is filled. */
  objects: { box: Box; score: number; face?: Box }[];
  /** Each hides all objects that it touches, or leaves them this weak, unless two thirds of it are filled. */
  patches: Box[];
  left?: number;
  /** Stand out as patches do, and do nothing. */
  signs: Box[];
  /** Patches of which each is taken for an object of this score. */
  made?: { box: Box; score: number }[];
}

const covers = (window: Box, part: Box) =>
  common(window, 0, 0, part) > (2 / 3) * (part[2] - part[0]) * (part[3] - part[1]);

/** A detector that answers what a scene says. */
class Fake implements Detector {
  readonly name = "fake";
  readonly sha256 = "";
  readonly classes = ["person", "cat"];
  readonly scoreThreshold = 0.3;
  scene: Scene = { objects: [], patches: [], signs: [] };
  runs = 0;
  #id = 0;

  async run(_: Image, windows: readonly Box[] = []): Promise<ImageAnswer> {
    this.#id += 1;
    return { ...this.#look(windows), imageId: this.#id, cues: this.#cues(windows) };
  }

  async again(_: number, variants: readonly (readonly Box[])[]): Promise<DetectorAnswer[]> {
    return variants.map((windows) => this.#look(windows));
  }

  async close(): Promise<void> {}

  #look(windows: readonly Box[]): DetectorAnswer {
    this.runs += 1;
    const live = this.scene.patches.filter((patch) => !windows.some((window) => covers(window, patch)));
    const hidden = ({ box }: { box: Box }) => live.some((patch) => common(patch, 0, 0, box) > 0);
    const { left = 0 } = this.scene;
    const seen: Scene["objects"] = [
      ...this.scene.objects.filter((object) => !hidden(object)),
      ...this.scene.objects.filter((object) => left > 0 && hidden(object)).map(({ box }) => ({ box, score: left })),
      ...(this.scene.made ?? []).filter(({ box }) => !windows.some((window) => covers(window, box))),
    ];
    return {
      count: seen.length,
      boxes: Float32Array.from(seen.flatMap(({ box }) => box)),
      scores: Float32Array.from(seen, ({ score }) => score),
      classes: Uint16Array.from(seen, ({ face }) => Number(face && windows.some((window) => covers(window, face)))),
      stagesMs: {},
    };
  }

  #cues(windows: readonly Box[]): Cues {
    const [width, height] = [WIDTH / CELL, HEIGHT / CELL];
    const map = new Float32Array(width * height).fill(4);
    for (const part of [...this.scene.patches, ...this.scene.signs, ...(this.scene.made ?? []).map(({ box }) => box)]) {
      if (windows.some((window) => covers(window, part))) continue;
      for (let y = Math.round(part[1] / CELL); y < Math.round(part[3] / CELL); y += 1) {
        for (let x = Math.round(part[0] / CELL); x < Math.round(part[2] / CELL); x += 1) map[y * width + x] = 90;
      }
    }
    const place = { width, height, left: 0, top: 0, cellWidth: CELL, cellHeight: CELL };
    return { ...place, maps: { hues: map, energy: map } };
  }
}

/** A defence with a tracker beside it, as all that take a stream have. */
function make(settings: Partial<DefenceSettings> = {}, detector = new Fake()) {
  const defence = new Defence(detector, { recheck: 4, clean: 2, ...settings });
  const tracker = new Tracker();
  const run = async (stampNs = 0n) => {
    const answer = (await defence.run(image, stampNs, tracker.tracks))!;
    tracker.update(answer, stampNs);
    return answer;
  };
  return { detector, defence, run };
}

const person = { box: [60, 30, 120, 170] as Box, score: 0.8 };
const patch: Box = [80, 80, 104, 104];
const sign: Box = [180, 40, 212, 72];
const second = 1_000_000_000n;
const list = ({ count, boxes }: Detections) =>
  Array.from({ length: count }, (_, i) => [...boxes.subarray(4 * i, 4 * i + 4)]);

describe("the defence", () => {
  it("costs one pass where nothing stands out, and gives out no weak detections", async () => {
    const { detector, run } = make();
    detector.scene = { objects: [person, { box: [150, 30, 180, 60], score: 0.2 }], patches: [], signs: [] };
    const answer = await run();
    expect(answer).toMatchObject({ passes: 1, masks: [], verdicts: [] });
    expect(list(answer)).toEqual([[...person.box]]);
  });

  it("fills what hides an object, and says why", async () => {
    const { detector, run } = make();
    detector.scene = { objects: [person], patches: [patch], signs: [sign] };
    const answer = await run();
    expect(list(answer)).toEqual([[...person.box]]);
    expect(answer.masks).toHaveLength(1);
    expect(covers(answer.masks[0]!.box, patch)).toBe(true);
    expect(answer.passes).toBe(detector.runs);
    const [ofPatch, ofSign] = [patch, sign].map((part) =>
      answer.verdicts.find(({ window }) => covers(window.box, part)),
    );
    expect(ofPatch).toMatchObject({ masked: true, gained: 1, lost: 0 });
    expect(ofSign).toMatchObject({ masked: false, gained: 0 });
  });

  it("fills what is surely taken for an object and nothing but a patch, and leaves what is so only weakly", async () => {
    for (const [score, left] of [
      [0.9, 1],
      [0.5, 2],
    ] as const) {
      const { detector, run } = make();
      detector.scene = { objects: [person], patches: [], signs: [], made: [{ box: sign, score }] };
      const answer = await run();
      expect(answer.count).toBe(left);
      expect(answer.masks).toHaveLength(2 - left);
      expect(list(answer)[0]).toEqual([...person.box]);
    }
  });

  it("leaves what stands out and does nothing, and does not look into it twice", async () => {
    const { detector, run } = make();
    const passes = [];
    for (let n = 0; n < 30; n += 1) {
      // The sign slides past.
      const moved = sign.map((edge, i) => edge - (i % 2 === 0 ? 2 * n : 0)) as unknown as Box;
      detector.scene = { objects: [person], patches: [], signs: [moved] };
      const answer = await run(BigInt(n) * second);
      expect(answer.masks).toEqual([]);
      passes.push(answer.passes);
    }
    // It stands out so much that it is tried in three sizes, once.
    expect(passes[0]).toBe(4);
    expect(passes.slice(1).every((count) => count === 1)).toBe(true);
  });

  it("fills two patches of which each suffices", async () => {
    const { detector, run } = make();
    const other: Box = [76, 120, 100, 144];
    detector.scene = { objects: [person], patches: [patch, other], signs: [] };
    const answer = await run();
    expect(list(answer)).toEqual([[...person.box]]);
    expect(answer.masks).toHaveLength(2);
  });

  it("keeps to the passes it is given: it masks all suspects, and sorts them out over the next images", async () => {
    const { detector, run } = make({ passes: 4, recheck: 100 });
    const signs: Box[] = [0, 1, 2, 3].map((i) => [150 + 24 * i, 150, 160 + 24 * i, 160] as unknown as Box);
    detector.scene = { objects: [person], patches: [patch], signs: [...signs, sign] };
    for (let n = 0; n < 6; n += 1) {
      const answer = await run(BigInt(n) * second);
      expect(answer.passes).toBeLessThanOrEqual(4);
      expect(list(answer)).toEqual([[...person.box]]);
    }
  });

  it("lets the mask follow its track, at one pass an image, and takes it off when the patch is gone", async () => {
    const { detector, run } = make();
    const at = (n: number, box: Box) => box.map((edge, i) => edge + (i % 2 === 0 ? 3 * n : 0)) as unknown as Box;
    const counts = [];
    for (let n = 0; n < 20; n += 1) {
      detector.scene = { objects: [{ box: at(n, person.box), score: 0.8 }], patches: [at(n, patch)], signs: [] };
      const answer = await run(BigInt(n) * (second / 10n));
      expect(list(answer)).toEqual([[...at(n, person.box)]]);
      expect(answer.masks).toHaveLength(1);
      counts.push(answer.passes);
    }
    // One image in four is looked at without the mask, too.
    expect(counts.slice(1).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(19 + 5);
    let left = 0;
    for (let n = 20; n < 40; n += 1) {
      detector.scene = { objects: [{ box: at(n, person.box), score: 0.8 }], patches: [], signs: [] };
      left = (await run(BigInt(n) * (second / 10n))).masks.length;
    }
    expect(left).toBe(0);
  });

  it("searches a lost object part by part, however little stands out", async () => {
    const { detector, run } = make({ gate: 100 });
    detector.scene = { objects: [person], patches: [], signs: [] };
    for (let n = 0; n < 5; n += 1) await run(BigInt(n) * (second / 10n));
    detector.scene = { objects: [person], patches: [patch], signs: [] };
    const answer = (await run(5n * (second / 10n)))!;
    expect(list(answer)).toEqual([[...person.box]]);
    expect(answer.masks).toHaveLength(1);
  });

  it("goes on patrol below the gate now and then, and masks what an object appears without", async () => {
    const { detector, run } = make({ gate: 100, recheck: 10 });
    detector.scene = { objects: [person], patches: [patch], signs: [sign], left: 0.2 };
    const answers = [];
    for (let n = 0; n < 40; n += 1) answers.push(await run(BigInt(n) * (second / 10n)));
    const first = answers.findIndex(({ count }) => count === 1);
    expect(first).toBe(6);
    expect(answers.slice(first).every(({ count, masks }) => count === 1 && masks.length === 1)).toBe(true);
    expect(covers(answers[first]!.masks[0]!.box, patch)).toBe(true);
    expect(answers[first]!.passes).toBeLessThanOrEqual(1 + 1 + 1);
  });

  it("patrols each single picture where it may spend a pass on each", async () => {
    const { detector, defence, run } = make({ gate: 100, patrol: 1 });
    detector.scene = { objects: [person], patches: [patch], signs: [sign], left: 0.2 };
    for (let n = 0; n < 3; n += 1) {
      defence.reset();
      const answer = await run();
      expect(answer.masks).toHaveLength(1);
      expect(covers(answer.masks[0]!.box, patch)).toBe(true);
    }
  });

  it("leaves alone on patrol what turns one thing that was seen into another", async () => {
    const { detector, run } = make({ gate: 100, patrol: 1 });
    const face: Box = [76, 34, 104, 62];
    detector.scene = { objects: [{ ...person, face }], patches: [], signs: [face] };
    const answer = await run();
    expect(answer).toMatchObject({ count: 1, masks: [], verdicts: [{ masked: false, gained: 1, lost: 1 }] });
    expect(answer.classes[0]).toBe(0);
  });

  it("spends no more on patrols than it may, where all windows are harmless", async () => {
    const { detector, run } = make({ gate: 100 });
    detector.scene = { objects: [person], patches: [], signs: [sign] };
    let passes = 0;
    for (let n = 0; n < 200; n += 1) {
      const answer = await run(BigInt(n) * (second / 10n));
      expect(answer).toMatchObject({ count: 1, masks: [] });
      passes += answer.passes;
    }
    expect(passes).toBeGreaterThan(200 + 3);
    expect(passes).toBeLessThanOrEqual(200 + 7);
  });

  it("forgets when asked to, and when time goes back", async () => {
    const { detector, defence, run } = make();
    detector.scene = { objects: [person], patches: [patch], signs: [] };
    await run(second);
    detector.scene = { objects: [], patches: [], signs: [] };
    expect((await run(2n * second)).masks).toHaveLength(1);
    expect((await run(second)).masks).toEqual([]);
    detector.scene = { objects: [person], patches: [patch], signs: [] };
    await run(3n * second);
    defence.reset();
    detector.scene = { objects: [], patches: [], signs: [] };
    expect((await run(4n * second)).masks).toEqual([]);
  });
});
