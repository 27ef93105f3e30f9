import { expect, it } from "vitest";
import { nextSpeed, speeds, stopped, timeText, withParameters } from "./timeline-state.ts";

it("takes the parameters that come and keeps the others", () => {
  const first = withParameters(
    stopped,
    new Map<string, unknown>([
      ["playback.playing", true],
      ["playback.total", 120],
    ]),
  );
  expect(first).toEqual({ ...stopped, isPlaying: true, total: 120 });
  const bad = new Map<string, unknown>([
    ["playback.playing", 1],
    ["playback.frame", "3"],
    ["playback.speed", Number.NaN],
  ]);
  expect(withParameters(first, bad)).toEqual(first);
  expect(withParameters(first, new Map([["other", 5]]))).toEqual(first);
});

it("goes from speed to speed, and stays at the ends", () => {
  expect([
    nextSpeed(1, 1),
    nextSpeed(1, -1),
    nextSpeed(8, 1),
    nextSpeed(0, 1),
    nextSpeed(0, -1),
    nextSpeed(0.1, -1),
  ]).toEqual([2, 0.5, 0, 0, 8, 0.1]);
  expect([nextSpeed(1.2, 0), nextSpeed(3, 1)]).toEqual([1, 8]);
  expect(new Set(speeds).size).toBe(speeds.length);
});

it("tells the time", () => {
  expect(timeText({ ...stopped, positionS: 7.26, durationS: 72, frame: 72, total: 720 })).toBe(
    "0:07.3 / 1:12.0   73 of 720",
  );
  expect(timeText({ ...stopped, positionS: 59.96, durationS: 60 })).toBe("1:00.0 / 1:00.0   0 of 0");
});
