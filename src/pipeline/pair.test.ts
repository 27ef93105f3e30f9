import { describe, expect, test } from "vitest";
import { type Arrival, both, causesOf, image, ms, play, sum } from "../../test/frames/arrivals.ts";
import { autoPairing, StereoPairer } from "./pair.ts";

describe("exact", () => {
  const exact = { mode: "exact", slopNs: 0n, queueSize: 4 } as const;

  test("pairs equal stamps at once and leaves the others alone", () => {
    const { pairs, early, counts, events } = play(
      [...both([0, 50]), ["left", 100], ["right", 101], ...both([150, 200])],
      { ...exact, reorder: 1 },
    );
    expect(pairs).toEqual([
      [0, 0],
      [50, 50],
      [150, 150],
      [200, 200],
    ]);
    expect(early).toBe(4);
    expect(counts.dropped).toEqual({ lone_left: 1, lone_right: 1 });
    expect(causesOf(events)).toEqual(["lone_left 100", "lone_right 101"]);
  });
});

describe("approximate and auto", () => {
  test.each(["approximate", "auto"] as const)("%s: pairs go out as soon as both eyes are there", (mode) => {
    const pairer = new StereoPairer({ ...autoPairing, mode });
    pairer.push("left", image(0));
    pairer.push("right", image(1.5));
    expect(pairer.push("left", image(50))).toHaveLength(1);
    expect(pairer.push("right", image(49))).toHaveLength(1);
    expect(pairer.push("right", image(100))).toHaveLength(0);
    expect(pairer.push("left", image(101))).toHaveLength(1);
  });

  test("takes the nearest partner, not the first within the slop", () => {
    const { pairs } = play(
      [
        ["left", 0],
        ["right", 30],
        ["left", 40],
        ["right", 70],
        ["left", 80],
        ["right", 110],
        ["left", 120],
      ],
      { mode: "approximate", slopNs: 35n * ms },
    );
    expect(pairs).toEqual([
      [40, 30],
      [80, 70],
      [120, 110],
    ]);
  });

  test("never pairs across a missing frame, however wide the slop", () => {
    const arrivals: Arrival[] = [
      ...both([0, 50, 100], 1),
      ["left", 150],
      ["right", 201],
      ["left", 250],
      ["right", 251],
      ["left", 300],
    ];
    const { pairs, counts } = play(arrivals, { mode: "approximate", slopNs: 500n * ms });
    expect(pairs).toEqual([
      [0, 1],
      [50, 51],
      [100, 101],
      [250, 251],
    ]);
    expect(counts.dropped).toEqual({ lone_left: 2, lone_right: 1 });
  });

  test("nor where both frames between are missing", () => {
    const arrivals: Arrival[] = [
      ...both([0, 50, 100], 1),
      ["left", 150],
      ["right", 200],
      ["left", 300],
      ["right", 301],
    ];
    const { pairs } = play(arrivals, { mode: "approximate", slopNs: 500n * ms });
    expect(pairs).toEqual([
      [0, 1],
      [50, 51],
      [100, 101],
      [300, 301],
    ]);
  });

  test("between a quarter and half a period it waits for a nearer one, which may come", () => {
    const { pairs, counts } = play([...both([0, 100, 200]), ["left", 300], ["right", 328], ["left", 330]], {
      mode: "approximate",
      slopNs: 60n * ms,
    });
    expect(pairs.at(-1)).toEqual([330, 328]);
    expect(counts.dropped).toEqual({ lone_left: 1 });
  });

  test("auto refuses stamps further apart than a quarter of the period", () => {
    const { pairs, counts } = play(both([0, 50, 100, 150], 13));
    expect(pairs).toEqual([]);
    expect(counts.dropped).toEqual({ lone_left: 4, lone_right: 4 });
    expect(play(both([0, 50, 100, 150], 12)).pairs).toHaveLength(4);
    // Slow cameras: 20 ms at most.
    expect(play(both([0, 200, 400], 21)).pairs).toHaveLength(0);
    expect(play(both([0, 200, 400], 20)).pairs).toHaveLength(3);
  });

  test("a single pair in the whole stream is found at its end", () => {
    expect(
      play([
        ["right", 3],
        ["left", 0],
      ]).pairs,
    ).toEqual([[0, 3]]);
  });
});

describe("order of arrival", () => {
  test("images of one eye that come in another order within the queue are found", () => {
    const { pairs, counts } = play([
      ["left", 0],
      ["left", 50],
      ["left", 100],
      ["right", 101],
      ["right", 51],
      ["right", 1],
      ...both([150, 200], 1),
    ]);
    expect(pairs).toEqual([
      [0, 1],
      [50, 51],
      [100, 101],
      [150, 151],
      [200, 201],
    ]);
    expect(counts.dropped).toEqual({});
  });

  test("with reorder 1 a lone image holds up nothing", () => {
    const { early, counts } = play([...both([0, 50], 1), ["left", 100], ...both([150], 1)], { reorder: 1 });
    expect(early).toBe(3);
    expect(counts.dropped).toEqual({ lone_left: 1 });
  });

  test("what comes after later pairs have gone out is late, and a repeated stamp is told", () => {
    const { pairs, counts, events } = play([...both([0, 50, 100]), ["left", 75], ["left", 100], ["right", 100]]);
    expect(pairs).toHaveLength(3);
    expect(counts.dropped).toEqual({ late: 1, duplicate_stamp: 2 });
    expect(events[0]).toMatchObject({ code: "STAMP_BACKWARDS", side: "left", stampNs: 75n * ms });
  });

  test("a silent eye fills the queue, and its images are counted by that cause", () => {
    const { counts, events } = play(
      [...both([0, 50]), ...Array.from({ length: 8 }, (_, i): Arrival => ["left", 100 + 50 * i])],
      {
        queueSize: 5,
      },
    );
    expect(counts.dropped).toEqual({ queue_overflow: 3, lone_left: 5 });
    expect(events[0]).toMatchObject({ code: "PAIR_LONE", side: "left" });
    expect(events[0]!.message).toContain("the right eye has sent nothing as new");
  });

  test("a pair whose nearness is not proven yet survives a full queue", () => {
    const arrivals: Arrival[] = [["left", 0], ...Array.from({ length: 7 }, (_, i): Arrival => ["right", 15 + 50 * i])];
    expect(play(arrivals, { mode: "approximate", slopNs: 20n * ms, queueSize: 4 }).pairs).toEqual([[0, 15]]);
  });
});

describe("time running backwards", () => {
  test("a looped bag: one reset, and both rounds are paired in full", () => {
    const round = both([1000, 1050, 1100, 2000], 1);
    const { pairs, counts, events } = play([...round, ...round]);
    expect(pairs).toHaveLength(8);
    expect(counts).toMatchObject({ resets: 1, dropped: {} });
    expect(causesOf(events)).toEqual(["reset left"]);
    expect(events[0]!.message).toContain("1000 ms later");
  });

  test("images of the other eye that are still under way do not start it anew again", () => {
    const { pairs, counts } = play([
      ...both([1000, 1050]),
      ["left", 2000],
      ["left", 0],
      ["right", 2000],
      ["right", 0],
      ...both([50]),
    ]);
    expect(pairs).toEqual([
      [1000, 1000],
      [1050, 1050],
      [0, 0],
      [50, 50],
    ]);
    expect(counts).toMatchObject({ resets: 1, dropped: { stamp_backwards: 2 } });
  });

  test("a single wrong stamp costs its own frame alone", () => {
    const { pairs, counts } = play([...both([1000, 1050]), ["left", 0], ["right", 1100], ...both([1150, 1200])]);
    expect(pairs).toEqual([
      [1000, 1000],
      [1050, 1050],
      [1150, 1150],
      [1200, 1200],
    ]);
    expect(counts.resets).toBe(1);
    expect(sum(counts.dropped)).toBe(2);
  });
});

test("stop counts what waits", () => {
  const pairer = new StereoPairer();
  pairer.push("left", image(0));
  pairer.stop();
  expect(pairer.counts).toMatchObject({ pushed: 1, dropped: { stopped: 1 } });
  expect(pairer.flush()).toEqual([]);
});
