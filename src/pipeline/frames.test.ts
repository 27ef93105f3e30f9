import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frame, frames, image, info, ms, play, tf, without } from "../../test/frames/inputs.ts";
import { Health } from "../core/health.ts";
import type { Side, StereoInput } from "../core/ports.ts";
import { rectifiedPairs } from "./frames.ts";
import { makeFrameCounts } from "./frames-counts.ts";

const codes = (health: Health) => health.list().map(({ code }) => code);

test("a clean drive: every pair with calibration and pose, nothing in Health", async () => {
  const { out, stampsMs, xs, health, counts } = await play(frames(1000, 1100, 1200, 1300));
  expect(stampsMs).toEqual([1000, 1100, 1200, 1300]);
  expect(xs).toEqual([1, 1.1, 1.2, 1.3]);
  expect(out[0]).toMatchObject({
    fixedFrame: "odom",
    pair: { frameId: "cam", calibration: { fx: 50, baselineM: 0.1 } },
  });
  expect(counts).toEqual({ seen: 4, processed: 4, dropped: {}, images: 8 });
  expect(health.list()).toEqual([]);
});

test("a source that was cut short: what waits is counted, and no fault", async () => {
  const inputs = [...frames(1000, 1100), image("left", 1200), image("right", 1200), image("left", 1300)];
  const whole = await play(inputs);
  expect([whole.counts.processed, whole.raised]).toEqual([3, ["PAIR_LONE"]]);
  const { counts, raised, stampsMs } = await play(inputs, { wasCut: () => true });
  expect([stampsMs, raised]).toEqual([[1000, 1100], []]);
  expect(counts).toEqual({ seen: 3, processed: 2, dropped: { stopped_pair: 1, stopped: 1 }, images: 7 });
});

test("each pair comes out as soon as its last message is there", async () => {
  const health = new Health();
  const counts = makeFrameCounts();
  const options = { rectify: "auto", rectifiedByName: undefined } as const;
  let sent = 0;
  async function* counted() {
    for (const input of frames(1000, 1100, 1200)) {
      sent += 1;
      yield input;
    }
  }
  const sentAt: number[] = [];
  for await (const _ of rectifiedPairs(counted(), options, health, counts)) sentAt.push(sent);
  expect(sentAt).toEqual([5, 10, 15]);
});

describe("poses", () => {
  test("without any transform maps are per frame, and nothing is held up for long", async () => {
    const { xs, out, health } = await play(without("transform", frames(1000, 1100, 1200)));
    expect(xs).toEqual([undefined, undefined, undefined]);
    expect(out[0]?.fixedFrame).toBeUndefined();
    expect(health.list()).toMatchObject([{ where: "tf", code: "TF_MISSING", level: "warn" }]);
    expect(health.list()[0]?.message).toContain("Maps are per frame");
  });

  test("a transform that comes after its images is waited for, also by interpolation", async () => {
    const late = [
      ...without("transform", frame(1000)),
      ...without("transform", frame(1100)),
      tf(950),
      tf(1050),
      tf(1150),
      ...frame(1200),
    ];
    const { xs, health, raised } = await play(late);
    expect(xs).toEqual([1, 1.1, 1.2]);
    expect([health.list(), raised]).toEqual([[], []]);
  });

  test("one that stops is reported, the pairs come without pose, and it heals", async () => {
    const gap = [1200, 1300, 1400, 1500, 1600].flatMap((at) => without("transform", frame(at)));
    const { xs, stampsMs, out, raised } = await play([...frames(1000, 1100), ...gap, ...frames(3000, 3100)]);
    expect(stampsMs).toEqual([1000, 1100, 1200, 1300, 1400, 1500, 1600, 3000, 3100]);
    // 1200 is within the tolerance of 1100; the others lie between 1100 and 3000 only once 3000 has come.
    expect(xs.slice(0, 3)).toEqual([1, 1.1, 1.1]);
    expect(xs[3]).toBeUndefined();
    expect(out[3]?.fixedFrame).toBe("odom");
    expect(xs.slice(-2)).toEqual([3, 3.1]);
    expect(raised.slice(0, 2)).toEqual(["TF_MISSING", "-TF_MISSING"]);
  });

  test("NaN in a transform is refused by name and the others go on", async () => {
    const { xs, health } = await play([...frames(1000), tf(1050, Number.NaN), ...frames(1100)]);
    expect(xs).toEqual([1, 1.1]);
    expect(health.list()).toMatchObject([{ code: "TF_INVALID", where: "tf" }]);
    expect(health.list()[0]?.message).toContain("odom -> cam is [1, 0, 0, NaN");
  });

  test("the fixed frame stays the one it began with", async () => {
    const { out } = await play([...frames(1000), tf(1000, 5, "map", "odom"), ...frames(1100)]);
    expect(out.map(({ fixedFrame }) => fixedFrame)).toEqual(["odom", "odom"]);
    const told = await play([tf(1000, 5, "map", "odom"), ...frames(1000)], { fixedFrame: "odom" });
    expect(told.xs).toEqual([1]);
  });
});

test("colour becomes grey", async () => {
  const inputs = frames(1000).map((input) => (input.kind === "image" ? image(input.side, 1000, 3) : input));
  const red = inputs.find((input) => input.kind === "image");
  if (red?.kind === "image")
    for (let i = 0; i < red.image.image.data.length; i += 1) red.image.image.data[i] = i % 3 === 0 ? 255 : 0;
  const { out } = await play(inputs);
  expect(out[0]?.pair.left).toMatchObject({ channels: 1, width: 64, height: 48 });
  expect(out[0]?.pair.left.data[7]).toBe(77);
  expect(out[0]?.pair.right.data[7]).toBe(1000 % 251);
});

describe("stamps", () => {
  test("a lone image is named with its stamp and counted", async () => {
    const lone = frames(1000, 1100, 1200, 1300).filter(
      (input) => !(input.kind === "image" && input.side === "right" && input.image.stampNs === ms(1100)),
    );
    const { stampsMs, health, counts } = await play(lone, { names: { left: "/l/image", right: "/r/image" } });
    expect(stampsMs).toEqual([1000, 1200, 1300]);
    expect(counts).toEqual({ seen: 3, processed: 3, dropped: { lone_left: 1 }, images: 7 });
    expect(health.list()).toMatchObject([{ where: "/l/image", code: "PAIR_LONE" }]);
    expect(health.list()[0]?.message).toContain("The left image of 1.100 s has no right partner");
  });

  test("it is forgotten after thirty good pairs", async () => {
    const stamps = Array.from({ length: 40 }, (_, i) => 1000 + 100 * i);
    const inputs = [image("left", 950), ...frames(...stamps)];
    const { raised, health } = await play(inputs, { sync: { mode: "exact", reorder: 1 } });
    expect(raised).toEqual(["PAIR_LONE", "-PAIR_LONE"]);
    expect(health.list()).toEqual([]);
  });

  test("time running backwards: told once, both rounds in full, each with its own poses", async () => {
    const round = frames(5000, 5100, 5200);
    const again = round.map((input) =>
      input.kind === "transform" ? tf(Number(input.transform.stampNs / 1_000_000n), 70) : input,
    );
    const { stampsMs, xs, health, counts } = await play([...frames(5000, 5100, 5200, 9000), ...again]);
    expect(stampsMs).toEqual([5000, 5100, 5200, 9000, 5000, 5100, 5200]);
    expect(xs).toEqual([5, 5.1, 5.2, 9, 70, 70, 70]);
    expect(health.list()).toMatchObject([
      { code: "STAMP_BACKWARDS", where: "tf", count: 1 },
      { code: "STAMP_BACKWARDS", where: "left", count: 1 },
    ]);
    expect(counts).toEqual({ seen: 7, processed: 7, dropped: {}, images: 14 });
  });

  test("one eye missing altogether ends with its images counted, not with a hang", async () => {
    const { out, counts, health } = await play(
      frames(...Array.from({ length: 20 }, (_, i) => 1000 + 100 * i)).filter(
        (input) => !(input.kind === "image" && input.side === "right"),
      ),
    );
    expect(out).toEqual([]);
    expect(counts).toEqual({ seen: 0, processed: 0, dropped: { queue_overflow: 10, lone_left: 10 }, images: 20 });
    expect(codes(health)).toEqual(["PAIR_LONE"]);
  });
});

test("messages that could not be read are reported, counted and skipped", async () => {
  const rejected: StereoInput = {
    kind: "rejected",
    where: "/right/image",
    side: "right",
    reason: { code: "IMAGE_CORRUPT", message: "not a JPEG" },
  };
  const inputs = frames(1000, 1100, 1200).map((input) =>
    input.kind === "image" && input.side === "right" && input.image.stampNs === ms(1100) ? rejected : input,
  );
  const { stampsMs, counts, health } = await play(inputs);
  expect(stampsMs).toEqual([1000, 1200]);
  expect(counts.dropped).toEqual({ image_corrupt: 1, lone_left: 1 });
  expect(health.list()).toMatchObject([{ where: "/right/image", message: "not a JPEG" }, { code: "PAIR_LONE" }]);
});

describe("how it ends", () => {
  test("a source that breaks off: what came before comes out, then its error", async () => {
    async function* broken() {
      yield* without("info", frames(1000));
      yield* [info("left", 1000), info("right", 1000), ...without("transform", frames(1400))];
      throw new Error("disk gone");
    }
    const stamps: bigint[] = [];
    const counts = makeFrameCounts();
    const run = async () => {
      const options = { rectify: "auto", rectifiedByName: undefined } as const;
      for await (const { pair } of rectifiedPairs(broken(), options, new Health(), counts)) stamps.push(pair.stampNs);
    };
    await expect(run()).rejects.toThrow("disk gone");
    expect(stamps).toEqual([ms(1000), ms(1400)]);
    expect(counts).toMatchObject({ seen: 2, processed: 2, dropped: {} });
  });

  test("a consumer that stops early: the rest is counted and the source is closed", async () => {
    let closed = false;
    async function* source() {
      try {
        yield* [...without("info", frames(1000, 1100, 1200)), image("left", 1300), info("left", 1000)];
        yield* [info("right", 1000), ...frames(1500, 1600)];
      } finally {
        closed = true;
      }
    }
    const counts = makeFrameCounts();
    const options = { rectify: "auto", rectifiedByName: undefined, sync: { mode: "exact", reorder: 1 } } as const;
    for await (const _ of rectifiedPairs(source(), options, new Health(), counts)) break;
    expect(closed).toBe(true);
    expect(counts.processed).toBe(1);
    const { lone_left = 0, stopped = 0, stopped_pair = 0, ...others } = counts.dropped;
    expect(others).toEqual({});
    expect(counts.seen).toBe(counts.processed + stopped_pair);
    expect(counts.images).toBe(2 * counts.seen + stopped + lone_left);
  });
});

test("whatever comes, in whatever order: nothing is lost or counted twice, and twice the same", async () => {
  const stampMs = fc.integer({ min: 0, max: 40 }).map((i) => i * 50);
  const message = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constantFrom<Side>("left", "right"), stampMs).map(([side, at]) => image(side, at)),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom<Side>("left", "right"), stampMs).map(([side, at]) => info(side, at)),
    },
    { weight: 2, arbitrary: stampMs.map((at) => tf(at)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 80 }), async (inputs) => {
      const { out, counts, xs, stampsMs } = await play(inputs);
      const { calibration_missing = 0, calibration_invalid = 0, ...images } = counts.dropped;
      expect(counts.processed).toBe(out.length);
      expect(counts.seen).toBe(counts.processed + calibration_missing + calibration_invalid);
      expect(counts.images).toBe(inputs.filter(({ kind }) => kind === "image").length);
      expect(counts.images).toBe(2 * counts.seen + Object.values(images).reduce((a, b) => a + b, 0));
      const again = await play(inputs);
      expect([again.stampsMs, again.xs]).toEqual([stampsMs, xs]);
    }),
  );
});
