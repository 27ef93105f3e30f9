/**
 * The pictures of the viewer in docs/images, taken of the real page in chromium: `npm run pictures`. Makes the maps that
 * they show first, of the demo's drive, and keeps them in out/pictures. `--fresh` makes them anew.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { RecordedReel } from "../src/cli/recorded-reels.ts";
import { RecordedRun } from "../src/cli/recorded-run.ts";
import { openViewer, steer, ViewerFeed } from "../src/cli/viewer-feed.ts";
import { launchBrowser } from "../test/support/browser.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const images = join(root, "docs/images");
const work = join(root, "out/pictures");
const drive = join(root, "demo/drive.mcap");

/** Of the animation: every which frame of the drive, how wide, and what it may weigh. */
const [STEP, WIDTH, MOST_BYTES] = [2, 720, 2 << 20];
const size = { width: 1280, height: 720 };

/** A map of the drive, made with some options of `voxelguard replay`. */
function mapOf(name: string, ...args: readonly string[]): string {
  const path = join(work, `${name}.mcap`);
  if (existsSync(path) && !process.argv.includes("--fresh")) return path;
  const main = join(root, "src/cli/main.ts");
  const command = ["--import", "tsx", main, "replay", drive, "--out", path, ...args];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`${name} could not be made: the reason is printed above`);
  return path;
}

interface Stand {
  readonly page: Page;
  /** Shows a frame and waits until it is drawn. */
  go(frame: number): Promise<void>;
  close(): Promise<void>;
}

async function show(browser: Browser, paths: readonly string[], theme: "dark" | "light"): Promise<Stand> {
  const server = await openViewer({ port: 0, steered: true });
  const runs: RecordedRun[] = [];
  for (const path of paths) runs.push(await RecordedRun.open(path));
  const tracks = runs.map((run, i) => {
    return { run, feed: new ViewerFeed(server, runs.length === 1 ? "" : ["/a", "/b"][i]), shiftNs: 0n };
  });
  server.share(Object.fromEntries(runs.map(({ name }, i) => [`run.${"ab"[i]}`, name])));
  const reel = new RecordedReel(server, tracks);
  const stop = new AbortController();
  const playback = steer(server, reel, 1, stop.signal);
  playback.set("playback.playing", false);
  const ended = playback.run();
  const page = await browser.newPage({ viewport: size, colorScheme: theme });
  await page.goto(server.url);
  await page.locator("#voxels", { hasText: /[1-9]/ }).waitFor({ state: "attached", timeout: 60_000 });
  // Cubes even where that is slow: here nobody waits.
  await page.keyboard.press("p");
  const go = async (frame: number): Promise<void> => {
    playback.set("playback.frame", frame);
    await page.locator("#time", { hasText: `${frame + 1} of ${reel.total}` }).waitFor({ timeout: 60_000 });
    // The view glides after the robot; it is there when nothing is drawn any more.
    const canvas = page.locator("#scene");
    let [before, same] = ["", 0];
    while (same < 3) {
      const drawn = (await canvas.getAttribute("data-drawn")) ?? "";
      same = drawn === before ? same + 1 : 0;
      before = drawn;
      await page.evaluate("new Promise((done) => setTimeout(done, 120))");
    }
  };
  const close = async (): Promise<void> => {
    await page.close();
    stop.abort();
    await ended;
    await server.close();
    for (const run of runs) await run.close();
  };
  return { page, go, close };
}

/** A palette would band the ramp; this stays sharp and small. */
async function still(page: Page, name: string): Promise<void> {
  const path = join(images, `${name}.png`);
  await sharp(await page.screenshot())
    .png({ compressionLevel: 9 })
    .toFile(path);
  console.log(`${path}: ${(statSync(path).size / 1e3).toFixed(0)} kB`);
}

async function animation(stand: Stand, frames: number): Promise<void> {
  const taken: Buffer[] = [];
  for (let frame = 0; frame < frames; frame += STEP) {
    await stand.go(frame);
    taken.push(
      await sharp(await stand.page.screenshot())
        .resize(WIDTH)
        .png()
        .toBuffer(),
    );
    if (taken.length % 10 === 0) console.log(`${taken.length} of ${Math.ceil(frames / STEP)} frames of the animation`);
  }
  const path = join(images, "viewer.webp");
  const delay = taken.map((_, i) => (i === taken.length - 1 ? 1500 : STEP * 100));
  await sharp(taken, { join: { animated: true } })
    .webp({ quality: 62, effort: 6, loop: 0, delay })
    .toFile(path);
  const bytes = statSync(path).size;
  console.log(`${path}: ${taken.length} frames, ${(bytes / 1e6).toFixed(2)} MB`);
  if (bytes > MOST_BYTES) throw new Error(`the animation weighs ${bytes} bytes, wanted ${MOST_BYTES} at most`);
}

mkdirSync(work, { recursive: true });
const map = mapOf("drive", "--detect");
const strict = mapOf("strict", "--occupancy-threshold", "0.6", "--free-threshold", "0.3");
const plain = mapOf("plain");
const browser = await launchBrowser();
try {
  const alone = await show(browser, [map], "dark");
  await animation(alone, 120);
  await alone.go(80);
  await still(alone.page, "viewer");
  await alone.page.keyboard.press("l");
  await alone.page.keyboard.press("v");
  await alone.page.keyboard.press("e");
  await alone.go(60);
  await still(alone.page, "viewer-layers");
  await alone.close();
  const both = await show(browser, [plain, strict], "dark");
  await both.go(80);
  await still(both.page, "compare");
  await both.close();
} finally {
  await browser.close();
}
