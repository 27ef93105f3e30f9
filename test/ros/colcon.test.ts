import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectorNodeName } from "../../src/config/detector-topics.ts";
import { stereoNodeName, stereoOutputs } from "../../src/config/stereo-topics.ts";
import { domain, Peer, rosGraph, until } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

const graph = rosGraph();
const root = join(import.meta.dirname, "../..");
const installed = ["launch", "rviz", "models", "dist", "build/centernet"];
const inputs = ["left/image_rect", "right/image_rect", "left/camera_info", "right/camera_info"];

describe.skipIf(graph === undefined)("the colcon package", () => {
  const workspace = mkdtempSync(join(tmpdir(), "voxelguard-colcon-"));
  const source = join(workspace, "src/voxelguard");
  const share = join(workspace, "install/voxelguard/share/voxelguard");
  const programs = join(workspace, "install/voxelguard/lib/voxelguard");
  const program = join(programs, stereoNodeName);
  const env = { ...process.env, ...graph?.variables, ...domain, VOXELGUARD_NODE: process.execPath };
  const colcon = () =>
    spawnSync("colcon", ["build", "--packages-select", "voxelguard", "--cmake-args", "-DBUILD_TESTING=OFF"], {
      cwd: workspace,
      env,
      encoding: "utf8",
    });

  /** With the install space sourced, as a user does. */
  const sourced = (command: string) => ["-c", `. ${join(workspace, "install/setup.bash")} && ${command}`];

  beforeAll(() => {
    mkdirSync(source, { recursive: true });
    for (const path of ["package.xml", "CMakeLists.txt", "package.json", "LICENSE", "launch", "rviz", "models"]) {
      cpSync(join(root, path), join(source, path), { recursive: true });
    }
    // Where set-up has made it, as on a user's machine.
    cpSync(join(root, "build/centernet"), join(source, "build/centernet"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
    // As `npm run build`; the types are the affair of `npm run check`.
    const args = ["-p", "tsconfig.build.json", "--noCheck", "--outDir", join(workspace, "dist")];
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args], { cwd: root });
    if (tsc.status !== 0) throw new Error(String(tsc.stdout));
  });

  afterAll(() => rmSync(workspace, { recursive: true, force: true }));

  it("does not build before `npm run build`, and says so", () => {
    const { status, stderr } = colcon();
    expect(status).not.toBe(0);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("is missing: run `npm install && npm run build`");
  });

  it("builds and installs everything that the nodes, the launch files and RViz need", () => {
    renameSync(join(workspace, "dist"), join(source, "dist"));
    const { status, stdout, stderr } = colcon();
    expect(status, stdout + stderr).toBe(0);
    for (const folder of installed) {
      const wanted = filesBelow(join(source, folder));
      expect(wanted.length).toBeGreaterThan(0);
      for (const path of wanted) {
        const [from, to] = [join(source, folder, path), join(share, folder, path)];
        expect(readFileSync(to).equals(readFileSync(from)), to).toBe(true);
      }
    }
    expect(filesBelow(join(share, "params"))).toEqual(filesBelow(join(root, "launch/params")));
    for (const name of ["package.xml", "package.json", "LICENSE"]) {
      expect(readFileSync(join(share, name), "utf8")).toBe(readFileSync(join(root, name), "utf8"));
    }
    for (const name of [stereoNodeName, detectorNodeName]) accessSync(join(programs, name), constants.X_OK);
  });

  it("is found by name once the install space is sourced", () => {
    const ask = "from ament_index_python import packages as p; print(p.get_package_share_directory('voxelguard'))";
    const { stdout, stderr } = spawnSync("bash", sourced(`"${graph!.python}" -c "${ask}"`), { env, encoding: "utf8" });
    expect(stdout.trim(), stderr).toBe(share);
  });

  it("the detector loads its network from there, and ends with 0", async () => {
    const node = new Program(
      "bash",
      sourced(`exec "${join(programs, detectorNodeName)}" --ros-args -r __ns:=/robot`),
      env,
    );
    const peer = new Peer(graph!);
    try {
      const service = `/robot/${detectorNodeName}/get_state`;
      const state = () => peer.do("call", { service, type: "lifecycle_msgs/srv/GetState", within: 60 });
      const { current_state } = await until(state, (answer) => answer.current_state.label === "active", 60_000);
      expect(current_state.label, node.said).toBe("active");
    } finally {
      peer.close();
      expect(await node.stop(), node.said).toBe(0);
    }
  });

  it("the node runs from there, with a parameter file and remapped topics, and answers an rclpy peer", async () => {
    const [bag, file] = [join(workspace, "raw.mcap"), join(workspace, "mine.yaml")];
    await writeRawDrive(bag, 3);
    writeFileSync(file, "/**:\n  ros__parameters:\n    max_input_age: 20.0\n    max_range: 12.0\n");
    const remaps = [...inputs.map((name) => `${name}:=/cam/${name}`), "~/points:=/obstacles", "__ns:=/robot"];
    const words = ["--ros-args", "--params-file", file, ...remaps.flatMap((rule) => ["-r", rule])];
    const peer = new Peer(graph!);
    const node = new Program("bash", sourced(`exec "${program}" ${words.map((word) => `'${word}'`).join(" ")}`), env);
    try {
      await peer.do("load", { path: bag });
      await peer.do("advertise", { namespace: "/cam" });
      await peer.do("subscribe", { topic: "/obstacles", type: stereoOutputs.points.type });
      const topics = inputs.map((name) => `/cam/${name}`);
      expect(await peer.do("matched", { topics }), node.said).toBe(true);
      const play = { first: 0, count: 1, namespace: "/cam", await_topic: "/obstacles" };
      const { answers } = await until(
        () => peer.do("play", play),
        ({ answers: [ms] }) => ms !== null,
      );
      expect(answers[0], node.said).toBeGreaterThan(0);
      expect((await peer.do("last", { topic: "/obstacles" })).width).toBeGreaterThan(0);
      const type = "rcl_interfaces/srv/GetParameters";
      const service = "/robot/stereo_voxel_node/get_parameters";
      const { values } = await peer.do("call", { service, type, request: { names: ["max_range"] } });
      expect(values[0].double_value).toBe(12);
      expect(await node.stop(), node.said).toBe(0);
    } finally {
      node.kill();
      peer.close();
    }
  });
});

/** A process and all that it says. */
class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  said = "";

  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(name, args, { env });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (text) => {
        this.said += text;
      });
    }
    this.#ended = new Promise((resolve) => this.#child.on("exit", (code) => resolve(code)));
  }

  /** Exit code after SIGTERM. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return await this.#ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
