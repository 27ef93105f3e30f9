import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Detections } from "../core/detection.ts";
import { Tracker } from "./tracker.ts";

type Box = readonly [left: number, top: number, right: number, bottom: number];
type Seen = { readonly box: Box; readonly score?: number; readonly kind?: number };

function detections(seen: readonly Seen[]): Detections {
  return {
    count: seen.length,
    boxes: Float32Array.from(seen.flatMap(({ box }) => box)),
    scores: Float32Array.from(seen, ({ score }) => score ?? 0.9),
    classes: Uint16Array.from(seen, ({ kind }) => kind ?? 0),
  };
}

const at = (x: number, y = 100): Box => [x, y, x + 40, y + 100];
const tenth = (frame: number) => BigInt(frame) * 100_000_000n;
const idsOf = (tracker: Tracker, count: number) => [...tracker.ids.subarray(0, count)];

describe("tracker", () => {
  it("gives an object the same id while it moves, and its velocity", () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 20; frame += 1) {
      tracker.update(detections([{ box: at(100 + 12 * frame) }]), tenth(frame));
      expect(idsOf(tracker, 1)).toEqual([1]);
    }
    const [track] = tracker.tracks;
    expect(track!.velocityX).toBeCloseTo(120, 0);
    expect(track!.velocityY).toBeCloseTo(0, 3);
    expect(track!.hits).toBe(20);
  });

  it("predicts a missed object and finds it again; gives it up after its patience", () => {
    const tracker = new Tracker({ beginScore: 0.4, patienceS: 0.55 });
    for (let frame = 0; frame < 8; frame += 1) tracker.update(detections([{ box: at(20 * frame) }]), tenth(frame));
    for (let frame = 8; frame < 12; frame += 1) tracker.update(detections([]), tenth(frame));
    expect(tracker.tracks[0]).toMatchObject({ id: 1, missed: 4 });
    expect(tracker.tracks[0]!.box[0]).toBeCloseTo(220, 0);
    tracker.update(detections([{ box: at(240) }]), tenth(12));
    expect(tracker.tracks[0]).toMatchObject({ id: 1, missed: 0 });
    for (let frame = 13; frame < 18; frame += 1) tracker.update(detections([]), tenth(frame));
    expect(tracker.tracks).toHaveLength(1);
    tracker.update(detections([]), tenth(18));
    expect(tracker.tracks).toEqual([]);
    tracker.update(detections([{ box: at(360) }]), tenth(19));
    expect(idsOf(tracker, 1)).toEqual([2]);
  });

  it("goes on with weak detections, and begins nothing with them", () => {
    const tracker = new Tracker();
    tracker.update(detections([{ box: at(0) }, { box: at(300), score: 0.2 }]), 0n);
    expect(idsOf(tracker, 2)).toEqual([1, 0]);
    tracker.update(detections([{ box: at(3), score: 0.15 }]), tenth(1));
    expect(tracker.tracks).toHaveLength(1);
    expect(tracker.tracks[0]).toMatchObject({ id: 1, missed: 0 });
    expect(tracker.tracks[0]!.score).toBeCloseTo(0.15);
  });

  it("keeps classes apart", () => {
    const tracker = new Tracker();
    tracker.update(detections([{ box: at(0), kind: 0 }]), 0n);
    tracker.update(
      detections([
        { box: at(0), kind: 2 },
        { box: at(1), kind: 0 },
      ]),
      tenth(1),
    );
    expect(idsOf(tracker, 2)).toEqual([2, 1]);
  });

  it("keeps two that pass each other apart", () => {
    const tracker = new Tracker();
    for (let frame = 0; frame <= 30; frame += 1) {
      const one = { box: at(12 * frame, 100) };
      const other = { box: at(360 - 12 * frame, 130) };
      tracker.update(detections(frame % 2 === 0 ? [one, other] : [other, one]), tenth(frame));
      expect(idsOf(tracker, 2)).toEqual(frame % 2 === 0 ? [1, 2] : [2, 1]);
    }
  });

  it("begins anew with new ids when the stamps go back", () => {
    const tracker = new Tracker();
    tracker.update(detections([{ box: at(0) }]), tenth(5));
    tracker.update(detections([{ box: at(0) }]), tenth(1));
    expect(tracker.tracks).toHaveLength(1);
    expect(tracker.tracks[0]!.id).toBe(2);
  });

  it("stays still on a frozen picture, also with the same stamp", () => {
    const tracker = new Tracker();
    for (let frame = 0; frame < 5; frame += 1) tracker.update(detections([{ box: at(50) }]), tenth(Math.min(frame, 2)));
    expect([...tracker.tracks[0]!.box]).toEqual([...at(50)]);
    expect(tracker.tracks[0]).toMatchObject({ id: 1, velocityX: 0, velocityY: 0 });
  });

  it("gives each id at most once in an image, and only finite numbers, whatever comes", () => {
    const side = fc.integer({ min: 0, max: 300 });
    const seen = fc.record({
      box: fc.tuple(side, side, side, side).map(([x, y, w, h]): Box => [x, y, x + w + 1, y + h + 1]),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      kind: fc.integer({ min: 0, max: 2 }),
    });
    const frames = fc.array(fc.tuple(fc.integer({ min: -1, max: 3 }), fc.array(seen, { maxLength: 12 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(frames, (video) => {
        const tracker = new Tracker();
        let stampNs = 10n ** 18n;
        let lowest = 1;
        for (const [step, found] of video) {
          stampNs += BigInt(step) * 77_000_000n;
          tracker.update(detections(found), stampNs);
          const ids = idsOf(tracker, found.length).filter((id) => id !== 0);
          expect(new Set(ids).size).toBe(ids.length);
          const alive = tracker.tracks.map(({ id }) => id);
          expect(new Set(alive).size).toBe(alive.length);
          if (step < 0) expect(Math.min(...alive, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(lowest);
          lowest = Math.max(lowest, ...alive.map((id) => id + 1));
          for (const [i, { score }] of found.entries()) if (score >= 0.4) expect(tracker.ids[i]).toBeGreaterThan(0);
          for (const { box, velocityX, velocityY } of tracker.tracks) {
            for (const value of [...box, velocityX, velocityY]) expect(Number.isFinite(value)).toBe(true);
          }
        }
      }),
    );
  });
});
