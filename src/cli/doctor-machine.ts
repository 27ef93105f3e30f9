import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";
import type { StereoConfig } from "../config/stereo-schema.ts";
import { stereoOutputs } from "../config/stereo-topics.ts";
import { checkDds } from "../doctor/dds.ts";
import { bad, type Finding, failed, ok } from "../doctor/finding.ts";
import { checkMachine } from "../doctor/machine.ts";
import { checkRos, hasInterfaces, lackOf } from "../ros/environment.ts";
import { stereoModelFolder } from "./model-folder.ts";
import { tryModel } from "./model-trial.ts";
import { packageRoot } from "./package-root.ts";

/** The size that docs/performance.md measures with. */
const SIZE = { width: 880, height: 400 };
const ROUNDS = 5;
/** Loading takes a second or two; the first time it may generate messages for half a minute. */
const LOAD_MS = 60_000;
/** What the node has to keep up with. */
const CAMERA_HZ = 10;

/** Node, processor, threads, memory, model, speed, viewer page. */
export async function machineFindings(config: StereoConfig): Promise<Finding[]> {
  const root = packageRoot();
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { node: string } };
  const findings = checkMachine({
    node: process.versions.node,
    wantedNode: engines.node,
    platform: process.platform,
    arch: process.arch,
    cpuInfo: textOf("/proc/cpuinfo"),
    processors: availableParallelism(),
    threads: config.intra_op_threads,
    // Knows the limit of a container; Node before 20.13 lacks it.
    freeBytes: process.availableMemory?.() ?? freemem(),
  });
  return [...findings, ...(await modelFindings(config)), viewerFinding(root)];
}

async function modelFindings(config: StereoConfig): Promise<Finding[]> {
  const folder = stereoModelFolder(config.model_path);
  try {
    const trial = await tryModel(folder, { ...SIZE, rounds: ROUNDS, threads: config.intra_op_threads });
    const { name, sha256, loadMs, firstMs, runMs } = trial;
    const hz = 1e3 / runMs;
    const seen = `opens in ${loadMs.toFixed(0)} ms, first pair ${firstMs.toFixed(0)} ms, then ${runMs.toFixed(1)} ms a pair of ${SIZE.width}x${SIZE.height}`;
    const figures = { load_ms: loadMs, first_ms: firstMs, run_ms: runMs };
    const remedy = "End other programs, give it more processors (--intra-op-threads), or use smaller images.";
    return [
      ok("model", `${name} in ${folder}, hashes as in its manifest (${sha256.slice(0, 12)})`),
      hz >= CAMERA_HZ
        ? ok("speed", seen, figures)
        : bad(
            "warn",
            "speed",
            `${seen}: slower than a camera of ${CAMERA_HZ} Hz, the node would drop pairs`,
            remedy,
            figures,
          ),
    ];
  } catch (thrown) {
    return [failed("model", thrown)];
  }
}

function viewerFinding(root: string): Finding {
  const page = join(root, "dist/viewer/index.html");
  if (existsSync(page)) return ok("viewer page", page);
  return bad(
    "warn",
    "viewer page",
    `${page} is missing: --view cannot work`,
    "Run `npm run demo` once: it builds the page.",
  );
}

/** What a live node needs. `isWanted`: without it not all is well. */
export function rosFindings(isWanted: boolean): Finding[] {
  const checks = checkRos().map(({ name, problem }) =>
    problem === undefined ? ok(name, "yes") : bad("fail", name, problem.message, problem.remedy),
  );
  const distribution = process.env["ROS_DISTRO"];
  const findings = distribution === undefined ? checks : [...checks, ...outputFindings(), ...ddsFindings(distribution)];
  // Loading rclnodejs where something is missing starts a compiler.
  if (findings.every(({ verdict }) => verdict !== "fail")) findings.push(loadFinding());
  return isWanted
    ? findings
    : findings.map((found) => (found.verdict === "fail" ? { ...found, verdict: "warn" } : found));
}

/** Outputs whose message package is optional, and not there. */
function outputFindings(): Finding[] {
  const off = Object.values(stereoOutputs).filter(({ type }) => !hasInterfaces(type));
  return off.map(({ name, type }) => bad("warn", name, `is off: ${lackOf(type)}`));
}

/** In a process of its own: where the RMW does not fit, librcl ends the process. */
function loadFinding(): Finding {
  const name = "rclnodejs loads";
  const script = "require('rclnodejs').init().then(() => process.exit(0))";
  const { status, stderr } = spawnSync(process.execPath, ["-e", script], {
    cwd: packageRoot(),
    encoding: "utf8",
    timeout: LOAD_MS,
  });
  if (status === 0) return ok(name, "yes");
  const said =
    stderr
      .trim()
      .split("\n")
      .find((line) => /error/i.test(line)) ?? `it ended with ${status}`;
  const remedy = "It is built for one ROS distribution: with yours sourced, run `npm rebuild rclnodejs`.";
  return bad("fail", name, said.trim(), remedy);
}

function ddsFindings(distribution: string): Finding[] {
  const {
    RMW_IMPLEMENTATION: rmw,
    FASTDDS_DEFAULT_PROFILES_FILE: fastdds,
    FASTRTPS_DEFAULT_PROFILES_FILE: fastrtps,
  } = process.env;
  const libraries = (process.env["LD_LIBRARY_PATH"] ?? "").split(":");
  const shippedPath = join(packageRoot(), "launch/dds/fastdds-shm.xml");
  return checkDds({
    distribution,
    rmw: rmw || undefined,
    hasRmwLibrary: rmw ? libraries.some((folder) => existsSync(join(folder, `lib${rmw}.so`))) : undefined,
    fastdds,
    fastrtps,
    readProfile: textOf,
    shippedPath,
    shipped: readFileSync(shippedPath, "utf8"),
    sharedMemoryBytes: freeSharedMemory(),
  });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function freeSharedMemory(): number | undefined {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
