import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { pythonWith } from "../support/python.ts";
import { sharedData } from "../support/shared-data.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const data = sharedData("open", "detect", "coco_val");
const yolox = sharedData("open", "peers", "yolox_nano.onnx");
const python = pythonWith("pycocotools");
const folder = mkdtempSync(join(tmpdir(), "voxelguard-ap-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function voxelguard(...args: readonly string[]): string {
  const main = join(root, "src/cli/main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", main, ...args], {
    encoding: "utf8",
    cwd: root,
    maxBuffer: 64 << 20,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** COCO's AP over all images of the set, as docs/detection.md says to measure it. */
function ap(name: string, ...options: readonly string[]): number {
  const lines = join(folder, `${name}.jsonl`);
  writeFileSync(lines, voxelguard("detect", join(data!, "images"), "--score", "0.01", "--defence", "off", ...options));
  const json = join(folder, `${name}.json`);
  const words = ["-m", "voxeltrain.coco_ap", lines, "--labels", join(data!, "labels"), "--json", json];
  const { status, stdout, stderr } = spawnSync(python!, words, { cwd: join(root, "training"), encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  console.log(`${name}: ${stdout.trim()}`);
  const figures = JSON.parse(readFileSync(json, "utf8"));
  expect(figures.images).toBe(64);
  return figures.ap;
}

describe.skipIf(data === undefined || python === undefined)("average precision on 64 images of COCO", () => {
  it("is what docs/detection.md says of the default detector", { timeout: 300_000 }, () => {
    expect(ap("centernet")).toBeCloseTo(0.362, 2);
  });

  it("is what `eval detect` reckons itself", { timeout: 300_000 }, () => {
    const json = join(folder, "own.json");
    console.log(voxelguard("eval", "detect", "--data", data!, "--defence", "off", "--json", json).trim());
    const own = JSON.parse(readFileSync(json, "utf8"));
    const theirs = JSON.parse(readFileSync(join(folder, "centernet.json"), "utf8"));
    for (const name of ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100"]) {
      // Scores and boxes are rounded in the lines that pycocotools is given.
      expect(own[name], name).toBeCloseTo(theirs[name], 3);
    }
  });

  it.skipIf(yolox === undefined)("is right for an imported YOLOX-nano", { timeout: 300_000 }, () => {
    voxelguard("models", "import", yolox!, "--kind", "yolox", "--out", join(folder, "yolox"));
    expect(ap("yolox", "--model", join(folder, "yolox"))).toBeCloseTo(0.368, 2);
  });
});
