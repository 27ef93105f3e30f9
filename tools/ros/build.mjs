/**
 * `node tools/ros/build.mjs`: a ROS 2 graph without a ROS distribution, for the tests: Kilted's libraries and rclpy from
 * PyPI wheels, the message packages that the wheels lack, rclnodejs built against both. About four minutes the first
 * time, nothing later: the folder is named after the pins (see environment.mjs). Needs x86_64 Linux, CPython 3.11 with
 * headers and venv, g++, make, cmake. With a sourced ROS it does nothing.
 *
 * Writes environment.json, for Node, and env.sh, to be sourced by people.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "../setup/lock.mjs";
import { dds, isSourced, rclnodejsVersion, rosFolder } from "./environment.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** What the system must have, with the Debian package that brings it. */
const needs = [
  ["/usr/bin/g++", "g++"],
  ["/usr/bin/make", "make"],
  ["/usr/bin/cmake", "cmake"],
  ["/usr/bin/python3.11", "python3.11"],
  ["/usr/include/python3.11/Python.h", "python3-dev"],
  ["/usr/lib/python3.11/ensurepip", "python3-venv"],
];

export function buildRos(folder = rosFolder()) {
  if (isSourced() || existsSync(join(folder, "environment.json"))) return;
  withLock(folder, () => {
    if (existsSync(join(folder, "environment.json"))) return;
    mkdirSync(folder, { recursive: true });
    try {
      check();
      build(folder);
      rmSync(join(folder, "failure.txt"), { force: true });
    } catch (error) {
      writeFileSync(join(folder, "failure.txt"), `${error.message}\n`);
      throw error;
    }
  });
}

function check() {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(
      `the wheels are for x86_64 Linux, this is ${process.arch} ${process.platform}; source a ROS 2 instead`,
    );
  const missing = needs.filter(([path]) => !existsSync(path)).map(([, name]) => name);
  if (missing.length > 0)
    throw new Error(`the ROS graph of the tests needs ${missing.join(", ")}: apt-get install ${missing.join(" ")}`);
}

function build(folder) {
  const prefix = join(folder, "venv");
  const overlay = join(folder, "overlay/install");
  const app = join(folder, "app");
  const variables = {
    ROS_DISTRO: "kilted",
    ROS_VERSION: "2",
    ROS_PYTHON_VERSION: "3",
    RMW_IMPLEMENTATION: "rmw_fastrtps_cpp",
    ROS_AUTOMATIC_DISCOVERY_RANGE: "LOCALHOST",
    ROS_LOG_DIR: join(folder, "log"),
    FASTDDS_DEFAULT_PROFILES_FILE: dds,
    AMENT_PREFIX_PATH: `${overlay}:${prefix}`,
    CMAKE_PREFIX_PATH: `${overlay}:${prefix}`,
    LD_LIBRARY_PATH: `${overlay}/lib:${prefix}/lib`,
    PYTHONPATH: join(overlay, "lib/python3.11/site-packages"),
    NODE_PATH: join(app, "node_modules"),
    PATH: `${prefix}/bin:${process.env.PATH}`,
  };
  const python = join(prefix, "bin/python");
  const run = makeRunner(join(folder, "build.log"));

  say("wheels");
  run("/usr/bin/python3.11", ["-m", "venv", prefix]);
  const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  run(python, [...pip, "-r", join(here, "requirements.txt")]);
  const libraries = mend(prefix, python);

  say("messages");
  const workspace = join(folder, "overlay");
  cpSync(join(here, "messages"), join(workspace, "src"), { recursive: true });
  const cmake = ["-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release", `-DPython3_EXECUTABLE=${python}3`];
  const colcon = ["build", "--merge-install", "--executor", "sequential", "--event-handlers", "console_direct-"];
  run(join(prefix, "bin/colcon"), ["--log-level", "error", ...colcon, "--cmake-args", ...cmake], {
    cwd: workspace,
    env: { ...variables, MAKEFLAGS: "-j1" },
  });

  say("rclnodejs");
  mkdirSync(app, { recursive: true });
  const dependencies = { rclnodejs: rclnodejsVersion(), rimraf: "6.1.4" };
  writeFileSync(
    join(app, "package.json"),
    JSON.stringify({ private: true, dependencies, allowScripts: { rclnodejs: true } }),
  );
  const nodedir = dirname(dirname(process.execPath));
  const search = libraries.map((path) => `-Wl,-rpath,${path} -Wl,-rpath-link,${path}`).join(" ");
  run("npm", ["install", "--no-audit", "--no-fund", "--foreground-scripts"], {
    cwd: app,
    env: {
      ...variables,
      // The message libraries want symbols of a Python interpreter; Node has none, so a stub stands in.
      LDFLAGS: `-Wl,--disable-new-dtags ${search} -L${prefix}/lib -Wl,--no-as-needed -lpythonstub`,
      JOBS: "1",
      ...(existsSync(join(nodedir, "include/node/node.h")) ? { npm_config_nodedir: nodedir } : {}),
    },
  });

  say("trial");
  run(python, ["-c", "import rclpy, octomap_msgs.srv, tf2_msgs.msg; rclpy.init(); rclpy.shutdown()"], {
    env: variables,
  });
  const script = "const r=require('rclnodejs');r.init().then(()=>{r.createNode('trial');r.shutdown();process.exit(0)})";
  run(process.execPath, ["-e", script], { env: variables });

  const text = Object.entries(variables).map(([name, value]) =>
    name === "PATH" ? `export PATH="${prefix}/bin:$PATH"` : `export ${name}="${value}"`,
  );
  writeFileSync(join(folder, "env.sh"), `${text.join("\n")}\n`);
  // Last: its presence says that all is done. What depends on the shell and the checkout is added by whoever loads it.
  const { PATH: _path, FASTDDS_DEFAULT_PROFILES_FILE: _dds, ...fixed } = variables;
  const bin = join(prefix, "bin");
  writeFileSync(join(folder, "environment.json"), JSON.stringify({ variables: fixed, python, bin }, null, 2));
}

/** Puts right what the wheels carry over from the machine that built them. Answers where their libraries lie. */
function mend(prefix, python) {
  const ask = (code) => spawnSync(python, ["-c", code], { encoding: "utf8" }).stdout.trim();
  const site = ask("import sysconfig; print(sysconfig.get_path('purelib'))");
  const include = ask("import sysconfig; print(sysconfig.get_path('include'))");
  const numpy = ask("import numpy; print(numpy.get_include())");
  const theirs = "/opt/python/cp311-cp311";
  for (const entry of readdirSync(join(prefix, "share"), { recursive: true })) {
    if (!entry.endsWith(".cmake")) continue;
    const path = join(prefix, "share", entry);
    const text = readFileSync(path, "utf8");
    if (!text.includes(theirs)) continue;
    const ours = text
      .replaceAll(`${theirs}/lib/python3.11/site-packages/numpy/_core/include`, numpy)
      .replaceAll(`${theirs}/include/python3.11`, include);
    writeFileSync(path, ours);
  }
  const stub = "void *PyExc_RuntimeError, *_Py_TrueStruct[4], *_Py_FalseStruct[4], *_Py_NoneStruct[4];";
  const cc = ["-shared", "-fPIC", "-x", "c", "-", "-o", join(prefix, "lib/libpythonstub.so")];
  const { status, stderr } = spawnSync("gcc", cc, { input: stub, encoding: "utf8" });
  if (status !== 0) throw new Error(`gcc cannot make the stub: ${stderr}`);
  // rclnodejs takes the folder above that of `ros2` for the prefix; the wheels have no such program.
  const ros2 = join(prefix, "bin/ros2");
  if (!existsSync(ros2)) writeFileSync(ros2, "#!/bin/sh\necho 'no ros2 command here' >&2\nexit 1\n");
  chmodSync(ros2, 0o755);
  const carried = readdirSync(site).filter((name) => /^ros_.*\.libs$/.test(name));
  return [join(prefix, "lib"), ...carried.map((name) => join(site, name))];
}

function makeRunner(log) {
  return (program, args, { cwd, env } = {}) => {
    const { status, error, stdout, stderr } = spawnSync(program, args, {
      cwd,
      env: { ...process.env, ...env },
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    writeFileSync(log, `$ ${program} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}\n`, { flag: "a" });
    if (error) throw new Error(`cannot start ${program}: ${error.message}`);
    if (status === 0) return;
    const lines = `${stdout}${stderr}`.trim().split("\n");
    const tail = lines
      .filter((line) => !line.startsWith("WARNING:"))
      .slice(-8)
      .join("\n");
    throw new Error(`${program} ${args[0]} ended with code ${status} (all of it in ${log}):\n${tail}`);
  };
}

function say(what) {
  console.error(`ros: ${what} ...`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    buildRos();
    console.log(isSourced() ? `ROS ${process.env.ROS_DISTRO} is sourced` : rosFolder());
  } catch (error) {
    console.error(`ros: ${error.message}`);
    process.exitCode = 1;
  }
}
