import { existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { encodeCdr } from "../support/encode-cdr.ts";
import { tempFolder } from "../support/temp.ts";
import {
  compressedMessage,
  type DriveMessage,
  drive,
  firstNs,
  imageMessage,
  periodNs,
  poseMessage,
  topics,
  writeBag,
} from "./drive.ts";
import { refusal, voxelguard } from "./program.ts";
import { countsOf, readMap } from "./read-map.ts";

// Each is a process that loads the network: slow where other work fills the machine.
vi.setConfig({ testTimeout: 240_000 });

const folder = tempFolder();
const at = (name: string) => join(folder, name);

interface Report {
  readonly pairs: { readonly seen: number; readonly processed: number; readonly dropped: Record<string, number> };
  readonly health: readonly { readonly where: string; readonly code: string; readonly message: string }[];
  readonly faults: readonly {
    readonly where: string;
    readonly code: string;
    readonly message: string;
    readonly count: number;
  }[];
}

/** A replay that goes on in spite of it. */
async function replayed(bag: string, out: string): Promise<{ exit: number | undefined; report: Report }> {
  const { code: exit, out: text, err } = await voxelguard("replay", bag, "--out", out, "--json");
  expect(err).toBe("");
  return { exit, report: JSON.parse(text) as Report };
}

const without = (messages: readonly DriveMessage[], topic: string) => messages.filter((each) => each.topic !== topic);

/** A drive with every image message of one side made anew. */
async function withImages(side: "left" | "right", change: Record<string, unknown>): Promise<DriveMessage[]> {
  const pixels = new Uint8Array(200 * 96).fill(90);
  return (await drive()).map((each) =>
    each.topic === topics[side] ? imageMessage(each.timeNs, side, 200, pixels, change) : each,
  );
}

describe.concurrent("a bag that gives nothing: seen, wanted, how to mend it, exit code 1", () => {
  const cases: readonly (readonly [string, () => Promise<string>, string, RegExp, RegExp])[] = [
    [
      "a text file",
      async () => {
        writeFileSync(at("text.mcap"), "this is no recording\n");
        return at("text.mcap");
      },
      "BAG_NOT_A_BAG",
      /text\.mcap/,
      /\w/,
    ],
    ["a path to nothing", async () => at("nothing.mcap"), "BAG_NOT_A_BAG", /nothing\.mcap/, /\w/],
    [
      "a file of 0 bytes",
      async () => {
        writeFileSync(at("zero.mcap"), "");
        return at("zero.mcap");
      },
      "BAG_EMPTY",
      /0 bytes/,
      /Record or copy it again/,
    ],
    ["a bag without messages", () => writeBag(at("empty.mcap"), []), "BAG_EMPTY", /not one message/, /ros2 topic hz/],
    [
      "no right images",
      async () => writeBag(at("one-eye.mcap"), without(await drive(), topics.right)),
      "TOPIC_MISSING",
      /There is \/stereo\/left\/image_rect but no \/stereo\/right\/image_rect with messages\. Topics: .*camera_info/,
      /--right TOPIC/,
    ],
    [
      "no CameraInfo of the right eye",
      async () => writeBag(at("no-info.mcap"), without(await drive(), topics.rightInfo)),
      "CALIBRATION_MISSING",
      /camera_info/,
      /--right-info/,
    ],
    [
      "a baseline of zero",
      async () => writeBag(at("zero-baseline.mcap"), await drive({ baselineM: 0 })),
      "CALIBRATION_INVALID",
      /6 pairs formed.*baseline is 0 m: right P\[3\] is -?0; wanted -fx \* baseline/,
      /\w/,
    ],
    [
      "a CameraInfo of another width",
      async () => writeBag(at("other-width.mcap"), await drive({ infoWidth: 400 })),
      "CALIBRATION_INVALID",
      /left image is 200x96 but its CameraInfo is for 400x96.*must be scaled/,
      /\w/,
    ],
    [
      "an encoding that nobody knows",
      async () => writeBag(at("encoding.mcap"), await withImages("right", { encoding: "mono12p" })),
      "IMAGE_ENCODING",
      /encoding is "mono12p", wanted one of mono8/,
      /\w/,
    ],
    [
      "images with less data than step x height",
      async () => writeBag(at("short.mcap"), await withImages("left", { data: new Uint8Array(200 * 50) })),
      "IMAGE_SHAPE",
      /200 x 96 pixels has step 200 and 10000 bytes of data, wanted at least 19200/,
      /\w/,
    ],
  ];

  it.each(cases)("%s", async (name, make, code, message, remedy) => {
    const out = at(`${name.replaceAll(/\W/g, "-")}.out.mcap`);
    const answer = await refusal(await make(), "--out", out);
    expect(answer).toMatchObject({ exit: 1, code });
    expect(answer.message).toMatch(message);
    expect(answer.remedy).toMatch(remedy);
    // No file that looks like a map, and none that is empty.
    expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, false]);
  });

  it("says the same as text on stderr", async () => {
    writeFileSync(at("plain.mcap"), "this is no recording\n");
    const { code, out, err } = await voxelguard("replay", at("plain.mcap"));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^error: .*plain\.mcap.*\n.*\w.*\n\[BAG_NOT_A_BAG\]\n$/);
  });
});

describe.concurrent("a bag that is partly bad: the rest is processed", () => {
  it("cut off in the middle: all before the cut, exit code 1", async () => {
    const bag = await writeBag(at("cut.mcap"), await drive({ pairs: 24, width: 320, height: 200 }));
    truncateSync(bag, Math.round(statSync(bag).size * 0.6));
    const { exit, report } = await replayed(bag, at("cut.out.mcap"));
    expect(exit).toBe(1);
    expect(report.pairs.processed).toBeGreaterThan(8);
    expect(report.pairs.processed).toBeLessThan(24);
    const left = (await readMap(bag)).messages;
    expect(report.pairs.processed).toBe(Math.min(left.get(topics.left)!.length, left.get(topics.right)!.length));
    expect(report.health).toContainEqual(
      expect.objectContaining({
        code: "BAG_TRUNCATED",
        message: expect.stringMatching(/breaks off at byte \d+: \d+ messages before it are read\. Copy the file again/),
      }),
    );
    expect((await countsOf(at("cut.out.mcap")))["points"]).toBe(report.pairs.processed);
  });

  it("a corrupt JPEG in the middle: the others, and a count", async () => {
    const messages = await drive({ pairs: 7, compressed: true });
    const [bad] = messages.filter((each) => each.topic === `${topics.right}/compressed`).slice(3, 4);
    const bag = await writeBag(
      at("jpeg.mcap"),
      messages.map((each) =>
        each === bad ? compressedMessage(each.timeNs, "right", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3)) : each,
      ),
    );
    const { exit, report } = await replayed(bag, at("jpeg.out.mcap"));
    expect([exit, report.pairs]).toEqual([0, { seen: 6, processed: 6, dropped: { image_corrupt: 1, lone_left: 1 } }]);
    expect(report.faults).toContainEqual(
      expect.objectContaining({ where: `${topics.right}/compressed`, code: "IMAGE_CORRUPT", count: 1 }),
    );
    expect((await countsOf(at("jpeg.out.mcap")))["points"]).toBe(6);
  });

  it("NaN in a transform: left out, and said", async () => {
    const messages = await drive({ pairs: 6 });
    const stampNs = firstNs + 2n * periodNs + 50_000_000n;
    const header = {
      stamp: { sec: Number(stampNs / 1_000_000_000n), nanosec: Number(stampNs % 1_000_000_000n) },
      frame_id: "odom",
    };
    const transform = { translation: { x: Number.NaN, y: 0, z: 0 }, rotation: { x: 0, y: 0, z: 0, w: 1 } };
    const type = "tf2_msgs/msg/TFMessage";
    const data = encodeCdr(type, { transforms: [{ header, child_frame_id: "base_link", transform }] });
    const place = messages.findIndex(({ timeNs }) => timeNs > stampNs);
    messages.splice(place, 0, { topic: "/tf", type, timeNs: stampNs, data });
    const { exit, report } = await replayed(await writeBag(at("nan.mcap"), messages), at("nan.out.mcap"));
    expect([exit, report.pairs]).toEqual([0, { seen: 6, processed: 6, dropped: {} }]);
    expect(report.faults).toEqual([
      expect.objectContaining({ where: "/tf", code: "TF_INVALID", count: 1, message: expect.stringContaining("NaN") }),
    ]);
    const map = await readMap(at("nan.out.mcap"));
    const frames = map.messages
      .get("octomap_binary")!
      .map(({ message }) => (message as { header: { frame_id: string } }).header.frame_id);
    expect(frames).toEqual(Array(6).fill("odom"));
    expect(map.messages.get("/tf")!.length).toBe(6);
  });

  it("time that runs backwards: the map starts anew, no pair is lost", async () => {
    const once = await drive({ pairs: 8 });
    const again = once
      .filter(({ topic }) => topic !== "/tf_static")
      .map((each) => ({ ...each, timeNs: each.timeNs + 8n * periodNs }));
    const bag = await writeBag(at("loop.mcap"), [...once, ...again]);
    const { exit, report } = await replayed(bag, at("loop.out.mcap"));
    expect([exit, report.pairs]).toEqual([0, { seen: 16, processed: 16, dropped: {} }]);
    expect(report.faults.map(({ code }) => code)).toContain("STAMP_BACKWARDS");
    expect(report.faults.map(({ where }) => where)).toContain("map");
    const { messages } = await readMap(at("loop.out.mcap"));
    const sizes = messages.get("octomap_binary")!.map(({ message }) => (message as { data: Int8Array }).data.length);
    expect(sizes.length).toBe(16);
    // Of two messages with one stamp the second is of the second lap: an empty map that has seen the same says the same.
    for (let i = 0; i < 8; i += 1) expect(sizes[2 * i + 1]).toBe(sizes[2 * i]);
  });

  it("poses that end: the pairs after that stand alone", async () => {
    const far = firstNs + 1000n * periodNs;
    const messages = (await drive({ pairs: 6 })).filter(
      ({ topic, timeNs }) => topic !== "/tf" || timeNs < firstNs + 3n * periodNs,
    );
    // The next pose comes too late to be joined with the ones before.
    const bag = await writeBag(at("gap.mcap"), [...messages, poseMessage(far, 1)]);
    const { exit, report } = await replayed(bag, at("gap.out.mcap"));
    expect([exit, report.pairs.processed]).toEqual([0, 6]);
    expect(report.faults.map(({ code }) => code)).toContain("TF_MISSING");
    const { messages: said } = await readMap(at("gap.out.mcap"));
    const frames = said
      .get("octomap_binary")!
      .map(({ message }) => (message as { header: { frame_id: string } }).header.frame_id);
    expect(frames.slice(0, 3)).toEqual(["odom", "odom", "odom"]);
    expect(frames.at(-1)).toBe("left_optical_level");
    expect(new Set(frames)).toEqual(new Set(["odom", "left_optical_level"]));
  });
});
