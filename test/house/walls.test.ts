import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const config = join(root, ".dependency-cruiser.mjs");
const cruiser = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");

/** A small house that keeps to the walls. */
const clean: Readonly<Record<string, string>> = {
  "src/core/a.ts": "export const a = 1;\nexport interface A { readonly a: number }\n",
  "src/config/b.ts": 'import { a } from "../core/a.ts";\nexport const b = a;\n',
  "src/stereo/c.ts":
    'import type { A } from "../core/a.ts";\nimport { b } from "../config/b.ts";\nexport const c = (x: A) => x.a + b;\n',
  "src/octree/d.ts": 'import { a } from "../core/a.ts";\nexport const d = a;\n',
  "src/infer/e.ts": 'import ort from "onnxruntime-node";\nexport const e = ort;\n',
  "src/io/f.ts":
    'import { readFileSync } from "node:fs";\nimport sharp from "sharp";\nexport const f = [readFileSync, sharp];\n',
  "src/server/g.ts": 'import { WebSocketServer } from "ws";\nexport const g = WebSocketServer;\n',
  "src/viewer/h.ts":
    'import { Scene } from "three";\nimport { d } from "../octree/d.ts";\nexport const h = [Scene, d];\n',
  "src/pipeline/i.ts":
    'import { c } from "../stereo/c.ts";\nimport { d } from "../octree/d.ts";\nexport const i = [c, d];\n',
  "src/cli/j.ts":
    'import { i } from "../pipeline/i.ts";\nimport { g } from "../server/g.ts";\nexport const j = [i, g];\n',
  "nodes/k.ts": 'import { j } from "../src/cli/j.ts";\nexport const k = j;\n',
  "src/octree/d.test.ts": 'import "node:fs";\nimport { h } from "../viewer/h.ts";\nexport const t = h;\n',
  "test/l.ts": "export const l = 1;\n",
};

let house: string;

beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), "walls-"));
  for (const [path, text] of Object.entries(clean)) write(path, text);
});
afterEach(() => rmSync(house, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(house, path)), { recursive: true });
  writeFileSync(join(house, path), text);
}

/** Names of the rules that the house breaks, as `rule: from -> to`. */
function violations(): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [cruiser, "src", "nodes", "--config", config, "--output-type", "json"],
    { cwd: house, encoding: "utf8" },
  );
  if (stdout === "") throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as {
    summary: {
      totalCruised: number;
      violations: { from: string; to: string; rule: { name: string; severity: string } }[];
    };
  };
  expect(summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(clean).length - 1);
  return summary.violations
    .filter(({ rule }) => rule.severity === "error")
    .map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`);
}

describe("the import walls", () => {
  it("let clean code pass, tests included", () => {
    expect(violations()).toEqual([]);
  });

  // One planted import each, in one house: what is caught must be exactly what was planted.
  const planted: readonly (readonly [path: string, text: string, caught: RegExp])[] = [
    ["src/core/bad.ts", 'import { b } from "../config/b.ts";\nexport const x = b;\n', /^wall-core: src\/core\/bad\.ts/],
    [
      "src/stereo/type-only.ts",
      'import type { d } from "../octree/d.ts";\nexport type X = typeof d;\n',
      /^wall-stereo: .*type-only/,
    ],
    [
      "src/octree/bad.ts",
      'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n',
      /^no-node-built-ins: src\/octree/,
    ],
    ["src/pipeline/bare.ts", 'import fs from "fs";\nexport const x = fs;\n', /^no-node-built-ins: src\/pipeline\/bare/],
    [
      "src/pipeline/model.ts",
      'import ort from "onnxruntime-node";\nexport const x = ort;\n',
      /^only-infer-imports-onnxruntime.*model/,
    ],
    ["src/cli/pictures.ts", 'import sharp from "sharp";\nexport const x = sharp;\n', /^only-io-imports-sharp/],
    ["src/io/bag.ts", 'import { j } from "../cli/j.ts";\nexport const x = j;\n', /^wall-io/],
    ["src/ros/odd.ts", 'import { f } from "../io/f.ts";\nexport const x = f;\n', /^wall-ros/],
    [
      "src/server/ros.ts",
      'import rclnodejs from "rclnodejs";\nexport const x = rclnodejs;\n',
      /^only-ros-imports-rclnodejs/,
    ],
    ["src/cli/scene.ts", 'import type { Scene } from "three";\nexport type X = Scene;\n', /^only-viewer-imports-three/],
    [
      "src/cli/mcap.ts",
      'import { McapWriter } from "@mcap/core";\nexport const x = McapWriter;\n',
      /^only-io-imports--mcap/,
    ],
    ["src/cli/page.ts", 'import { h } from "../viewer/h.ts";\nexport const x = h;\n', /^wall-cli/],
    ["nodes/page.ts", 'import { h } from "../src/viewer/h.ts";\nexport const x = h;\n', /^nodes-not-viewer/],
    ["src/msg/late.ts", 'export const x = () => import("../server/g.ts");\n', /^wall-msg/],
    ["src/config/test.ts", 'import { l } from "../../test/l.ts";\nexport const x = l;\n', /^src-is-self-contained/],
  ];

  it("catch each planted violation, and nothing else", () => {
    for (const [path, text] of planted) write(path, text);
    const found = violations();
    for (const [path, , caught] of planted) {
      expect(
        found.filter((line) => caught.test(line)),
        path,
      ).toHaveLength(1);
    }
    expect(found).toHaveLength(planted.length);
  });

  it("catch a cycle", () => {
    write("src/core/x.ts", 'import { y } from "./y.ts";\nexport const x = () => y;\n');
    write("src/core/y.ts", 'import { x } from "./x.ts";\nexport const y = () => x;\n');
    expect(violations().some((line) => line.startsWith("no-cycles"))).toBe(true);
  });

  it("stand around every folder of src", () => {
    const rules = readFileSync(config, "utf8");
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders)
      expect(rules, `a row for src/${name}`).toMatch(new RegExp(`^ {2}${name}: \\[`, "m"));
  });
});
