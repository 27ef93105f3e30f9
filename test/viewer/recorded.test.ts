import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RecordedReel } from "../../src/cli/recorded-reels.ts";
import { RecordedRun } from "../../src/cli/recorded-run.ts";
import { steer, ViewerFeed } from "../../src/cli/viewer-feed.ts";
import { ViewerServer } from "../../src/server/viewer-server.ts";
import { hasBrowser } from "../support/browser.ts";
import { tempFolder } from "../support/temp.ts";
import { height, isVivid, middle, Pages, width } from "./page.ts";
import { occupiedAt, writeRecording } from "./recording.ts";
import type { StreetPoint } from "./street.ts";

/** On a busy machine. */
const patience = { timeout: 60_000 };
const folder = tempFolder();
const frames = 20;
const voxelsAt = (frame: number) => occupiedAt(frame).length.toLocaleString("en");
/** Of the camera panel's image, whose grey tells the frame. */
const greyAt = (frame: number) => 20 + frame * 10;

/** Serves recordings as `voxelguard view` does, at a crawl: nothing moves but what the page asks for. */
async function serve(pages: Pages, paths: readonly string[], speed: number) {
  const server = await ViewerServer.listen({ port: 0, viewerDir: pages.folder, steered: true });
  const runs = await Promise.all(paths.map((path) => RecordedRun.open(path)));
  const tracks = runs.map((run, i) => ({
    run,
    feed: new ViewerFeed(server, runs.length === 1 ? "" : ["/a", "/b"][i]),
    shiftNs: 0n,
  }));
  server.share(Object.fromEntries(runs.map(({ name }, i) => [`run.${"ab"[i]}`, name])));
  const stop = new AbortController();
  const playback = steer(server, new RecordedReel(server, tracks), speed, stop.signal);
  const ended = playback.run();
  const close = async (): Promise<void> => {
    stop.abort();
    await ended;
    await server.close();
    for (const run of runs) await run.close();
  };
  return { server, playback, close };
}

describe.skipIf(!hasBrowser())("a recording in the page", { timeout: 600_000 }, () => {
  let pages: Pages;
  let path: string;

  beforeAll(async () => {
    path = await writeRecording(join(folder, "map.mcap"), { frames });
    pages = await Pages.build();
  });
  afterAll(async () => await pages?.close());

  it("plays, pauses, steps, scrubs and changes speed", async () => {
    const { server, playback, close } = await serve(pages, [path], 0.1);
    const page = await pages.open(server.url);
    await page.waitForText("connection", "recording");
    await page.waitForText("time", "of 20");
    await page.press(" ");
    await page.waitForText("hint", "paused");
    await expect.poll(() => page.page.locator("#play").getAttribute("data-playing"), patience).toBe("false");

    const slider = page.page.locator("#scrub");
    await slider.fill("7");
    await page.waitForText("voxels", voxelsAt(7));
    await page.waitForText("time", /^0:00\.7 \/ 0:01\.9 {3}8 of 20$/);
    expect([await page.text("frame"), await page.text("pairs")]).toEqual(["8", "8"]);
    const isFrame = (frame: number) => (rgb: readonly number[]) => rgb.every((v) => Math.abs(v - greyAt(frame)) < 5);
    await page.see("scrubbed", (seen) => isFrame(7)(seen.at(width - 40, height - 90)), "the image of frame 7");
    await page.see("scrubbed", (seen) => seen.share(middle, isVivid) > 0.1, "the street");

    await page.press("ArrowRight", "ArrowRight");
    await page.waitForText("voxels", voxelsAt(9));
    await page.page.locator("#back").click();
    await page.waitForText("voxels", voxelsAt(8));
    await page.see("stepped", (seen) => isFrame(8)(seen.at(width - 40, height - 90)), "the image of frame 8");

    await page.press("+");
    await page.waitForText("hint", "speed: 0.25x");
    await page.page.locator("#speed").selectOption("8");
    await expect.poll(() => playback.state()["playback.speed"], patience).toBe(8);
    await page.page.locator("#play").click();
    await page.waitForText("time", "20 of 20");
    await page.waitForText("voxels", voxelsAt(19));
    await expect.poll(() => page.page.locator("#play").getAttribute("data-playing"), patience).toBe("false");
    expect(page.errors).toEqual([]);
    await page.close();
    await close();
  });

  it("shows what the run said of itself, and free space and voxels in the image when asked", async () => {
    const { server, playback, close } = await serve(pages, [path], 0.1);
    playback.set("playback.playing", false);
    playback.set("playback.frame", 12);
    const page = await pages.open(server.url);
    await page.waitForText("health", "/right/image_rect: no partner within 20 ms");
    await page.waitForText("stages", "network32");
    const isDot = (r: number, g: number, b: number) => b > r + 40 && g > r + 20;
    await page.press("c", "c");
    await page.waitForText("legend", "free (E)");
    const isOrange = (r: number, g: number, b: number) => r > b + 25 && r > g + 10;
    const before = await page.see(
      "layers-off",
      (seen) => seen.share(middle, isOrange) > 0.1,
      "the street, all occupied",
    );
    await page.press("e");
    await page.see(
      "free",
      (seen) => seen.share(middle, isDot) > before.share(middle, isDot) + 0.0005,
      "dots of free space",
    );
    expect(await page.page.locator("#layers button", { hasText: "free space" }).getAttribute("aria-pressed")).toBe(
      "true",
    );

    const inImage = [0.67, 0.65, 0.98, 0.89] as const;
    const plain = (await page.shoot("plain")).share(inImage, isOrange);
    await page.page.locator("#layers button", { hasText: "in image" }).click();
    await page.see("in-image", (seen) => seen.share(inImage, isOrange) > plain + 0.1, "voxels in the image");
    const isYellow = (r: number, g: number, b: number) => Math.hypot(r - 255, g - 209, b - 102) < 40;
    expect((await page.shoot("boxes")).share(inImage, isYellow)).toBeGreaterThan(0.001);
    await page.press("b", "v");
    await page.see("no-boxes", (seen) => seen.share(inImage, isYellow) === 0, "no box");
    await page.press("i");
    await expect.poll(() => page.page.locator("#camera").isVisible(), patience).toBe(false);
    expect(page.errors).toEqual([]);
    await page.close();
    await close();
  });

  it("is readable in the light, and remembers that", async () => {
    const { server, playback, close } = await serve(pages, [path], 0.1);
    playback.set("playback.playing", false);
    playback.set("playback.frame", 5);
    const page = await pages.open(server.url, "light");
    await page.waitForText("voxels", voxelsAt(5));
    const isLight = (r: number, g: number, b: number) => Math.min(r, g, b) > 200;
    const sky = [0.3, 0.02, 0.7, 0.08] as const;
    await page.see("light", (seen) => seen.share(sky, isLight) > 0.9, "a light sky");
    await page.press("l");
    await page.see("dark", (seen) => seen.share(sky, isLight) < 0.1, "a dark sky");
    await page.page.reload();
    await page.waitForText("voxels", voxelsAt(5));
    await page.see("dark-again", (seen) => seen.share(sky, isLight) < 0.1, "a dark sky after the page is loaded anew");
    await page.close();
    await close();
  });

  it("compares two: what only one of them holds is in its colour, in step", async () => {
    const isHouse = ({ y }: StreetPoint) => y > 5.5;
    const isPole = ({ y, p }: StreetPoint) => y < -3.5 && p === 0.6;
    const [a, b] = [join(folder, "a.mcap"), join(folder, "b.mcap")];
    await writeRecording(a, { frames, without: isPole });
    await writeRecording(b, { frames, without: isHouse });
    const { server, playback, close } = await serve(pages, [a, b], 0.1);
    playback.set("playback.playing", false);
    playback.set("playback.frame", 10);
    const page = await pages.open(server.url);
    const all = occupiedAt(10);
    const count = (test: (point: StreetPoint) => boolean) => all.filter(test).length.toLocaleString("en");
    await page.waitForText("only-a", count(isHouse));
    await page.waitForText("only-b", count(isPole));
    expect([await page.text("voxels-a"), await page.text("voxels-b")]).toEqual([
      count((point) => !isPole(point)),
      count((point) => !isHouse(point)),
    ]);
    expect([await page.text("name-a"), await page.text("name-b")]).toEqual(["a.mcap", "b.mcap"]);
    const [left, right] = [[0.01, 0.34, 0.29, 0.9] as const, [0.51, 0.34, 0.79, 0.9] as const];
    const isOrange = (r: number, g: number, b: number) => r > g + 40 && g > b && r > 120;
    const isBlue = (r: number, g: number, b: number) => b > r + 60 && b > g + 30;
    await page.press("o");
    const seen = await page.see("compared", (now) => now.share(left, isOrange) > 0.01, "the houses on the left");
    expect(seen.share(right, isOrange)).toBeLessThan(seen.share(left, isOrange) / 10);
    await page.see("compared", (now) => now.share([0.7, 0.34, 0.98, 0.74], isBlue) > 0.001, "the poles on the right");

    await page.press("ArrowRight");
    const next = occupiedAt(11).filter(isHouse).length.toLocaleString("en");
    await page.waitForText("only-a", next);
    await page.press("c");
    await page.waitForText("legend", "height");
    expect(page.errors).toEqual([]);
    await page.close();
    await close();
  });
});
