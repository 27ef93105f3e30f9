import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Playback, type PlaybackState, type Reel } from "./playback.ts";

const periodNs = 100_000_000n;

/** Frames at 10 Hz; `shown` is what was on screen, in order. */
function makeReel(ready: number, total = ready) {
  const shown: number[] = [];
  const reel = {
    first: 0,
    ready,
    total,
    durationS: (total - 1) / 10,
    stampNs: (frame: number) => 5_000n + BigInt(frame) * periodNs,
    show: async (frame: number) => void shown.push(frame),
  } satisfies Reel;
  return { reel: reel as { -readonly [K in keyof Reel]: Reel[K] }, shown };
}

let stop: AbortController;
let state: PlaybackState;
let ended: Promise<void>;

function play(reel: Reel, speed = 1): Playback {
  const tell = (now: PlaybackState): void => {
    state = now;
  };
  const playback = new Playback(reel, speed, tell, stop.signal);
  ended = playback.run();
  return playback;
}

beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await vi.runAllTimersAsync();
  await ended;
  vi.useRealTimers();
});

describe("Playback", () => {
  it("shows frames at the pace of their stamps, stops at the end, begins again", async () => {
    const { reel, shown } = makeReel(4);
    const playback = play(reel);
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([0]);
    await vi.advanceTimersByTimeAsync(210);
    expect(shown).toEqual([0, 1, 2]);
    await vi.advanceTimersByTimeAsync(500);
    expect(shown).toEqual([0, 1, 2, 3]);
    expect(state).toMatchObject({ "playback.playing": false, "playback.frame": 3, "playback.position_s": 0.3 });
    playback.set("playback.playing", true);
    await vi.advanceTimersByTimeAsync(110);
    expect(shown.slice(4)).toEqual([0, 1]);
  });

  it("pauses, steps, jumps and goes on from there", async () => {
    const { reel, shown } = makeReel(100);
    const playback = play(reel);
    await vi.advanceTimersByTimeAsync(150);
    playback.set("playback.playing", false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown).toEqual([0, 1]);
    playback.set("playback.frame", 2);
    await vi.advanceTimersByTimeAsync(1000);
    playback.set("playback.frame", 50);
    await vi.advanceTimersByTimeAsync(1000);
    expect([shown.slice(2), state["playback.playing"]]).toEqual([[2, 50], false]);
    playback.set("playback.playing", true);
    await vi.advanceTimersByTimeAsync(220);
    expect(shown.slice(4)).toEqual([51, 52]);
    playback.set("playback.frame", 1e9);
    await vi.advanceTimersByTimeAsync(1);
    playback.set("playback.frame", -7);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown.slice(6)).toEqual([99, 0]);
  });

  it("keeps the pace at other speeds, and leaves frames out where showing takes too long", async () => {
    const { reel, shown } = makeReel(60);
    const playback = play(reel, 0.5);
    await vi.advanceTimersByTimeAsync(1010);
    expect(shown.at(-1)).toBe(5);
    playback.set("playback.speed", 4);
    await vi.advanceTimersByTimeAsync(1010);
    expect(shown.at(-1)).toBe(45);
    reel.show = async (frame) => {
      await new Promise((wake) => setTimeout(wake, 100));
      shown.push(frame);
    };
    const before = shown.length;
    await vi.advanceTimersByTimeAsync(330);
    expect(shown.length - before).toBe(3);
    expect(shown.at(-1)! - 45).toBeGreaterThan(7);
  });

  it("asks for more frames when the newest is shown or one beyond is wanted, and for no more than that", async () => {
    const { reel, shown } = makeReel(0, 20);
    const playback = play(reel, 0);
    let made = 0;
    const making = (async () => {
      for (; made < 20; made += 1) {
        await playback.caughtUp();
        if (stop.signal.aborted) return;
        reel.ready += 1;
        playback.grown();
      }
    })();
    playback.set("playback.playing", false);
    await vi.advanceTimersByTimeAsync(10);
    expect([made, shown]).toEqual([2, [0]]);
    playback.set("playback.frame", 7);
    await vi.advanceTimersByTimeAsync(10);
    expect([shown.at(-1), made]).toEqual([7, 9]);
    playback.set("playback.frame", 3);
    await vi.advanceTimersByTimeAsync(10);
    expect([shown.at(-1), made]).toEqual([3, 9]);
    playback.set("playback.playing", true);
    await vi.advanceTimersByTimeAsync(10);
    expect([shown.at(-1), made, state["playback.playing"]]).toEqual([19, 20, false]);
    await making;
  });

  it("ignores nonsense", async () => {
    const { reel } = makeReel(3);
    const playback = play(reel);
    playback.set("playback.playing", false);
    const before = state;
    for (const value of [null, "x", -1, Number.NaN, {}, 1e9]) playback.set("playback.speed", value);
    playback.set("playback.playing", 1);
    playback.set("playback.frame", "2");
    playback.set("fly", true);
    expect(state).toEqual(before);
  });
});
