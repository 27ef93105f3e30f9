import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bagFindings } from "../../src/cli/doctor-bag.ts";
import { machineFindings } from "../../src/cli/doctor-machine.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { openBag } from "../../src/io/bag.ts";
import { cutBag } from "../../src/io/bag-tools.ts";
import { McapSink } from "../../src/io/mcap-writer.ts";
import { readCameraInfo } from "../../src/msg/read-camera-info.ts";
import { writeCameraInfo } from "../../src/msg/write-camera.ts";
import { rosGraph } from "../ros/graph.ts";
import { tempFolder } from "../support/temp.ts";

const root = join(import.meta.dirname, "../..");
const demo = join(root, "demo/drive.mcap");
const folder = tempFolder();
const config = parseConfig(stereoSchema, {});

/** As a user without ROS has it. */
const bare = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

function doctor(env: NodeJS.ProcessEnv, ...words: string[]) {
  const args = ["--import", "tsx", join(root, "src/cli/main.ts"), "doctor", ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

interface Report {
  readonly ok: boolean;
  readonly machine: readonly Finding[];
  readonly ros: readonly Finding[];
}

describe("without ROS", () => {
  it("says in one screen what works and what is missing, and ends with 0", () => {
    const { status, stdout, stderr } = doctor(bare);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").length).toBeLessThanOrEqual(24);
    expect(stdout).toMatch(/ok {4}Node\.js +20\.|ok {4}Node\.js +2\d\./);
    expect(stdout).toMatch(/ok {4}model +octree-stereo \d+\.\d+\.\d+ in .*hashes as in its manifest/);
    expect(stdout).toMatch(/first pair \d+ ms, then [\d.]+ ms a pair/);
    expect(stdout).toMatch(/warn {2}ROS 2 is sourced +no ROS 2 is sourced here/);
    expect(stdout).toContain("-> Run `source /opt/ros/<distribution>/setup.bash` in this shell");
    expect(stdout).toMatch(/: 0 failed, \d to look at\.\n$/);
  });

  it("ends with 1 where a live node is wanted, each lack with its remedy", () => {
    const { status, stdout } = doctor(bare, "--ros", "--json");
    const report = JSON.parse(stdout) as Report;
    expect([status, report.ok]).toEqual([1, false]);
    const failures = report.ros.filter(({ verdict }) => verdict === "fail");
    expect(failures.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["ROS 2 is sourced", "librcl.so is found"]),
    );
    for (const { remedy } of failures) expect(remedy).toMatch(/source|apt-get install|npm install/i);
    expect(report.machine.every(({ verdict }) => verdict !== "fail")).toBe(true);
  });

  it("ends with 1 where the model is not whole, and goes on", async () => {
    const findings = await machineFindings({ ...config, model_path: "/nowhere" });
    expect(found(findings, "model")).toMatchObject({
      verdict: "fail",
      seen: expect.stringContaining("no model in /nowhere"),
    });
    expect(found(findings, "viewer page")).toBeDefined();
  });
});

const graph = rosGraph();
describe.skipIf(graph === undefined)("with a ROS graph", () => {
  const env = { ...process.env, ...graph?.variables };
  const rosOf = (more: NodeJS.ProcessEnv) => {
    const { status, stdout, stderr } = doctor({ ...env, ...more }, "--ros", "--json");
    if (stdout === "") throw new Error(stderr);
    return { status, ros: (JSON.parse(stdout) as Report).ros };
  };

  it("is content, down to loading rclnodejs", () => {
    const { status, ros } = rosOf({});
    // A container may have little shared memory, a distribution no octomap_msgs: both are warnings.
    expect(ros.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(found(ros, "DDS profile").verdict).toBe("ok");
    expect(found(ros, "rclnodejs loads")).toMatchObject({ verdict: "ok" });
    expect(found(ros, "DDS profile").seen).toContain("fastdds-shm.xml");
    expect(status).toBe(0);
  });

  it("misses the DDS profile, and an RMW that is not installed", () => {
    const { status, ros } = rosOf({ FASTDDS_DEFAULT_PROFILES_FILE: "", FASTRTPS_DEFAULT_PROFILES_FILE: "" });
    expect(found(ros, "DDS profile")).toMatchObject({
      verdict: "warn",
      remedy: expect.stringContaining("export FASTDDS_"),
    });
    expect(status).toBe(0);
    const other = rosOf({ RMW_IMPLEMENTATION: "rmw_cyclonedds_cpp" });
    expect(found(other.ros, "RMW")).toMatchObject({ verdict: "fail" });
    expect(other.status).toBe(1);
  });
});

describe("a recording", () => {
  const verdicts = (findings: readonly Finding[]) =>
    Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]));
  const sound = {
    recording: "ok",
    topics: "ok",
    stamps: "ok",
    "left and right": "ok",
    CameraInfo: "ok",
    sees: "ok",
    rectification: "ok",
    "/tf": "ok",
    "bag play": "ok",
  };

  it("that is sound gets no complaint, and the command ends with 0", () => {
    const { status, stdout } = doctor(bare, "--json", "--bag", demo);
    const { bag } = JSON.parse(stdout) as { bag: readonly Finding[] };
    expect([status, verdicts(bag)]).toEqual([0, sound]);
    expect(found(bag, "CameraInfo").figures).toMatchObject({ baseline_m: 0.3, fx_px: 450 });
    expect(found(bag, "left and right").figures).toMatchObject({ paired: 120, offset_ms_max: 0 });
  });

  it("with eyes that are stamped 40 ms apart is told so, with the setting that pairs them", async () => {
    const late = await changed("late.mcap", (topic, data) =>
      topic.startsWith("/stereo/right/image") ? later(data, 40) : data,
    );
    const findings = await bagFindings(late, {}, config);
    expect(verdicts(findings)).toEqual({ ...sound, "left and right": "fail", rectification: "fail" });
    const { seen, remedy } = found(findings, "left and right");
    expect(seen).toContain("0 of 120 pairs; right 40.0 ms after left");
    const slop = Number(/--approximate-sync --sync-slop ([\d.]+)/.exec(remedy!)?.[1]);
    const mended = await bagFindings(late, {}, { ...config, approximate_sync: true, sync_slop: slop });
    expect(verdicts(mended)).toEqual(sound);
  });

  it("with CameraInfo of another size, or without a baseline, is refused", async () => {
    const change =
      (alter: (info: ReturnType<typeof readCameraInfo>) => object) => (topic: string, data: Uint8Array) => {
        if (!topic.endsWith("camera_info")) return data;
        const info = readCameraInfo(data);
        return writeCameraInfo({ ...info, ...alter(info) });
      };
    const half = await bagFindings(
      await changed(
        "half.mcap",
        change(() => ({ width: 320, height: 180 })),
      ),
      {},
      config,
    );
    expect(found(half, "CameraInfo")).toMatchObject({
      verdict: "fail",
      seen: expect.stringContaining("The left image is 640x360 but its CameraInfo is for 320x180"),
    });
    const flat = change(({ p }) => ({ p: Array.from(p, (n, i) => (i === 3 ? 0 : n)) }));
    const mono = await bagFindings(await changed("mono.mcap", flat), {}, config);
    expect(found(mono, "CameraInfo")).toMatchObject({
      verdict: "fail",
      seen: expect.stringContaining("baseline is 0 m"),
    });
  });

  it("without transforms or with a lone eye is told what to record", async () => {
    const still = await bagFindings(
      await changed("still.mcap", (topic, data) => (topic.startsWith("/tf") ? undefined : data)),
      {},
      config,
    );
    expect(verdicts(still)).toEqual({ ...sound, "/tf": "warn" });
    const volatile = await bagFindings(await changed("volatile.mcap", (_topic, data) => data, false), {}, config);
    expect(verdicts(volatile)).toEqual({ ...sound, "bag play": "warn" });
    const cut = join(folder, "cut.mcap");
    await cutBag(join(folder, "volatile.mcap"), cut);
    expect(verdicts(await bagFindings(cut, {}, config))).toEqual(sound);
    const lone = await bagFindings(
      await changed("lone.mcap", (topic, data) => (topic.includes("right") ? undefined : data)),
      {},
      config,
    );
    expect(lone.at(-1)).toMatchObject({
      name: "topics",
      verdict: "fail",
      remedy: expect.stringContaining("--left TOPIC"),
    });
    expect(await bagFindings("/nowhere", {}, config)).toMatchObject([{ name: "recording", verdict: "fail" }]);
  });
});

function found(findings: readonly Finding[], name: string): Finding {
  const finding = findings.find((one) => one.name === name);
  if (finding === undefined) throw new Error(`no finding ${name} among ${findings.map((one) => one.name).join(", ")}`);
  return finding;
}

/** The demo drive with every message as `change` makes it; undefined leaves it out. */
async function changed(
  name: string,
  change: (topic: string, data: Uint8Array) => Uint8Array | undefined,
  isLatched?: boolean,
): Promise<string> {
  const path = join(folder, name);
  const bag = await openBag(demo);
  const sink = await McapSink.open(path);
  for (const { name: topic, type } of bag.topics) {
    sink.addTopic(topic, type, isLatched === undefined ? {} : { isLatched });
  }
  for await (const { topic, logTimeNs, data } of bag.messages()) {
    const next = change(topic, data.slice());
    if (next !== undefined) await sink.write(topic, logTimeNs, next);
  }
  await sink.close();
  await bag.close();
  return path;
}

/** The message with its stamp, the first field, moved. */
function later(data: Uint8Array, byMs: number): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset);
  const stampNs =
    BigInt(view.getInt32(4, true)) * 1_000_000_000n + BigInt(view.getUint32(8, true)) + BigInt(byMs) * 1_000_000n;
  view.setInt32(4, Number(stampNs / 1_000_000_000n), true);
  view.setUint32(8, Number(stampNs % 1_000_000_000n), true);
  return data;
}
