/**
 * The pictures of the viewer in docs/images, taken of the real page in chromium: `npm run pictures`. Makes the maps that
 * they show first, of the demo's drive, and keeps them in out/pictures; `--fresh` makes them anew. `npm run pictures -- still`
 * takes only those whose name it is: animation, still, compare.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
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

/** `pixelRatio` 2: drawn twice as large, for pictures with smooth edges. */
async function show(paths: readonly string[], pixelRatio: 1 | 2): Promise<Stand> {
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
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: size, colorScheme: "dark", deviceScaleFactor: pixelRatio });
  await page.goto(server.url);
  await page.locator("#voxels", { hasText: /[1-9]/ }).waitFor({ state: "attached", timeout: 60_000 });
  // The view does not glide after the robot: it is put behind it for each picture.
  await page.keyboard.press("f");
  const go = async (frame: number): Promise<void> => {
    playback.set("playback.frame", frame);
    await page.locator("#time", { hasText: `${frame + 1} of ${reel.total}` }).waitFor({ timeout: 60_000 });
    await page.keyboard.press("r");
    // Nothing moves any more when two looks at the count of drawn pictures agree.
    const drawn = () => page.locator("#scene").getAttribute("data-drawn");
    for (let before = ""; before !== (await drawn()); ) {
      before = (await drawn()) ?? "";
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }
  };
  const close = async (): Promise<void> => {
    await browser.close();
    stop.abort();
    await ended;
    await server.close();
    for (const run of runs) await run.close();
  };
  return { page, go, close };
}

async function still(page: Page, name: string): Promise<void> {
  const path = join(images, `${name}.png`);
  await sharp(await page.screenshot({ timeout: 120_000 }))
    .resize(size.width)
    .png({ palette: true, quality: 95, effort: 9, dither: 0.6 })
    .toFile(path);
  console.log(`${path}: ${(statSync(path).size / 1e3).toFixed(0)} kB`);
}

async function animation(stand: Stand, frames: number): Promise<void> {
  const taken: Buffer[] = [];
  for (let frame = 0; frame < frames; frame += STEP) {
    await stand.go(frame);
    taken.push(
      await sharp(await stand.page.screenshot({ timeout: 120_000 }))
        .resize(WIDTH)
        .png()
        .toBuffer(),
    );
    if (taken.length % 10 === 0) console.log(`${taken.length} of ${Math.ceil(frames / STEP)} frames of the animation`);
  }
  const path = join(images, "viewer.webp");
  const delay = taken.map((_, i) => (i === taken.length - 1 ? 1500 : STEP * 100));
  await sharp(taken, { join: { animated: true } })
    .webp({ quality: 62, effort: 4, loop: 0, delay })
    .toFile(path);
  const bytes = statSync(path).size;
  console.log(`${path}: ${taken.length} frames, ${(bytes / 1e6).toFixed(2)} MB`);
  if (bytes > MOST_BYTES) throw new Error(`the animation weighs ${bytes} bytes, wanted ${MOST_BYTES} at most`);
}

const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const isWanted = (name: string): boolean => words.length === 0 || words.includes(name);
mkdirSync(work, { recursive: true });
const map = mapOf("drive", "--detect");

if (isWanted("animation")) {
  const stand = await show([map], 1);
  await animation(stand, 120);
  await stand.close();
}
if (isWanted("still")) {
  const stand = await show([map], 2);
  // Cubes, though that is slow without a GPU.
  await stand.page.keyboard.press("p");
  await stand.go(80);
  await still(stand.page, "viewer");
  for (const key of ["l", "v", "e"]) await stand.page.keyboard.press(key);
  await stand.go(60);
  await still(stand.page, "viewer-layers");
  await stand.close();
}
if (isWanted("compare")) {
  const stand = await show(
    [mapOf("plain"), mapOf("strict", "--occupancy-threshold", "0.6", "--free-threshold", "0.3")],
    2,
  );
  await stand.page.keyboard.press("p");
  await stand.go(80);
  await still(stand.page, "compare");
  await stand.close();
}
