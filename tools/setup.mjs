/**
 * Gets a fresh clone ready: `node tools/setup.mjs` for the demo, `--tests` for the tests as well (Python, chromium,
 * liboctomap). Plain Node, no dependency: it runs before node_modules exists. The pre-scripts of package.json call it
 * each time, so it says nothing and takes a fraction of a second when all is in place; two at once wait for each other.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./setup/lock.mjs";
import { isDone, remember } from "./setup/stamp.mjs";
import { makeSteps } from "./setup/steps.mjs";

/** The lowest Node that the dependencies take. */
const lowestNode = [20, 20];

/** @param {string} version such as "20.20.2" */
export function nodeIsTooOld(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < lowestNode[0] || (major === lowestNode[0] && minor < lowestNode[1]);
}

/** @param {{ root: string, tests: boolean }} options */
export function setUp({ root, tests }) {
  const steps = makeSteps(root).filter((step) => tests || !step.testsOnly);
  const isOpen = (step) => (step.isDone ? !step.isDone() : !isDone(root, step));
  if (!steps.some(isOpen)) return;
  withLock(root, () => {
    for (const step of steps) {
      // Asked again inside the lock: another process may have done it meanwhile.
      if (!isOpen(step)) continue;
      console.error(`setup: ${step.name} ...`);
      const began = Date.now();
      step.run();
      if (!step.isDone) remember(root, step);
      console.error(`setup: ${step.name} done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }
  });
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  if (nodeIsTooOld(process.versions.node)) {
    console.error(
      `voxelguard needs Node ${lowestNode.join(".")} or newer; this is ${process.versions.node}. Install a newer Node (nodejs.org, nvm or fnm) and run the same command again.`,
    );
    process.exit(1);
  }
  try {
    setUp({ root: dirname(dirname(self)), tests: process.argv.includes("--tests") });
  } catch (error) {
    console.error(`setup: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
