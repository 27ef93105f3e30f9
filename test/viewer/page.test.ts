import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaText } from "../../src/msg/definitions.ts";
import { ViewerServer } from "../../src/server/viewer-server.ts";
import { hasBrowser } from "../support/browser.ts";
import { encodeCdr } from "../support/encode-cdr.ts";
import { height, isVivid, middle, Pages, width } from "./page.ts";
import { cloudOf, imageMessage, poseAt, statusMessage, streetUpTo } from "./street.ts";

const types = {
  "/voxelguard/map_voxels": "sensor_msgs/msg/PointCloud2",
  "/voxelguard/left/compressed": "sensor_msgs/msg/CompressedImage",
  "/tf": "tf2_msgs/msg/TFMessage",
  "/voxelguard/status": "std_msgs/msg/String",
} as const;
type Topic = keyof typeof types;

/** A server with the four topics of the page. */
async function serve(
  folder: string,
  port = 0,
): Promise<{ server: ViewerServer; send: (topic: Topic, message: unknown) => void }> {
  const server = await ViewerServer.listen({ port, viewerDir: folder });
  const channels = Object.fromEntries(
    Object.entries(types).map(([topic, type]) => [
      topic,
      server.advertise(topic, type, schemaText(type)!, { latched: true }),
    ]),
  );
  const send = (topic: Topic, message: unknown): void =>
    server.publish(channels[topic]!, 0n, encodeCdr(types[topic], message));
  return { server, send };
}

describe.skipIf(!hasBrowser())("the viewer page", { timeout: 600_000 }, () => {
  let pages: Pages;

  beforeAll(async () => {
    pages = await Pages.build();
  });
  afterAll(async () => await pages?.close());

  it("shows map, pose, image, figures and health as they come", async () => {
    const { server, send } = await serve(pages.folder);
    const page = await pages.open(server.url);
    await page.waitForText("connection", "live");
    const before = await page.shoot("empty");
    expect(before.share(middle, isVivid)).toBeLessThan(0.01);
    expect(await page.page.locator("#camera").isVisible()).toBe(false);

    const street = streetUpTo(30);
    send("/voxelguard/status", statusMessage());
    send("/tf", poseAt(0));
    send("/voxelguard/map_voxels", cloudOf(street));
    send("/voxelguard/left/compressed", await imageMessage());
    await page.waitForText("voxels", street.length.toLocaleString("en"));
    await page.page.locator("#camera").waitFor();
    const isSky = (rgb: readonly number[]) => rgb.every((v, i) => Math.abs(v - [200, 60, 160][i]!) < 12);
    await page.see("cubes", (seen) => isSky(seen.at(width - 200, height - 150)), "the camera's sky");
    await page.see("cubes", (seen) => seen.share(middle, isVivid) > 0.15, "the street in cubes");

    expect([await page.text("frame"), await page.text("pairs"), await page.text("rate")]).toEqual(["87", "88", "16.4"]);
    expect(await page.page.locator("#stages li").allTextContents()).toEqual([
      "rectify2.1",
      "match5.3",
      "network32",
      "octree6.4",
      "fuse3.2",
    ]);
    expect(await page.text("health")).toBe("all is well");
    expect(await page.text("accuracy")).toContain("0.612");
    expect(await page.text("legend")).toContain("m");

    const faults = [
      { where: "/right/image_rect", code: "PAIR_LONE", level: "warn", message: "no partner within 20 ms", count: 4 },
      { where: "/tf", code: "TF_MISSING", level: "error", message: "no pose from odom to left_optical", count: 1 },
    ];
    send("/voxelguard/status", statusMessage({ frame: 88, health: faults }));
    await page.waitForText("health", "/right/image_rect: no partner within 20 ms (4 times)");
    expect(await page.page.locator('#health li[data-level="error"]').textContent()).toContain("no pose from odom");
    expect(page.errors).toEqual([]);
    await server.close();
    await page.close();
  });

  it("follows the robot, draws points, colours by probability, helps", async () => {
    const { server, send } = await serve(pages.folder);
    const page = await pages.open(server.url);
    send("/voxelguard/status", statusMessage());
    send("/tf", poseAt(0));
    await page.waitForText("frame", "87");
    const street = streetUpTo(70);
    send("/voxelguard/map_voxels", cloudOf(street));
    send("/tf", poseAt(28));
    await page.waitForText("voxels", street.length.toLocaleString("en"));
    // The camera glides after the robot, on a busy machine slowly.
    await page.see("followed", (seen) => seen.share(middle, isVivid) > 0.15, "the street ahead of the robot");

    await page.press("p");
    await page.press("p");
    await page.waitForText("hint", "drawing: points");
    await page.see("points", (seen) => seen.share(middle, isVivid) > 0.12, "the street in points");

    await page.press("c");
    await page.waitForText("legend", "probability");
    await page.press("t");
    await page.see("top", (seen) => seen.share(middle, isVivid) > 0.1, "the street from above");

    await page.press("?");
    await page.waitForText("help", "follow the robot");
    await page.shoot("help");
    expect(page.errors).toEqual([]);
    await server.close();
    await page.close();
  });

  it("connects again to another run and shows nothing of the first", async () => {
    const first = await serve(pages.folder);
    const page = await pages.open(first.server.url);
    first.send("/voxelguard/status", statusMessage());
    first.send("/tf", poseAt(0));
    first.send("/voxelguard/map_voxels", cloudOf(streetUpTo(30)));
    await page.page.locator("#legend").waitFor();
    const port = Number(new URL(first.server.url).port);
    await first.server.close();
    await page.waitForText("connection", "connection lost, again in");
    await page.shoot("lost");

    const second = await serve(pages.folder, port);
    await page.waitForText("connection", "live");
    await page.waitForText("voxels", "0");
    await page.see("cleared", (seen) => seen.share(middle, isVivid) < 0.01, "an empty scene");
    second.send("/voxelguard/map_voxels", cloudOf(streetUpTo(10)));
    await page.waitForText("voxels", streetUpTo(10).length.toLocaleString("en"));
    await second.server.close();
    await page.close();
  });

  it("leaves out a message that it cannot read, says so, and goes on", async () => {
    const { server, send } = await serve(pages.folder);
    const page = await pages.open(server.url);
    await page.waitForText("connection", "live");
    send("/voxelguard/map_voxels", { ...(cloudOf(streetUpTo(5)) as object), fields: [] });
    await page.waitForText("hint", "A point cloud cannot be shown: it has no float32 x, y, z");
    send("/voxelguard/status", { data: "no json" });
    await page.waitForText("hint", "a status was not JSON");
    send("/voxelguard/map_voxels", cloudOf(streetUpTo(10)));
    await page.waitForText("voxels", streetUpTo(10).length.toLocaleString("en"));
    await server.close();
    await page.close();
  });
});
