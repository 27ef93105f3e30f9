import { describe, expect, it } from "vitest";
import { figure, parseStatus } from "./status.ts";

const good = { frame: 7, pairs: 8, pairsPerSecond: 15.5, voxelSizeM: 0.5, stagesMs: { match: 5.1 }, health: [] };

describe("parseStatus", () => {
  it("reads what it knows and leaves out the rest", () => {
    expect(parseStatus(JSON.stringify({ ...good, other: 1 }))).toEqual(good);
    const fault = { where: "/left", code: "PAIR_LONE", level: "error", message: "no partner", count: 3 };
    const camera = { width: 880, height: 400, fx: 500, fy: 500, cx: 440, cy: 200 };
    const full = parseStatus(JSON.stringify({ ...good, health: [fault], accuracy: { iou: 0.5, note: "x" }, camera }));
    expect(full?.health).toEqual([{ where: "/left", level: "error", message: "no partner", count: 3 }]);
    expect(full?.accuracy).toEqual({ iou: 0.5 });
    expect(full?.camera).toEqual(camera);
  });

  it.each(["", "no json", "null", "7", "{}", '{"voxelSizeM":0}', '{"voxelSizeM":"0.5"}'])("refuses %j", (text) => {
    expect(parseStatus(text)).toBeUndefined();
  });

  it("survives wrong kinds", () => {
    const odd = parseStatus(
      JSON.stringify({ voxelSizeM: 1, frame: "a", stagesMs: [null], health: [null, "bad"], camera: 3 }),
    );
    expect(odd).toMatchObject({ frame: "a", stagesMs: {}, health: [{ message: "null" }, { message: "bad" }] });
    expect(odd?.pairs).toBeNaN();
    expect(odd?.camera).toBeUndefined();
  });
});

it.each([
  [0, "0"],
  [1234.5, "1,235"],
  [15.5432, "15.5"],
  [0.01234, "0.0123"],
  [Number.NaN, "–"],
])("figure %d", (value, text) => {
  expect(figure(value)).toBe(text);
});
