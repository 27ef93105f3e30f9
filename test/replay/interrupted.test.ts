import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, vi } from "vitest";
import { openModel, stereoModelFolder } from "../../src/cli/model-folder.ts";
import { replay } from "../../src/cli/replay-run.ts";
import { defaultsOf } from "../../src/config/parse.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";
import { Health } from "../../src/core/health.ts";
import { openStereoModel } from "../../src/infer/stereo-model.ts";
import { tempFolder } from "../support/temp.ts";
import { drive, writeBag } from "./drive.ts";
import { start } from "./program.ts";
import { countsOf, readMap } from "./read-map.ts";

vi.setConfig({ testTimeout: 240_000 });
const folder = tempFolder();
const at = (name: string) => join(folder, name);

/** The model's worker is ended with the `nth` pair in its hands. */
function killWorkerAt(nth: readonly number[]): { readonly jobs: () => number } {
  let jobs = 0;
  const post = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, ...message) {
    if ("view" in message[0]) jobs += 1;
    // Before the network has begun on it: ONNX Runtime does not survive it in the middle.
    if ("view" in message[0] && nth.includes(jobs)) void this.terminate();
    else post.apply(this, message);
  });
  return { jobs: () => jobs };
}

describe("a worker that dies", () => {
  it("costs the pair in its hands; the gap is said and the drive goes on", async () => {
    const bag = await writeBag(at("dies.mcap"), await drive({ pairs: 40 }));
    const config = defaultsOf(stereoSchema);
    const health = new Health();
    const model = await openModel(config);
    const killed = killWorkerAt([3, 4]);
    try {
      const stamps: bigint[] = [];
      const out = at("dies.out.mcap");
      const onStep = ({ header }: { header: { stampNs: bigint } }) => void stamps.push(header.stampNs);
      const run = await replay({ bag, topics: {}, config, model, health, out, onStep });
      expect(killed.jobs()).toBe(40);
      expect(run.counts).toEqual({ seen: 40, processed: 38, dropped: { model_failed: 2 }, images: 80 });
      expect(stamps.map((ns) => Number((ns - stamps[0]!) / 100_000_000n))).toEqual([
        0,
        1,
        ...Array.from({ length: 36 }, (_, i) => i + 4),
      ]);
      expect(health.history()).toEqual([expect.objectContaining({ where: "model", code: "WORKER_DIED", count: 2 })]);
      // Over, after thirty pairs without another.
      expect(health.list()).toEqual([]);
      expect(await countsOf(out)).toMatchObject({ points: 38, octomap_binary: 38, "/tf": 40 });
      const { messages } = await readMap(out);
      const said = messages.get("/diagnostics")!.map(({ message }) => JSON.stringify(message["status"]));
      expect(said.map((text) => text.includes("WORKER_DIED")).slice(0, 4)).toEqual([false, false, true, true]);
    } finally {
      vi.restoreAllMocks();
      await model.close();
    }
  });

  it("or that hangs: it is replaced", async () => {
    const bag = await writeBag(at("hangs.mcap"), await drive({ pairs: 4 }));
    const config = defaultsOf(stereoSchema);
    const health = new Health();
    const model = await openStereoModel(stereoModelFolder(undefined), { threads: 1, answerWithinMs: 2000 });
    const post = Worker.prototype.postMessage;
    let jobs = 0;
    vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, ...message) {
      if ("view" in message[0]) jobs += 1;
      // The second pair never arrives, so that no answer comes.
      if (jobs !== 2) post.apply(this, message);
    });
    try {
      const run = await replay({ bag, topics: {}, config, model, health });
      expect(run.counts).toEqual({ seen: 4, processed: 3, dropped: { model_failed: 1 }, images: 8 });
      expect(health.list()).toEqual([
        expect.objectContaining({ code: "WORKER_DIED", message: expect.stringContaining("no answer for 2 s") }),
      ]);
    } finally {
      vi.restoreAllMocks();
      await model.close();
    }
  });

  it("for good: no map, the fault is the model's, nothing hangs", async () => {
    const bag = await writeBag(at("dead.mcap"), await drive({ pairs: 4 }));
    const config = defaultsOf(stereoSchema);
    const model = await openModel(config);
    killWorkerAt([1, 2, 3, 4]);
    try {
      const done = replay({ bag, topics: {}, config, model, health: new Health() });
      await expect(done).rejects.toMatchObject({ code: "WORKER_DIED" });
    } finally {
      vi.restoreAllMocks();
      await model.close();
    }
  });
});

describe.concurrent("Ctrl-C in the middle", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s: exit code 130, output and report complete", async (signal) => {
    const bag = await writeBag(at(`${signal}.mcap`), await drive({ pairs: 200 }));
    const [out, report] = [at(`${signal}.out.mcap`), at(`${signal}.json`)];
    const running = start("replay", bag, "--rate", "1", "--out", out, "--report", report);
    while (!existsSync(`${out}.part`) && running.child.exitCode === null) await pause(50);
    await pause(3000);
    running.child.kill(signal);
    const { code, err } = await running.outcome;
    expect([code, err]).toEqual([130, ""]);
    expect(existsSync(`${out}.part`)).toBe(false);
    const { pairs } = JSON.parse(readFileSync(report, "utf8"));
    expect(pairs.processed).toBeGreaterThan(0);
    expect(pairs.processed).toBeLessThan(200);
    expect(pairs.seen).toBe(pairs.processed + (pairs.dropped.stopped_pair ?? 0));
    expect(["stopped", "stopped_pair"]).toEqual(expect.arrayContaining(Object.keys(pairs.dropped)));
    expect(await countsOf(out)).toMatchObject({ points: pairs.processed, "/diagnostics": pairs.processed });
  });

  it("while it waits for a frame of a slow replay", async () => {
    const bag = await writeBag(at("slow.mcap"), await drive({ pairs: 4 }));
    const out = at("slow.out.mcap");
    // A tenth of a second lasts two hours.
    const running = start("replay", bag, "--rate", "0.00001", "--out", out);
    while (!existsSync(`${out}.part`) && running.child.exitCode === null) await pause(50);
    await pause(1000);
    running.child.kill("SIGINT");
    expect((await running.outcome).code).toBe(130);
    expect(existsSync(out)).toBe(true);
  });
});

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
