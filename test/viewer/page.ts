import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { build } from "vite";
import { launchBrowser } from "../support/browser.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Where the pictures of a test run go, to be looked at. */
const shots = join(root, "out/test/viewer");
export const [width, height] = [1280, 720];

/** On a busy machine, drawing in software. */
const patienceMs = 180_000;

/** Between the panels. */
export const middle = [0.25, 0.1, 0.62, 0.9] as const;
/** Colours that only voxels have: the background, grid and panels are nearly grey. */
export const isVivid = (r: number, g: number, b: number): boolean => Math.max(r, g, b) - Math.min(r, g, b) > 45;

export interface Pixels {
  readonly at: (x: number, y: number) => readonly [number, number, number];
  /** Share of the pixels of a region, in fractions of the page, for which `test` holds. */
  readonly share: (
    region: readonly [left: number, top: number, right: number, bottom: number],
    test: (r: number, g: number, b: number) => boolean,
  ) => number;
}

/** The built page and a browser. */
export class Pages {
  readonly folder: string;
  readonly #browser: Browser;

  static async build(): Promise<Pages> {
    mkdirSync(shots, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), "viewer-page-"));
    await build({
      configFile: join(root, "src/viewer/vite.config.ts"),
      root: join(root, "src/viewer"),
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: true },
    });
    return new Pages(folder, await launchBrowser());
  }

  private constructor(folder: string, browser: Browser) {
    this.folder = folder;
    this.#browser = browser;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async open(url: string, theme: "dark" | "light" = "dark"): Promise<OpenPage> {
    const page = await this.#browser.newPage({ viewport: { width, height }, colorScheme: theme });
    const opened = new OpenPage(page);
    page.setDefaultTimeout(patienceMs);
    await page.goto(url, { waitUntil: "domcontentloaded" });
    return opened;
  }
}

/** A page, and what one looks for in it. Waits for what must hold; never for a time. */
export class OpenPage {
  readonly page: Page;
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
  }

  async text(id: string): Promise<string | null> {
    return await this.page.locator(`#${id}`).textContent();
  }

  async waitForText(id: string, text: string | RegExp): Promise<void> {
    await this.page.locator(`#${id}`, { hasText: text }).waitFor({ timeout: patienceMs });
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async shoot(name: string): Promise<Pixels> {
    const png = await this.page.screenshot({ path: join(shots, `${name}.png`), timeout: patienceMs });
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

  /** Takes pictures until one shows what is wanted; fails with `what` after a while. */
  async see(name: string, holds: (pixels: Pixels) => boolean, what: string): Promise<Pixels> {
    for (const end = Date.now() + patienceMs; ; ) {
      const pixels = await this.shoot(name);
      if (holds(pixels)) return pixels;
      if (Date.now() > end) throw new Error(`never seen: ${what}; see ${join(shots, `${name}.png`)}`);
    }
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
