/**
 * The viewer: what eight clients and one that does not read cost the pipeline, and how fast the page draws 100,000
 * voxels without a GPU (chromium, WebGL in software). `--frames N` for a shorter drive.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { frameOfStep } from "../src/cli/feed-frame.ts";
import { stereoModelFolder } from "../src/cli/model-folder.ts";
import { replay } from "../src/cli/replay-run.ts";
import { openViewer, ViewerFeed } from "../src/cli/viewer-feed.ts";
import { defaultsOf } from "../src/config/parse.ts";
import { stereoSchema } from "../src/config/stereo-schema.ts";
import { Health } from "../src/core/health.ts";
import { openStereoModel } from "../src/infer/stereo-model.ts";
import { writePointCloud2 } from "../src/msg/write-cloud.ts";
import { writeString } from "../src/msg/write-string.ts";
import { hasBrowser, launchBrowser } from "../test/support/browser.ts";
import { demoBag } from "./support/drive.ts";
import { machineNow, median, root, type SummaryLine, writeReport } from "./support/report.ts";

// Fixed settings: do not change them, or figures of different days say nothing.
const FRAMES = 100;
/** Frames in a row with, and then as many without clients. */
const TURN = 10;
const CLIENTS_MAY_COST = 1.05;
const VOXELS = 100_000;
const WANTED_FPS = 10;
const VIEW_S = 8;

const { values: options } = parseArgs({ options: { frames: { type: "string" } }, strict: false });
const frames = Number(options["frames"] ?? FRAMES);
if (!(Number.isInteger(frames) && frames >= 4 * TURN))
  throw new Error(`--frames is ${options["frames"]}, wanted ${4 * TURN} or more`);
const machine = machineNow();

const clients = await withClients();
const fps = hasBrowser() ? await drawn() : undefined;
const summary: SummaryLine[] = [
  {
    name: "viewer, CPU time of a pair with 8 clients and one that does not read",
    ours: `${clients.withMs.toFixed(1)} ms`,
    peer: `${clients.withoutMs.toFixed(1)} ms`,
    value: `${clients.ratio.toFixed(3)}x`,
    limit: `<= ${CLIENTS_MAY_COST}x`,
    verdict: clients.ratio <= CLIENTS_MAY_COST ? "ok" : "short",
  },
  {
    name: `viewer, ${VOXELS} voxels drawn in software, 1280x720`,
    ours: fps === undefined ? "" : `${fps.toFixed(1)} fps`,
    peer: "",
    value: fps === undefined ? "" : `${fps.toFixed(1)}/s`,
    limit: `>= ${WANTED_FPS}/s`,
    verdict: fps === undefined ? "missing" : fps >= WANTED_FPS ? "ok" : "short",
  },
];
writeReport(
  "viewer",
  { machine, settings: { frames, turn: TURN, voxels: VOXELS }, results: { clients, fps } },
  summary,
);

/**
 * The demo drive through the whole pipeline, every frame offered to the page; in turns with the clients of another
 * process and without. CPU time of this process alone, all its threads: other programs do not count.
 */
async function withClients() {
  const model = await openStereoModel(stereoModelFolder(undefined), { threads: 2 });
  const server = await openViewer({ port: 0 });
  const feed = new ViewerFeed(server);
  const others = spawn(
    process.execPath,
    ["--import", "tsx", join(root, "bench/support/viewer-clients.ts"), server.url],
    {
      cwd: root,
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  await once(others.stdout, "data");
  const cpuMs: Record<"on" | "off", number[]> = { on: [], off: [] };
  let before = process.cpuUsage();
  let last: Awaited<ReturnType<typeof frameOfStep>> | undefined;
  const stop = new AbortController();
  await replay({
    bag: demoBag,
    topics: {},
    config: defaultsOf(stereoSchema),
    model,
    health: new Health(),
    signal: stop.signal,
    onStep: async (step, { steps }) => {
      if (last !== undefined && Math.floor((steps - 2) / TURN) % 2 === 0) feed.show(last);
      last = await frameOfStep(step, {});
      const { user, system } = process.cpuUsage(before);
      // The first of a turn has work of the turn before in it.
      if (steps > TURN && (steps - 1) % TURN !== 0) {
        cpuMs[Math.floor((steps - 1) / TURN) % 2 === 0 ? "on" : "off"].push((user + system) / 1e3);
      }
      before = process.cpuUsage();
      if (steps === frames) stop.abort();
    },
  });
  others.stdin.write("count\n");
  const [answer] = await once(others.stdout, "data");
  const received = JSON.parse(String(answer)) as number[];
  if (received.length !== 8 || Math.min(...received) === 0) throw new Error(`the clients received ${answer}`);
  const { droppedCount } = server;
  others.kill();
  await server.close();
  await model.close();
  const [withMs, withoutMs] = [median(cpuMs.on), median(cpuMs.off)];
  console.log(
    `a pair takes ${withMs.toFixed(1)} ms of CPU with 8 clients and one that does not read, ${withoutMs.toFixed(1)} ms without (medians of ${cpuMs.on.length} and ${cpuMs.off.length}); each reader received ${Math.min(...received)}..${Math.max(...received)} frames, ${droppedCount} messages for the one that does not read were dropped`,
  );
  return { withMs, withoutMs, ratio: withMs / withoutMs, received, droppedCount };
}

/** Frames that the page draws a second while it is turned by the mouse. */
async function drawn(): Promise<number> {
  const server = await openViewer({ port: 0 });
  const feed = new ViewerFeed(server);
  const browser = await launchBrowser();
  try {
    const header = { stampNs: 0n, frameId: "odom" };
    const status = writeString(JSON.stringify({ frame: 1, voxelSizeM: 0.5 }));
    feed.show({ stampNs: 0n, messages: { voxels: writePointCloud2(header, ground()), status }, bytes: 0 });
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    await page.goto(server.url);
    await page.locator("#voxels", { hasText: VOXELS.toLocaleString("en") }).waitFor({ timeout: 60_000 });
    const count = async () => Number(await page.locator("#scene").getAttribute("data-drawn"));
    await page.mouse.move(640, 300);
    await page.mouse.down();
    const turn = async (untilMs: number): Promise<void> => {
      for (let i = 0; performance.now() < untilMs; i += 1) await page.mouse.move(640 + 200 * Math.sin(i / 20), 300);
    };
    await turn(performance.now() + 2000);
    const [first, began] = [await count(), performance.now()];
    await turn(began + VIEW_S * 1000);
    const fps = ((await count()) - first) / ((performance.now() - began) / 1e3);
    await page.screenshot({ path: join(root, "out/bench/viewer.png") });
    console.log(`${VOXELS} voxels, turned by the mouse: ${fps.toFixed(1)} frames a second`);
    return fps;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Hills of voxels around the origin, 158 m on a side. */
function ground() {
  const xyz = new Float32Array(VOXELS * 3);
  const value = new Float32Array(VOXELS).fill(0.9);
  const side = Math.ceil(Math.sqrt(VOXELS));
  for (let i = 0; i < VOXELS; i += 1) {
    const [x, y] = [(i % side) - side / 2, Math.floor(i / side) - side / 2];
    const z = Math.round(4 * Math.sin(x / 19) * Math.cos(y / 23));
    xyz.set([x / 2, y / 2, z / 2], i * 3);
  }
  return { count: VOXELS, xyz, value };
}
