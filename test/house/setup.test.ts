import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "setup-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a piece of a module below tools/ in a plain Node, as the pre-scripts do. */
function evaluate(code: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root, encoding: "utf8" });
}

describe("a step", () => {
  const step = { name: "the step", inputs: ["in", "single.txt"], outputs: ["out.txt"] };
  const isDone = (): boolean => {
    const { stdout } = evaluate(
      `import { isDone } from "./tools/setup/stamp.mjs"; console.log(isDone(${JSON.stringify(folder)}, ${JSON.stringify(step)}))`,
    );
    return stdout.trim() === "true";
  };
  const remember = (): void => {
    const { status } = evaluate(
      `import { remember } from "./tools/setup/stamp.mjs"; remember(${JSON.stringify(folder)}, ${JSON.stringify(step)})`,
    );
    expect(status).toBe(0);
  };

  it("is done until an input changes or an output goes", () => {
    mkdirSync(join(folder, "in/deep"), { recursive: true });
    writeFileSync(join(folder, "in/deep/a.ts"), "1");
    writeFileSync(join(folder, "out.txt"), "");
    expect(isDone()).toBe(false);
    remember();
    expect(isDone()).toBe(true);
    writeFileSync(join(folder, "in/deep/a.test.ts"), "tests do not count");
    expect(isDone()).toBe(true);
    writeFileSync(join(folder, "in/deep/a.ts"), "2");
    expect(isDone()).toBe(false);
    remember();
    writeFileSync(join(folder, "single.txt"), "");
    expect(isDone()).toBe(false);
    remember();
    rmSync(join(folder, "out.txt"));
    expect(isDone()).toBe(false);
  });
});

describe("node_modules", () => {
  const isFresh = (lock: object, inside?: object): boolean => {
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: lock }));
    if (inside !== undefined) {
      mkdirSync(join(folder, "node_modules"), { recursive: true });
      writeFileSync(join(folder, "node_modules/.package-lock.json"), JSON.stringify({ packages: inside }));
    }
    const { stdout } = evaluate(
      `import { nodeModulesAreFresh } from "./tools/setup/node-modules.mjs"; console.log(nodeModulesAreFresh(${JSON.stringify(folder)}))`,
    );
    return stdout.trim() === "true";
  };

  it("are fresh when every version is that of the lock file, but for other platforms", () => {
    const lock = {
      "": { version: "9" },
      "node_modules/a": { version: "1" },
      "node_modules/b": { version: "2", optional: true },
    };
    expect(isFresh(lock)).toBe(false);
    expect(isFresh(lock, { "node_modules/a": { version: "1" } })).toBe(true);
    expect(isFresh(lock, { "node_modules/a": { version: "2" } })).toBe(false);
    expect(isFresh(lock, {})).toBe(false);
  });
});

describe("the lock", () => {
  const holder = (log: string, ms: number): string => `
    import { appendFileSync } from "node:fs";
    import { withLock } from "./tools/setup/lock.mjs";
    withLock(${JSON.stringify(folder)}, () => {
      appendFileSync(${JSON.stringify(log)}, "in ");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});
      appendFileSync(${JSON.stringify(log)}, "out ");
    });`;
  const start = (code: string) =>
    spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: root, stdio: "ignore" });
  const ended = (child: ReturnType<typeof spawn>) => new Promise((done) => child.on("exit", done));

  it("lets one in at a time", async () => {
    const log = join(folder, "log");
    await Promise.all([1, 2, 3].map(() => ended(start(holder(log, 150)))));
    expect(readFileSync(log, "utf8")).toBe("in out ".repeat(3));
  });

  it("is taken from an owner that is gone", async () => {
    const log = join(folder, "log");
    const killed = start(holder(log, 60_000));
    while (!existsSync(log)) await new Promise((wake) => setTimeout(wake, 20));
    killed.kill("SIGKILL");
    await ended(killed);
    expect(await ended(start(holder(log, 1)))).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("in in out ");
  });
});

describe("the whole", () => {
  it("says in words that Node is too old", () => {
    const { stdout } = evaluate(`import { nodeIsTooOld } from "./tools/setup.mjs";
      console.log(["18.19.1", "20.19.9", "20.20.0", "22.1.0"].map(nodeIsTooOld).join())`);
    expect(stdout.trim()).toBe("true,true,false,false");
  });

  it("runs with nothing installed, says what it does and passes npm's failure on", () => {
    cpSync(join(root, "tools"), join(folder, "tools"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "package-lock.json"), '{"packages":{"node_modules/a":{"version":"1"}}}');
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "npm"), '#!/bin/sh\necho "npm $* $ONNXRUNTIME_NODE_INSTALL"\nexit 7\n', { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/setup.mjs"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
    });
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("setup: npm packages ...");
    expect(stderr).toContain("npm ci --no-audit --no-fund skip");
    expect(stderr).toContain("ended with code 7");
  });
});
