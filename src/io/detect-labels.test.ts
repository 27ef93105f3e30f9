import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classNumbers, readLabels } from "./detect-labels.ts";

const folder = mkdtempSync(join(tmpdir(), "voxelguard-labels-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("labels of pictures", () => {
  it("are boxes in pixels; classes are the detector's by their names, and what it does not know is left out", async () => {
    const numbers = await classNumbers(file("names.txt", "cat\nperson\n"), ["person", "car"]);
    expect(numbers.slice(0, 2)).toEqual([undefined, 0]);
    const labels = await readLabels(file("a.txt", "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n\n"), 200, 100, numbers);
    expect(labels.classes).toEqual([0]);
    expect(labels.boxes.map((side) => Math.round(side * 1e6) / 1e6)).toEqual([80, 30, 120, 70]);
    expect(await readLabels(file("none.txt", ""), 200, 100, numbers)).toEqual({ boxes: [], classes: [] });
  });

  it("without names.txt the numbers are the detector's own", async () => {
    expect(await classNumbers(join(folder, "nowhere.txt"), ["person", "car"])).toEqual([0, 1]);
  });

  it.each([
    ["1 0.5 0.5 0.2", 'line 1 is "1 0.5 0.5 0.2"'],
    ["0 a b c d", "wanted class cx cy w h"],
    ["7 0.5 0.5 0.2 0.4", "line 1 has class 7, wanted one below 2"],
  ])("refuse %o", async (text, message) => {
    const read = readLabels(file("bad.txt", text), 200, 100, [0, 1]);
    await expect(read).rejects.toMatchObject({ code: "DATASET_INVALID", message: expect.stringContaining(message) });
  });

  it("say which file is missing", async () => {
    await expect(readLabels(join(folder, "gone.txt"), 1, 1, [])).rejects.toThrow("gone.txt: is missing");
  });
});
