import { describe, expect, test } from "vitest";
import { changed, makeInfo } from "../../test/frames/infos.ts";
import { frame, frames, info, type Played, play, without } from "../../test/frames/inputs.ts";
import { Health } from "../core/health.ts";
import { rectifiedPairs } from "./frames.ts";
import { makeFrameCounts } from "./frames-counts.ts";

describe("calibration", () => {
  test("images before the first CameraInfo wait for it", async () => {
    const { stampsMs, health, raised } = await play([
      ...[1000, 1100, 1200, 1300].flatMap((at) => without("info", frame(at))),
      ...frames(1400),
    ]);
    expect(stampsMs).toEqual([1000, 1100, 1200, 1300, 1400]);
    expect(raised).toEqual(["CALIBRATION_MISSING", "-CALIBRATION_MISSING"]);
    expect(health.list()).toEqual([]);
  });

  test("none at all: pairs are dropped by that cause, the fault stands and names the eye", async () => {
    const inputs = frames(...Array.from({ length: 50 }, (_, i) => 1000 + 100 * i)).filter(
      (input) => !(input.kind === "info" && input.side === "right"),
    );
    const { out, health, counts } = await play(inputs);
    expect(out).toEqual([]);
    expect(counts).toEqual({ seen: 50, processed: 0, dropped: { calibration_missing: 50 }, images: 100 });
    expect(health.list()).toMatchObject([{ code: "CALIBRATION_MISSING", level: "error" }]);
    expect(health.list()[0]?.message).toContain("no CameraInfo of the right eye");
  });

  test("a CameraInfo of another width drops its pairs and says both widths; a right one heals", async () => {
    const wrong = frames(1000, 1100).map((input) =>
      input.kind === "info" ? { ...input, info: { ...input.info, width: 128 } } : input,
    );
    const { stampsMs, raised, counts } = await play([...wrong, ...frames(1200)]);
    expect(stampsMs).toEqual([1200]);
    expect(counts.dropped).toEqual({ calibration_invalid: 2 });
    expect(raised).toEqual(["CALIBRATION_INVALID", "-CALIBRATION_INVALID"]);
    const { health } = await play(wrong);
    expect(health.list()[0]?.message).toContain("left image is 64x48 but its CameraInfo is for 128x48");
  });

  test("zero baseline", async () => {
    const { out, health } = await play([
      ...without("info", frames(1000)),
      info("left", 1000),
      info("right", 1000, { p: makeInfo().p }),
    ]);
    expect(out).toEqual([]);
    expect(health.list()[0]).toMatchObject({ code: "CALIBRATION_INVALID", level: "error" });
  });

  const zoomed = (at: number) =>
    frame(at).map((input) =>
      input.kind === "info" ? { ...input, info: { ...input.info, p: changed(input.info.p, { 0: 75, 5: 75 }) } } : input,
    );

  test("each pair has the calibration of its own time, sent before or after its images", async () => {
    const { out } = await play([...frames(1000, 1100), ...zoomed(1200), ...frames(1300)]);
    expect(out.map(({ pair }) => pair.calibration.fx)).toEqual([50, 50, 75, 50]);
  });

  test("also where CameraInfo runs ahead of the images", async () => {
    const zoom = { p: changed(makeInfo().p, { 0: 75, 5: 75 }) };
    const ahead = [info("left", 1000), info("right", 1000), info("left", 1150, zoom), info("right", 1150, zoom)];
    const { out } = await play([...ahead, ...without("info", frames(1100))]);
    expect(out.map(({ pair }) => pair.calibration.fx)).toEqual([50]);
  });

  test("when time is set back the latest calibration holds, until another comes", async () => {
    const { out } = await play([...frames(5000), ...zoomed(9000), ...zoomed(5000), ...frames(5100, 9500)]);
    expect(out.map(({ pair }) => pair.calibration.fx)).toEqual([50, 75, 75, 50, 50]);
  });

  test("sent once, it holds for all, and is not waited for each time", async () => {
    const stamps = Array.from({ length: 12 }, (_, i) => 1000 + 100 * i);
    const once = [info("left", 0), info("right", 0), ...without("info", frames(...stamps))];
    let sent = 0;
    async function* counted() {
      for (const input of once) {
        sent += 1;
        yield input;
      }
    }
    const options = { rectify: "auto", rectifiedByName: undefined } as const;
    const sentAt: number[] = [];
    for await (const _ of rectifiedPairs(counted(), options, new Health(), makeFrameCounts())) sentAt.push(sent);
    expect(sentAt).toHaveLength(12);
    expect(sentAt.slice(-8)).toEqual([17, 20, 23, 26, 29, 32, 35, 38]);
  });

  test("raw images are rectified, images that are named rectified are not", async () => {
    const lens = { d: [-0.2, 0.05, 0, 0, 0] };
    const raw = [
      ...without("info", frames(1000)),
      info("left", 1000, lens),
      info("right", 1000, { ...lens, p: makeInfo({}, 0.1).p }),
    ];
    const corner = ({ out }: Played) => [out[0]?.pair.left.data[0], out[0]?.pair.right.data[0]];
    const kept = 1000 % 251;
    expect(corner(await play(raw, { rectifiedByName: true }))).toEqual([kept, kept]);
    // The middle of the picture is where the lens does nothing.
    const middle = (await play(raw)).out[0]?.pair.left.data[24 * 64 + 32];
    expect(middle).toBe(kept);
    const shifted = { k: changed(makeInfo().k, { 2: 20 }), ...lens };
    const half = [
      ...without("info", frames(1000)),
      info("left", 1000, shifted),
      info("right", 1000, { ...shifted, p: makeInfo({}, 0.1).p }),
    ];
    expect(corner(await play(half))).toEqual([0, 0]);
    expect(corner(await play(half, { rectify: "off" }))).toEqual([kept, kept]);
  });

  test("a raw camera whose lens is unknown is told", async () => {
    const lens = { distortionModel: "spline", d: [1, 2] };
    const raw = [...without("info", frames(1000)), info("left", 1000, lens), info("right", 1000)];
    const { health, counts } = await play(raw);
    expect(health.list()[0]).toMatchObject({ code: "CALIBRATION_INVALID" });
    expect(health.list()[0]?.message).toContain('"spline" is not known');
    expect(counts.dropped).toEqual({ calibration_invalid: 1 });
  });
});
