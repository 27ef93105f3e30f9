import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { packageRoot } from "../../src/cli/package-root.ts";
import { tempFolder } from "../support/temp.ts";
import { type Outcome, refusal, voxelguard } from "./program.ts";
import { countsOf, readMap } from "./read-map.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const folder = tempFolder();
const at = (name: string) => join(folder, name);

interface Line {
  readonly stamp_ns: string;
  readonly detections: readonly {
    readonly id: number;
    readonly class: string;
    readonly status: string;
    readonly support: string;
    readonly depth_m: number | null;
    readonly box: readonly [number, number, number, number];
  }[];
}

describe("replay --detect on two seconds of the demo drive", () => {
  let lines: Line[];
  let done: Outcome;

  beforeAll(async () => {
    const cut = ["--from", "3", "--to", "5"];
    expect((await voxelguard("bag", "cut", join(packageRoot(), "demo/drive.mcap"), at("cut.mcap"), ...cut)).code).toBe(
      0,
    );
    const out = ["--out", at("map.mcap"), "--objects", at("objects.jsonl"), "--json"];
    done = await voxelguard("replay", at("cut.mcap"), "--detect", ...out);
    lines = readFileSync(at("objects.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  });

  it("finds the parked cars and says how far away they stand", () => {
    expect(done.code, done.err).toBe(0);
    expect(lines.length).toBeGreaterThanOrEqual(19);
    const cars = lines.map(({ detections }) =>
      detections.filter((each) => each.class === "car" && each.status === "seen"),
    );
    for (const found of cars) expect(found.length).toBeGreaterThan(0);
    const near = cars.flat().filter(({ support }) => support === "upright");
    expect(near.length).toBeGreaterThan(lines.length);
    for (const { depth_m } of near) expect(depth_m).toBeGreaterThan(0.5);
  });

  it("follows them: each id has one class, and most live on from image to image", () => {
    const kinds = new Map<number, Set<string>>();
    for (const { detections } of lines)
      for (const each of detections) kinds.set(each.id, (kinds.get(each.id) ?? new Set()).add(each.class));
    for (const names of kinds.values()) expect(names.size).toBe(1);
    const kept = lines.slice(1).map(({ detections }, i) => {
      const before = new Set(lines[i]!.detections.map(({ id }) => id));
      return detections.filter(({ id }) => before.has(id)).length / detections.length;
    });
    expect(kept.reduce((sum, share) => sum + share, 0) / kept.length).toBeGreaterThan(0.7);
  });

  it("writes them as vision_msgs beside the map, and counts them in the report", async () => {
    const count = lines.length;
    expect(await countsOf(at("map.mcap"))).toMatchObject({
      points: count,
      detections: count,
      detections_3d: count,
      patch_mask: count,
    });
    const { messages } = await readMap(at("map.mcap"));
    const flat = messages.get("detections")!.at(-1)!.message as { detections: { id: string }[] };
    const seen = lines.at(-1)!.detections.filter(({ status }) => status !== "held");
    expect(flat.detections.map(({ id }) => Number(id))).toEqual(seen.map(({ id }) => id));
    const { objects } = JSON.parse(done.out) as { objects: Record<string, number> };
    const of = (status: string) =>
      lines.flatMap(({ detections }) => detections.filter((each) => each.status === status)).length;
    expect(objects).toMatchObject({ seen: of("seen"), held: of("held"), demoted: of("demoted") });
  });

  it("gives the same bytes again", async () => {
    const again = ["--out", at("again.mcap"), "--objects", at("again.jsonl"), "--json"];
    expect((await voxelguard("replay", at("cut.mcap"), "--detect", ...again)).code).toBe(0);
    expect(readFileSync(at("again.jsonl"))).toEqual(readFileSync(at("objects.jsonl")));
    expect(readFileSync(at("again.mcap")).equals(readFileSync(at("map.mcap")))).toBe(true);
  });

  it("keeps the classes and evidence that were asked for", async () => {
    const only = ["--detection-classes", "person", "--no-evidence-enabled", "--objects", at("person.jsonl"), "--json"];
    expect((await voxelguard("replay", at("cut.mcap"), "--detect", ...only)).code).toBe(0);
    const found = readFileSync(at("person.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line): Line => JSON.parse(line));
    const all = found.flatMap(({ detections }) => detections);
    expect(all.length).toBeGreaterThan(0);
    for (const each of all) expect(each).toMatchObject({ class: "person", status: "seen", support: "unknown" });
  });

  it("refuses a class and a folder that there are not", async () => {
    const wrong = await refusal(at("cut.mcap"), "--detect", "--detection-classes", "unicorn");
    expect(wrong).toMatchObject({ exit: 2, code: "USAGE", message: expect.stringContaining('no class "unicorn"') });
    expect(await refusal(at("cut.mcap"), "--detect", "/nowhere")).toMatchObject({ code: "MODEL_MISSING" });
    expect(await refusal(at("cut.mcap"), "--objects", at("x.jsonl"))).toMatchObject({ exit: 2, code: "USAGE" });
  });
});
