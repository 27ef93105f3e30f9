import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { packageRoot } from "../../src/cli/package-root.ts";
import { decodeCdr } from "../../src/msg/codec.ts";
import { start, voxelguard } from "../replay/program.ts";
import { countsOf } from "../replay/read-map.ts";
import { hasBrowser, launchBrowser } from "../support/browser.ts";
import { TestClient } from "../support/foxglove-client.ts";
import { tempFolder } from "../support/temp.ts";

vi.setConfig({ testTimeout: 400_000 });

const folder = tempFolder();
const screenshot = join(packageRoot(), "out/test/demo.png");
const isPageBuilt = existsSync(join(packageRoot(), "dist/viewer/index.html"));
if (!isPageBuilt && process.env["CI"] === "true") throw new Error("dist/viewer is not built: run `npm run setup`");
if (!isPageBuilt) console.warn("skipped: dist/viewer is not built: run `npm run setup`");

/** Of a rendered drive of 12 s at 10 Hz. */
const pairs = 120;
const shares = ["iou_32m", "iou_15m", "precision", "recall", "missed", "free_violation"] as const;

describe("voxelguard demo", () => {
  it("--headless: map, picture and report with accuracy, then ends", async () => {
    const out = join(folder, "headless");
    const { code, out: text, err } = await voxelguard("demo", "--headless", "--out", out);
    expect([code, err]).toEqual([0, ""]);
    expect(text).toMatch(new RegExp(`^${pairs} of ${pairs} pairs, [\\d.]+ a second`));
    expect(text).toMatch(/against exact depth \(30 frames, 0\.5 m voxels, to 32 m\): IoU 0\.\d+, precision [\d.]+ %/);
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    expect(report).toMatchObject({
      pairs: { seen: pairs, processed: pairs, dropped: {} },
      health: [],
      accuracy: { frames: pairs / 4 },
    });
    for (const name of shares) {
      expect(report.accuracy[name], name).toBeGreaterThan(0);
      expect(report.accuracy[name], name).toBeLessThan(1);
    }
    expect(await countsOf(join(out, "map.mcap"))).toMatchObject({ points: pairs, octomap_binary: pairs, "/tf": pairs });
    const { width, height, format } = await sharp(join(out, "preview.png")).metadata();
    expect(format).toBe("png");
    expect(Math.min(width, height)).toBeGreaterThan(200);
  });

  it.skipIf(!isPageBuilt)("with the page: the map grows in a client, Ctrl-C ends it with whole outputs", async () => {
    const out = join(folder, "page");
    const running = start("demo", "--port", "0", "--out", out);
    const url = await waitFor(() => /^viewer: (http:\S+)$/m.exec(running.err())?.[1], "the address of the page");
    const client = await TestClient.connect(url);
    let page: Watch | undefined;
    try {
      await waitFor(() => client.channels.size === 8 || undefined, "the topics");
      for (const topic of client.channels.keys()) client.subscribe(topic);
      const of = (topic: string) => client.received.filter((each) => each.topic === topic);
      const statusNow = () => {
        const last = of("/voxelguard/status").at(-1);
        return last === undefined
          ? undefined
          : JSON.parse(decodeCdr<{ data: string }>("std_msgs/msg/String", last.data).data);
      };
      // The browser may take as long as the drive; the client has its messages from the start.
      page = hasBrowser() ? await watchInBrowser(url) : undefined;
      await waitFor(() => statusNow()?.frame >= 40 || undefined, "forty frames");

      const sizes = of("/voxelguard/map_voxels").map(
        ({ data }) => decodeCdr<{ width: number }>("sensor_msgs/msg/PointCloud2", data).width,
      );
      expect(sizes[0]).toBeGreaterThan(0);
      expect(sizes.at(-1)).toBeGreaterThan(sizes[0]!);
      const stamps = of("/voxelguard/map_voxels").map(({ stampNs }) => stampNs);
      // Back to the beginning: what was computed is shown again.
      client.set("playback.playing", false);
      if (page !== undefined) await page.check();
      client.set("playback.frame", 0);
      await waitFor(
        () => of("/voxelguard/map_voxels").at(-1)?.stampNs === stamps[0] || undefined,
        "the first frame again",
      );
      expect(client.parameters.get("playback.playing")).toBe(false);
      client.set("playback.playing", true);
      expect(statusNow()).toMatchObject({
        voxelSizeM: 0.5,
        health: [],
        stagesMs: { match: expect.any(Number), network: expect.any(Number) },
        accuracy: { iou_32m: expect.any(Number) },
      });
    } finally {
      client.close();
      await page?.close();
      running.child.kill("SIGINT");
    }
    const { code, err } = await running.outcome;
    expect(code).toBe(130);
    expect(err).not.toMatch(/error|warning/);
    const { pairs: counts } = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    expect(counts.processed).toBeGreaterThanOrEqual(40);
    expect((await countsOf(join(out, "map.mcap")))["points"]).toBe(counts.processed);
    expect(existsSync(join(out, "preview.png"))).toBe(true);
  });
});

interface Watch {
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The page in a real browser: it must say that it is live, show voxels and no error. */
async function watchInBrowser(url: string): Promise<Watch> {
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  return {
    async check() {
      await page.locator("#connection", { hasText: "recording" }).waitFor({ timeout: 60_000 });
      await page.locator("#voxels", { hasText: /[1-9]/ }).waitFor({ timeout: 60_000 });
      await page.locator("#accuracy", { hasText: "0." }).waitFor({ timeout: 60_000 });
      mkdirSync(join(packageRoot(), "out/test"), { recursive: true });
      await page.screenshot({ path: screenshot, timeout: 90_000 });
      expect(errors).toEqual([]);
    },
    async close() {
      await browser.close();
    },
  };
}

async function waitFor<T>(found: () => T | undefined, what: string): Promise<T> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const value = found();
    if (value !== undefined) return value;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`waited in vain: ${what}`);
}
