import { execFileSync } from "node:child_process";

/** Runs a script with `input` as JSON on its stdin; returns the JSON that it prints. */
export function runPython(python: string, script: string, input: unknown): unknown {
  const text = execFileSync(python, ["-c", `import json, sys\ngiven = json.load(sys.stdin)\n${script}`], {
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return JSON.parse(text);
}
