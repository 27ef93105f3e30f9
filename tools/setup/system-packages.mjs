/** Debian packages that some tests use: the browser, and OctoMap's own library to read our maps back. */
import { existsSync } from "node:fs";
import { isOnPath } from "./programs.mjs";

/** Debian's, which alone the wheels of the ROS graph are for. */
const hasPython311 = existsSync("/usr/bin/python3.11");

const packages = [
  { name: "chromium", isThere: () => isOnPath("chromium"), use: "the test of the viewer page" },
  { name: "g++", isThere: () => isOnPath("g++"), use: "the test that reads our OctoMap messages with liboctomap" },
  { name: "cmake", isThere: () => isOnPath("cmake"), use: "the ROS graph of the tests" },
  { name: "make", isThere: () => isOnPath("make"), use: "the ROS graph of the tests" },
  {
    name: "python3-dev",
    isThere: () => !hasPython311 || existsSync("/usr/include/python3.11/Python.h"),
    use: "the ROS graph of the tests",
  },
  {
    name: "python3-venv",
    isThere: () => !hasPython311 || existsSync("/usr/lib/python3.11/ensurepip"),
    use: "the ROS graph of the tests",
  },
  {
    name: "liboctomap-dev",
    isThere: () => existsSync("/usr/include/octomap/OcTree.h"),
    use: "the test that reads our OctoMap messages with liboctomap",
  },
  {
    name: "fonts-dejavu-core",
    isThere: () => existsSync("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    use: "words in pictures",
  },
];

/** @param {(command: string, args: string[], env?: object) => void} run */
export function makeSystemPackagesStep(run) {
  const missing = () => packages.filter(({ isThere }) => !isThere());
  const canInstall = process.getuid?.() === 0 && isOnPath("apt-get");
  return {
    name: "system packages",
    testsOnly: true,
    isDone: () => missing().length === 0,
    run() {
      if (canInstall) {
        const env = { DEBIAN_FRONTEND: "noninteractive" };
        run("apt-get", ["update", "-q"], env);
        run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...missing().map(({ name }) => name)], env);
        return;
      }
      for (const { name, use } of missing()) console.error(`setup: ${name} is missing; ${use} will be skipped`);
      console.error(
        `setup: to have it: sudo apt-get install ${missing()
          .map(({ name }) => name)
          .join(" ")}`,
      );
    },
  };
}
