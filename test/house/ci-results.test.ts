import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ci-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a reader makes of a report, summarised. */
function summaryOf(reader: string, report: string | undefined, ...more: unknown[]): string[] {
  const path = join(folder, `${reader}-${report === undefined ? "none" : "report"}`);
  if (report !== undefined) writeFileSync(path, report);
  const words = [path, ...more].map((word) => JSON.stringify(word)).join(", ");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import * as r from "./tools/ci/results.mjs"; console.log(r.summarise(r.${reader}(${words})).text)`,
    ],
    { cwd: root, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

const file = (name: string, status: string, tests: readonly (readonly [string, string])[], message = "") => ({
  name: join(root, name),
  status,
  message,
  assertionResults: tests.map(([fullName, testStatus]) => ({ fullName, status: testStatus })),
});

it("counts vitest's tests; what did not run counts as failed", () => {
  const testResults = [
    file("src/a.test.ts", "passed", [
      ["one", "passed"],
      ["two", "passed"],
    ]),
    file("src/b.test.ts", "failed", [
      ["three", "failed"],
      ["four", "skipped"],
      ["five", "todo"],
    ]),
    file("src/c.test.ts", "failed", [], "SyntaxError: no\nmore"),
  ];
  expect(summaryOf("readVitest", JSON.stringify({ testResults }))).toEqual([
    "FAILED src/b.test.ts: three",
    "FAILED src/b.test.ts: four: not run (skipped)",
    "FAILED src/b.test.ts: five: not run (todo)",
    "FAILED src/c.test.ts: SyntaxError: no",
    "2 passed, 4 failed",
  ]);
});

it("counts pytest's tests", () => {
  const xml = `<?xml version="1.0"?><testsuites><testsuite tests="4">
    <testcase classname="t.a" name="one" time="0.1" /><testcase classname="t.a" name="two[1]" time="0.1"></testcase>
    <testcase classname="t.a" name="three" time="0"><failure message="x">assert</failure></testcase>
    <testcase classname="t.a" name="four" time="0"><skipped type="pytest.skip" message="no gpu" /></testcase>
    </testsuite></testsuites>`;
  expect(summaryOf("readPytest", xml)).toEqual([
    "FAILED t.a: three",
    "FAILED t.a: four: not run (skipped)",
    "2 passed, 2 failed",
  ]);
});

it("counts checks, and does not believe a report that its command contradicts", () => {
  const report = JSON.stringify([
    { name: "types", ok: true },
    { name: "walls", ok: false },
  ]);
  expect(summaryOf("readChecks", report, false)).toEqual([
    "FAILED walls",
    "FAILED npm run check ended well",
    "1 passed, 2 failed",
  ]);
});

it.each(["readVitest", "readPytest", "readChecks"])("%s fails without a report", (reader) => {
  expect(summaryOf(reader, undefined).at(-1)).toBe("0 passed, 1 failed");
});

it("fails when a report holds no test", () => {
  expect(summaryOf("readVitest", '{"testResults":[]}')).toEqual(["FAILED vitest: ran no test", "0 passed, 1 failed"]);
  expect(summaryOf("readPytest", "<testsuites/>")).toEqual(["FAILED pytest: ran no test", "0 passed, 1 failed"]);
});

it("the whole: ends with the count, and fails where anything did", () => {
  const house = join(folder, "house");
  mkdirSync(house);
  cpSync(join(root, "tools"), join(house, "tools"), { recursive: true });
  const ok = (status: string) => ({ testResults: [file("src/a.test.ts", "passed", [["one", status]])] });
  // Stand-ins for the project's own scripts: they leave reports and a demo as those do.
  const script = (status: string) => `
    import { mkdirSync, writeFileSync } from "node:fs";
    if (process.env.CI !== "true") process.exit(1);
    mkdirSync("out/ci", { recursive: true });
    mkdirSync("out/demo", { recursive: true });
    writeFileSync("out/ci/check.json", '[{"name":"types","ok":true}]');
    writeFileSync("out/ci/vitest.json", ${JSON.stringify(JSON.stringify(ok(status)))});
    writeFileSync("out/ci/pytest.xml", '<testcase classname="t" name="two" />');
    for (const name of ["map.mcap", "preview.png", "report.json"]) writeFileSync("out/demo/" + name, "x");`;
  const scripts = { check: "node fake.mjs", test: "node fake.mjs", demo: "node fake.mjs" };
  writeFileSync(join(house, "package.json"), JSON.stringify({ type: "module", scripts }));
  const run = () => spawnSync(process.execPath, ["tools/ci.mjs"], { cwd: house, encoding: "utf8" });

  writeFileSync(join(house, "fake.mjs"), script("passed"));
  const good = run();
  expect(good.stdout.trimEnd().split("\n").at(-1)).toBe("9 passed, 0 failed");
  expect(good.status).toBe(0);

  writeFileSync(join(house, "fake.mjs"), script("skipped"));
  const bad = run();
  expect(bad.stdout.trimEnd().split("\n").slice(-2)).toEqual([
    `FAILED ${join(root, "src/a.test.ts")}: one: not run (skipped)`,
    "8 passed, 1 failed",
  ]);
  expect(bad.status).toBe(1);

  writeFileSync(join(house, "fake.mjs"), "process.exit(3);");
  expect(run().stdout.trimEnd().split("\n").at(-1)).toBe("0 passed, 8 failed");
});
