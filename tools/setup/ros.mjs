/** The ROS graph of the tests; see tools/ros. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSourced, rosFolder } from "../ros/environment.mjs";

/** @param {string} root @param {(command: string, args: string[]) => void} run */
export function makeRosStep(root, run) {
  return {
    name: "ROS graph (about four minutes, once for all checkouts)",
    testsOnly: true,
    isDone: () => {
      if (isSourced() || existsSync(join(rosFolder(), "environment.json"))) return true;
      // Where it cannot be built, the tests skip with the reason; CI insists.
      return process.env.CI !== "true" && existsSync(join(rosFolder(), "failure.txt"));
    },
    run() {
      try {
        run(process.execPath, [join(root, "tools/ros/build.mjs")]);
      } catch (error) {
        if (process.env.CI === "true") throw error;
        console.error("setup: no ROS graph (see above); the tests on it will be skipped");
      }
    },
  };
}
