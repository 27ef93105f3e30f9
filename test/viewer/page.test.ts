import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaText } from "../../src/msg/definitions.ts";
import { ViewerServer } from "../../src/server/viewer-server.ts";
import { hasBrowser, launchBrowser } from "../support/browser.ts";
import { encodeCdr } from "../support/encode-cdr.ts";
import { cloudOf, imageMessage, poseAt, statusMessage, streetUpTo } from "./street.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const isBrowserThere = hasBrowser();

const shots = join(root, "out/test/viewer");
const [width, height] = [1280, 720];

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

interface Pixels {
  readonly at: (x: number, y: number) => readonly [number, number, number];
  /** Share of the pixels of a region, in fractions of the page, for which `test` holds. */
  readonly share: (
    region: readonly [number, number, number, number],
    test: (r: number, g: number, b: number) => boolean,
  ) => number;
}

async function shoot(page: Page, name: string): Promise<Pixels> {
  const png = await page.screenshot({ path: join(shots, `${name}.png`) });
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => {
    const i = (y * info.width + x) * 3;
    return [data[i]!, data[i + 1]!, data[i + 2]!] as const;
  };
  return {
    at,
    share: ([left, top, right, bottom], test) => {
      let [hits, all] = [0, 0];
      for (let y = Math.round(top * info.height); y < bottom * info.height; y += 1) {
        for (let x = Math.round(left * info.width); x < right * info.width; x += 1) {
          all += 1;
          if (test(...at(x, y))) hits += 1;
        }
      }
      return hits / all;
    },
  };
}

/** Colours that only voxels have: the background, grid and panels are nearly grey. */
const isVivid = (r: number, g: number, b: number): boolean => Math.max(r, g, b) - Math.min(r, g, b) > 45;
/** Between the panels. */
const middle = [0.25, 0.1, 0.62, 0.9] as const;

describe.skipIf(!isBrowserThere)("the viewer page", { timeout: 180_000 }, () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(shots, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), "viewer-page-"));
    await build({
      configFile: join(root, "src/viewer/vite.config.ts"),
      root: join(root, "src/viewer"),
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: true },
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(url: string): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage({ viewport: { width, height } });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(url);
    return { page, errors };
  }

  const textOf = (page: Page, id: string): Promise<string | null> => page.locator(`#${id}`).textContent();
  const waitForText = (page: Page, id: string, text: string): Promise<void> =>
    page.locator(`#${id}`, { hasText: text }).waitFor({ timeout: 20_000 });
  /** Two screen refreshes: what was received is drawn. */
  const settle = (page: Page): Promise<unknown> =>
    page.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300))))",
    );

  it("shows map, pose, image, figures and health as they come", async () => {
    const { server, send } = await serve(folder);
    const { page, errors } = await open(server.url);
    await waitForText(page, "connection", "live");
    const before = await shoot(page, "empty");
    expect(before.share(middle, isVivid)).toBeLessThan(0.01);
    expect(await page.locator("#camera").isVisible()).toBe(false);

    const street = streetUpTo(30);
    send("/voxelguard/status", statusMessage());
    send("/tf", poseAt(0));
    send("/voxelguard/map_voxels", cloudOf(street));
    send("/voxelguard/left/compressed", await imageMessage());
    await waitForText(page, "voxels", street.length.toLocaleString("en"));
    await page.locator("#camera").waitFor();
    await settle(page);
    const cubes = await shoot(page, "cubes");
    expect(cubes.share(middle, isVivid)).toBeGreaterThan(0.15);
    const [skyR, skyG, skyB] = cubes.at(width - 200, height - 150);
    expect([skyR, skyG, skyB].map((v, i) => Math.abs(v - [200, 60, 160][i]!) < 12)).toEqual([true, true, true]);

    expect([await textOf(page, "frame"), await textOf(page, "pairs"), await textOf(page, "rate")]).toEqual([
      "87",
      "88",
      "16.4",
    ]);
    expect(await page.locator("#stages li").allTextContents()).toEqual([
      "rectify2.1",
      "match5.3",
      "network32",
      "octree6.4",
      "fuse3.2",
    ]);
    expect(await textOf(page, "health")).toBe("all is well");
    expect(await textOf(page, "accuracy")).toContain("0.612");
    expect(await textOf(page, "legend")).toContain("m");

    const faults = [
      { where: "/right/image_rect", code: "PAIR_LONE", level: "warn", message: "no partner within 20 ms", count: 4 },
      { where: "/tf", code: "TF_MISSING", level: "error", message: "no pose from odom to left_optical", count: 1 },
    ];
    send("/voxelguard/status", statusMessage({ frame: 88, health: faults }));
    await waitForText(page, "health", "/right/image_rect: no partner within 20 ms (4 times)");
    expect(await page.locator('#health li[data-level="error"]').textContent()).toContain("no pose from odom");
    expect(errors).toEqual([]);
    await server.close();
    await page.close();
  });

  it("follows the robot, draws points, colours by probability, helps", async () => {
    const { server, send } = await serve(folder);
    const { page, errors } = await open(server.url);
    send("/voxelguard/status", statusMessage());
    send("/tf", poseAt(0));
    await waitForText(page, "frame", "87");
    const street = streetUpTo(70);
    send("/voxelguard/map_voxels", cloudOf(street));
    send("/tf", poseAt(28));
    await waitForText(page, "voxels", street.length.toLocaleString("en"));
    // The camera glides after the robot, on a busy machine slowly.
    let followed = await shoot(page, "followed");
    for (let i = 0; i < 40 && followed.share(middle, isVivid) <= 0.15; i += 1) {
      await page.waitForTimeout(500);
      followed = await shoot(page, "followed");
    }
    expect(followed.share(middle, isVivid)).toBeGreaterThan(0.15);

    await page.keyboard.press("p");
    await page.keyboard.press("p");
    await waitForText(page, "hint", "drawing: points");
    await settle(page);
    const points = await shoot(page, "points");
    expect(points.share(middle, isVivid)).toBeGreaterThan(0.12);

    await page.keyboard.press("c");
    await waitForText(page, "legend", "probability");
    await page.keyboard.press("t");
    await settle(page);
    const top = await shoot(page, "top");
    expect(top.share(middle, isVivid)).toBeGreaterThan(0.1);

    await page.keyboard.press("?");
    await waitForText(page, "help", "follow the robot");
    await shoot(page, "help");
    expect(errors).toEqual([]);
    await server.close();
    await page.close();
  });

  it("connects again to another run and shows nothing of the first", async () => {
    const first = await serve(folder);
    const { page } = await open(first.server.url);
    first.send("/voxelguard/status", statusMessage());
    first.send("/tf", poseAt(0));
    first.send("/voxelguard/map_voxels", cloudOf(streetUpTo(30)));
    await page.locator("#legend").waitFor();
    const port = Number(new URL(first.server.url).port);
    await first.server.close();
    await waitForText(page, "connection", "connection lost, again in");
    await shoot(page, "lost");

    const second = await serve(folder, port);
    await waitForText(page, "connection", "live");
    await waitForText(page, "voxels", "0");
    await settle(page);
    const cleared = await shoot(page, "cleared");
    expect(cleared.share(middle, isVivid)).toBeLessThan(0.01);
    second.send("/voxelguard/map_voxels", cloudOf(streetUpTo(10)));
    await waitForText(page, "voxels", streetUpTo(10).length.toLocaleString("en"));
    await second.server.close();
    await page.close();
  });

  it("leaves out a message that it cannot read, says so, and goes on", async () => {
    const { server, send } = await serve(folder);
    const { page } = await open(server.url);
    await waitForText(page, "connection", "live");
    send("/voxelguard/map_voxels", { ...(cloudOf(streetUpTo(5)) as object), fields: [] });
    await waitForText(page, "hint", "A point cloud cannot be shown: it has no float32 x, y, z");
    send("/voxelguard/status", { data: "no json" });
    await waitForText(page, "hint", "a status was not JSON");
    send("/voxelguard/map_voxels", cloudOf(streetUpTo(10)));
    await waitForText(page, "voxels", streetUpTo(10).length.toLocaleString("en"));
    await server.close();
    await page.close();
  });
});
