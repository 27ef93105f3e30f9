/** The virtual environment of the tests: independent readers of what we write, and the training kit's own tests. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const requirements = "training/requirements-test.txt";

/** @param {string} root @param {(command: string, args: string[]) => void} run */
export function makePythonStep(root, run) {
  const step = {
    name: "Python environment",
    testsOnly: true,
    inputs: [requirements],
    outputs: [process.platform === "win32" ? ".venv/Scripts/python.exe" : ".venv/bin/python"],
    run() {
      const python = findPython();
      run(python, ["-m", "venv", ".venv"]);
      run(join(root, step.outputs[0]), [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        requirements,
      ]);
    },
  };
  // Whoever names an interpreter answers for what is in it.
  return process.env.VOXELGUARD_PYTHON && existsSync(process.env.VOXELGUARD_PYTHON)
    ? { ...step, isDone: () => true }
    : step;
}

function findPython() {
  const seen = [];
  for (const name of ["python3.11", "python3.12", "python3.13", "python3", "python"]) {
    const { status, stdout } = spawnSync(
      name,
      ["-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
      {
        encoding: "utf8",
      },
    );
    if (status !== 0) continue;
    const version = stdout.trim();
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major === 3 && minor >= 11) return name;
    seen.push(`${name} is ${version}`);
  }
  throw new Error(
    `the tests need Python 3.11 or newer with its venv module (${seen.join(", ") || "no Python with venv was found"}). Install it (Debian: apt-get install python3 python3-venv) or set VOXELGUARD_PYTHON to an interpreter that has the packages of ${requirements}.`,
  );
}
