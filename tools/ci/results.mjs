/** Readers of the reports that the tools leave. A report that is missing or empty is itself a failure. */
import { existsSync, readFileSync } from "node:fs";

/** @typedef {{ name: string, ok: boolean, why?: string }} Result */

/** @param {string} path @param {boolean} ended @returns {Result[]} */
export function readChecks(path, ended) {
  if (!existsSync(path)) return [{ name: "npm run check", ok: false, why: "left no report" }];
  const results = JSON.parse(readFileSync(path, "utf8"));
  // Guards against a report that says well where the command said otherwise.
  return [...results, { name: "npm run check ended well", ok: ended }];
}

/** @param {string} path vitest's JSON report @returns {Result[]} */
export function readVitest(path) {
  if (!existsSync(path)) return [{ name: "vitest", ok: false, why: "left no report" }];
  const { testResults } = JSON.parse(readFileSync(path, "utf8"));
  const results = testResults.flatMap((file) => {
    const tests = file.assertionResults.map(({ fullName, status }) => ({
      name: `${shorten(file.name)}: ${fullName}`,
      ok: status === "passed",
      why: status === "passed" || status === "failed" ? undefined : `not run (${status})`,
    }));
    // A file that failed to load, or whose hooks failed, has no failed test to show for it.
    const silent = file.status !== "passed" && tests.every(({ ok }) => ok);
    return silent ? [...tests, { name: shorten(file.name), ok: false, why: file.message.split("\n")[0] }] : tests;
  });
  return results.length > 0 ? results : [{ name: "vitest", ok: false, why: "ran no test" }];
}

/** @param {string} path pytest's JUnit report @returns {Result[]} */
export function readPytest(path) {
  if (!existsSync(path)) return [{ name: "pytest", ok: false, why: "left no report" }];
  const xml = readFileSync(path, "utf8");
  const results = [...xml.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, head, , body = ""]) => {
    const bad = /<(failure|error|skipped)\b/.exec(body)?.[1];
    const name = `${attribute(head, "classname")}: ${attribute(head, "name")}`;
    return { name, ok: bad === undefined, why: bad === "skipped" ? "not run (skipped)" : undefined };
  });
  return results.length > 0 ? results : [{ name: "pytest", ok: false, why: "ran no test" }];
}

/** @param {readonly Result[]} results @returns {{ text: string, failed: number }} the last line counts */
export function summarise(results) {
  const bad = results.filter(({ ok }) => !ok);
  const lines = bad.map(({ name, why }) => `FAILED ${name}${why ? `: ${why}` : ""}`);
  lines.push(`${results.length - bad.length} passed, ${bad.length} failed`);
  return { text: lines.join("\n"), failed: bad.length };
}

const attribute = (head, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? "?";
const shorten = (path) => path.replace(`${process.cwd()}/`, "");
