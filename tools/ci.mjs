/**
 * What `.ci/run` does: the checks, the tests and the demo, as a newcomer would run them, with every result counted. The
 * last line says `N passed, N failed`. A skipped test counts as failed: here everything must be able to run.
 */
import { spawn } from "node:child_process";
import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readChecks, readPytest, readVitest, summarise } from "./ci/results.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const demoFiles = ["map.mcap", "preview.png", "report.json"].map((name) => `out/demo/${name}`);

for (const path of ["out/ci", ...demoFiles]) rmSync(join(root, path), { recursive: true, force: true });

const checkOk = await npm(10, "run", "check", "--", "--report", "out/ci/check.json");
const testOk = await npm(45, "test", "--", "--report", "out/ci");
const demoOk = await npm(10, "run", "demo", "--", "--headless");

const results = [
  ...readChecks(join(root, "out/ci/check.json"), checkOk),
  ...readVitest(join(root, "out/ci/vitest.json")),
  ...readPytest(join(root, "out/ci/pytest.xml")),
  { name: "npm test ended well", ok: testOk },
  { name: "npm run demo -- --headless", ok: demoOk },
  ...demoFiles.map((path) => {
    const absolute = join(root, path);
    return { name: `the demo leaves ${path}`, ok: existsSync(absolute) && statSync(absolute).size > 0 };
  }),
];
const { text, failed } = summarise(results);
console.log(text);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs npm to its end, or for `minutes`; then it and its children are stopped. Answers whether it ended well. */
function npm(minutes, ...args) {
  console.log(`\n$ npm ${args.join(" ")}`);
  return new Promise((resolve) => {
    const child = spawn("npm", args, {
      cwd: root,
      env: { ...process.env, CI: "true" },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    const timer = setTimeout(() => {
      console.log(`still running after ${minutes} minutes: stopped`);
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended in this very moment.
      }
    }, minutes * 60_000);
    child.on("error", () => resolve(false));
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}
