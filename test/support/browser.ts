import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const path = process.env["VOXELGUARD_CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether there is a browser; if not, the reason is printed. In CI absence is an error. */
export function hasBrowser(): boolean {
  if (existsSync(path)) return true;
  const reason = `the viewer page needs a browser, ${path} is absent (VOXELGUARD_CHROMIUM names another)`;
  if (process.env["CI"] === "true") throw new Error(`${reason}; in CI this test must run`);
  console.warn(`skipped: ${reason}`);
  return false;
}

/** Chromium without a screen, WebGL in software. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: path,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
    ],
  });
}
