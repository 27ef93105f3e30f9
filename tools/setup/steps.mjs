/**
 * What a fresh clone needs, in order. A step is
 *   name       said while it runs
 *   testsOnly  true: only `--tests` asks for it
 *   run()      does it, throws when it cannot
 * and either `inputs` and `outputs` (paths below the root: done while the inputs are unchanged and the outputs exist)
 * or `isDone()`. A new step is one more entry of the array below, after what it needs and before what needs it.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { nodeModulesAreFresh } from "./node-modules.mjs";
import { runOrThrow } from "./programs.mjs";
import { makePythonStep } from "./python.mjs";
import { makeRosStep } from "./ros.mjs";
import { makeSystemPackagesStep } from "./system-packages.mjs";

/** @param {string} root */
export function makeSteps(root) {
  const run = (command, args, env = {}) => runOrThrow(root, command, args, env);
  const node = (script, ...args) => run(process.execPath, [join(root, "node_modules", script), ...args]);
  return [
    {
      name: "npm packages",
      isDone: () => nodeModulesAreFresh(root),
      run() {
        // onnxruntime-node would fetch 300 MB of CUDA libraries that nothing here uses.
        run("npm", ["ci", "--no-audit", "--no-fund"], { ONNXRUNTIME_NODE_INSTALL: "skip" });
        if (!nodeModulesAreFresh(root))
          throw new Error(
            "npm ci ended well, yet node_modules is not what package-lock.json says. Remove node_modules and run the command again.",
          );
      },
    },
    {
      name: "kernels",
      testsOnly: true,
      inputs: ["assembly", "package-lock.json"],
      outputs: ["build/matcher.wasm", "build/octree.wasm"],
      run() {
        mkdirSync(join(root, "build"), { recursive: true });
        run("npm", ["run", "--silent", "build:kernel"]);
      },
    },
    {
      name: "viewer page",
      inputs: ["src/viewer", "src/core", "src/msg", "package-lock.json"],
      outputs: ["dist/viewer/index.html"],
      run() {
        rmSync(join(root, "dist/viewer"), { recursive: true, force: true });
        node("vite/bin/vite.js", "build", "--config", "src/viewer/vite.config.ts", "--logLevel", "warn");
      },
    },
    {
      name: "detector",
      inputs: ["tools/detector", "src/detect", "src/infer/onnx-file.ts", "package-lock.json"],
      outputs: ["build/centernet/model.onnx", "build/centernet/manifest.json"],
      run: () => node("tsx/dist/cli.mjs", join(root, "tools/detector/convert.ts")),
    },
    makePythonStep(root, run),
    makeSystemPackagesStep(run),
    makeRosStep(root, run),
  ];
}
