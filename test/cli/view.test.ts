import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { packageRoot } from "../../src/cli/package-root.ts";
import { type Running, start, voxelguard } from "../replay/program.ts";
import { TestClient, until } from "../support/foxglove-client.ts";
import { tempFolder } from "../support/temp.ts";
import { firstNs, freeAt, occupiedAt, periodNs, writeRecording } from "../viewer/recording.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const folder = tempFolder();
const isPageBuilt = existsSync(join(packageRoot(), "dist/viewer/index.html"));
if (!isPageBuilt && process.env["CI"] === "true") throw new Error("dist/viewer is not built: run `npm run setup`");
if (!isPageBuilt) console.warn("skipped: dist/viewer is not built: run `npm run setup`");

/** A message as anybody reads it: by the schema that the server itself sends, with Foxglove's libraries alone. */
function decoded(client: TestClient, topic: string): Record<string, unknown> {
  const { schema, encoding, schemaEncoding } = client.channels.get(topic)!;
  expect([encoding, schemaEncoding]).toEqual(["cdr", "ros2msg"]);
  const reader = new MessageReader(parse(schema, { ros2: true }));
  return reader.readMessage(client.received.findLast((each) => each.topic === topic)!.data);
}

async function connected(running: Running): Promise<TestClient> {
  await until(() => /^viewer: http:\S+$/m.test(running.err()), "the address of the page", 120_000);
  return await TestClient.connect(/^viewer: (http:\S+)$/m.exec(running.err())![1]!);
}

describe.skipIf(!isPageBuilt)("voxelguard view", () => {
  let path: string;
  beforeAll(async () => {
    path = await writeRecording(join(folder, "map.mcap"), { frames: 20 });
  });

  it("serves every channel so that a client with the protocol's own library decodes it, and takes its orders", async () => {
    const running = start("view", path, "--port", "0");
    const client = await connected(running);
    try {
      await until(() => client.channels.size === 8 && client.parameters.size >= 8, "channels and parameters");
      client.set("playback.playing", false);
      client.set("playback.frame", 7);
      for (const topic of client.channels.keys()) client.subscribe(topic);
      const stampNs = firstNs + 7n * periodNs;
      const isThere = (topic: string) =>
        client.received.some((each) => each.topic === topic && each.stampNs === stampNs);
      for (const topic of client.channels.keys()) await until(() => isThere(topic), `frame 7 of ${topic}`, 60_000);
      expect(client.timeNs).toBe(stampNs);

      const stamp = { sec: Number(stampNs / 1_000_000_000n), nanosec: Number(stampNs % 1_000_000_000n) };
      const messages = Object.fromEntries([...client.channels.keys()].map((topic) => [topic, decoded(client, topic)]));
      expect(messages).toMatchObject({
        "/voxelguard/map_voxels": { header: { stamp, frame_id: "odom" }, width: occupiedAt(7).length, point_step: 16 },
        "/voxelguard/free_voxels": { header: { stamp, frame_id: "odom" }, width: freeAt(7).length },
        "/voxelguard/left/compressed": { header: { stamp, frame_id: "left_optical" }, format: "jpeg" },
        "/voxelguard/detections": { detections: [{ id: "3" }] },
        "/voxelguard/detections_3d": { detections: [{ id: "3" }] },
        "/voxelguard/patch_mask": { width: 440, height: 200, encoding: "mono8" },
        "/tf": { transforms: [{ child_frame_id: "left_optical", transform: { translation: { x: 7, y: 0, z: 1.5 } } }] },
      });
      expect(JSON.parse(messages["/voxelguard/status"]!["data"] as string)).toMatchObject({
        frame: 8,
        pairs: 8,
        voxelSizeM: 0.5,
        stagesMs: { network: 31.5 },
        health: [],
        camera: { width: 440, height: 200, fx: 240 },
      });
      // Back again, and on to the end by itself.
      client.set("playback.frame", 2);
      const hasTf = (frame: number) =>
        client.received.some(({ topic, stampNs: at }) => topic === "/tf" && at === firstNs + BigInt(frame) * periodNs);
      await until(() => hasTf(2), "frame 2", 60_000);
      expect(decoded(client, "/tf")).toMatchObject({ transforms: [{ transform: { translation: { x: 2 } } }] });
      client.set("playback.playing", true);
      await until(() => client.parameters.get("playback.frame") === 19, "the end", 60_000);
      await until(() => client.parameters.get("playback.playing") === false, "it stops there");
    } finally {
      client.close();
      running.child.kill("SIGINT");
    }
    expect((await running.outcome).code).toBe(130);
  });

  it("--compare lays recordings of other times over each other", async () => {
    const later = await writeRecording(join(folder, "later.mcap"), { frames: 5, fromNs: firstNs + 3_600_000_000_000n });
    const running = start("view", "--compare", path, later, "--port", "0");
    const client = await connected(running);
    try {
      await until(() => client.channels.size === 16 && client.parameters.has("run.b"), "channels of both");
      expect(running.err()).toContain("do not overlap in time");
      expect([client.parameters.get("run.a"), client.parameters.get("run.b")]).toEqual(["map.mcap", "later.mcap"]);
      expect(client.parameters.get("playback.total")).toBe(20);
      client.set("playback.playing", false);
      client.set("playback.frame", 3);
      client.subscribe("/a/tf");
      client.subscribe("/b/tf");
      const at = (topic: string, frame: number, fromNs: bigint) =>
        client.received.some((each) => each.topic === topic && each.stampNs === fromNs + BigInt(frame) * periodNs);
      await until(() => at("/a/tf", 3, firstNs), "frame 3 of A", 60_000);
      await until(() => at("/b/tf", 3, firstNs + 3_600_000_000_000n), "frame 3 of B", 60_000);
    } finally {
      client.close();
      running.child.kill("SIGINT");
    }
    expect((await running.outcome).code).toBe(130);
  });

  it("says what it cannot show, and what to do", async () => {
    const refused = async (...argv: readonly string[]) => {
      const { code, out } = await voxelguard("view", ...argv, "--port", "0", "--json");
      return { exit: code, ...(JSON.parse(out) as { error: { code: string; message: string; remedy: string } }).error };
    };
    expect(await refused(join(packageRoot(), "demo/drive.mcap"))).toMatchObject({
      exit: 1,
      code: "TOPIC_MISSING",
      message: expect.stringMatching(/holds no map: .*sensor_msgs\/msg\/CompressedImage/),
      remedy: expect.stringContaining("voxelguard replay BAG --view"),
    });
    writeFileSync(join(folder, "no.mcap"), "nothing");
    expect(await refused(join(folder, "no.mcap"))).toMatchObject({ exit: 1, code: "BAG_NOT_A_BAG" });
    expect(await refused(path, path)).toMatchObject({ exit: 2, code: "USAGE" });
    expect(await refused("--compare", path)).toMatchObject({ exit: 2, code: "USAGE" });
    expect(await refused(path, "--host", "0.0.0.0")).toMatchObject({ exit: 2, code: "USAGE" });
  });
});
