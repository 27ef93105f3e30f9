import { spawn } from "node:child_process";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../config/parse.ts";
import { stereoSchema } from "../config/stereo-schema.ts";
import { Fault } from "../core/fault.ts";
import { addConfigOptions, configGiven } from "./config-options.ts";
import { packageRoot, packageVersion } from "./package-root.ts";
import { makeProgram } from "./program.ts";
import { run } from "./run.ts";

async function outcome(program: Command, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await run(program, argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

/** A program whose command `go` does as told. */
function programThat(act: (options: { json?: boolean }, command: Command) => unknown): Command {
  const group = new Command("group");
  group.addCommand(
    new Command("go").option("--size <n>", "a size").action(async (options, command) => {
      await act(options, command);
    }),
  );
  return new Command("voxelguard").option("--json").addCommand(group);
}

const broken = new Fault("Seen 3, wanted 4.", { code: "BAG_EMPTY", remedy: "Give it more." });

describe("run", () => {
  it("ends with 0 and says nothing of its own when all is well", async () => {
    expect(
      await outcome(
        programThat(() => {}),
        "group",
        "go",
      ),
    ).toEqual({ code: 0, out: "", err: "" });
  });

  it("shows a fault with its remedy, in words or as JSON", async () => {
    const fail = () => programThat(() => Promise.reject(broken));
    expect(await outcome(fail(), "group", "go")).toEqual({
      code: 1,
      out: "",
      err: "error: Seen 3, wanted 4.\nGive it more.\n[BAG_EMPTY]\n",
    });
    const { code, out, err } = await outcome(fail(), "group", "go", "--json");
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out)).toEqual({
      error: { code: "BAG_EMPTY", message: "Seen 3, wanted 4.", remedy: "Give it more." },
    });
  });

  it.each(["USAGE", "CONFIG_INVALID"] as const)("ends with 2 for %s", async (code) => {
    const program = programThat(() => {
      throw new Fault("m", { code, remedy: "r" });
    });
    expect((await outcome(program, "group", "go")).code).toBe(2);
  });

  it("owns up to defects", async () => {
    const program = programThat(() => {
      throw new TypeError("x is undefined");
    });
    const { code, err } = await outcome(program, "group", "go");
    expect(code).toBe(1);
    expect(err).toContain("voxelguard has a defect: x is undefined");
    expect(err).toContain("[INTERNAL]");
  });

  it.each([
    [["group", "go", "--sise", "3"], "unknown option '--sise'\n(Did you mean --size?)"],
    [["group", "go", "--size"], "option '--size <n>' argument missing"],
    [["grup"], "unknown command 'grup'\n(Did you mean group?)"],
    [["group", "go", "extra"], "too many arguments"],
  ])("ends with 2 for %j", async (argv, message) => {
    const { code, out, err } = await outcome(
      programThat(() => {}),
      ...argv,
    );
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${message}`);
    expect(err).toContain("--help");
    const asJson = await outcome(
      programThat(() => {}),
      ...argv,
      "--json",
    );
    expect(JSON.parse(asJson.out)).toMatchObject({
      error: { code: "USAGE", message: expect.stringContaining(message) },
    });
  });

  it("gives --json to the command wherever it stands", async () => {
    for (const argv of [
      ["--json", "group", "go"],
      ["group", "--json", "go"],
      ["group", "go", "--json"],
    ]) {
      let seen: boolean | undefined;
      const program = programThat(({ json }) => {
        seen = json;
      });
      expect((await outcome(program, ...argv)).code).toBe(0);
      expect(seen).toBe(true);
    }
  });
});

describe("the program", () => {
  it("tells its version and its commands in groups", async () => {
    expect(await outcome(makeProgram(), "--version")).toEqual({ code: 0, out: `${packageVersion()}\n`, err: "" });
    const help = await outcome(makeProgram(), "--help");
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toMatch(/Recordings:\n {2}bag /);
    expect((await outcome(makeProgram(), "bag", "info", "--help")).code).toBe(0);
  });

  it("shows the help and ends with 2 when no command is given", async () => {
    const { code, err } = await outcome(makeProgram());
    expect(code).toBe(2);
    expect(err).toContain("Usage: voxelguard");
  });
});

describe("parameters as options", () => {
  const parsed = async (...argv: string[]) => {
    let config: unknown;
    const program = programThat((_, command) => {
      config = parseConfig(stereoSchema, configGiven(command, stereoSchema), "the command line");
    });
    addConfigOptions(program.commands[0]!.commands[0]!, stereoSchema);
    return { ...(await outcome(program, "group", "go", ...argv)), config };
  };

  it("takes what is given and falls back for the rest", async () => {
    const { code, config } = await parsed(
      "--voxel-size",
      "0.1",
      "--approximate-sync",
      "--map-window",
      "40",
      "--rectify",
      "on",
    );
    expect(code).toBe(0);
    expect(config).toEqual({
      ...parseConfig(stereoSchema, {}),
      voxel_size: 0.1,
      approximate_sync: true,
      "map.window": 40,
      rectify: "on",
    });
    expect((await parsed("--no-approximate-sync")).config).toMatchObject({ approximate_sync: false });
  });

  it("reports all wrong ones at once", async () => {
    const { code, err } = await parsed("--voxel-size", "tiny", "--max-range", "-3", "--rectify", "perhaps");
    expect(code).toBe(2);
    expect(err).toContain("In the command line, 3 values are wrong:");
    expect(err).toContain('voxel_size is "tiny", wanted a number from 0.02 to 2 m');
  });
});

it("ends with 130 after Ctrl-C, once the command has closed its outputs", async () => {
  const script = `
    const { Command } = await import("commander");
    const { run } = await import("./src/cli/run.ts");
    const { interruptSignal } = await import("./src/cli/interrupt.ts");
    const program = new Command().action(async () => {
      const signal = interruptSignal();
      const alive = setInterval(() => {}, 1000);
      console.log("ready");
      await new Promise((done) => signal.addEventListener("abort", done));
      clearInterval(alive);
      console.log("closed");
    });
    process.exitCode = await run(program, []);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
    if (out === "ready\n") child.kill("SIGINT");
  });
  const code = await new Promise((done) => child.on("exit", done));
  expect([code, out]).toEqual([130, "ready\nclosed\n"]);
});

it("the main file runs from anywhere and ends with the code of the command", async () => {
  const main = join(packageRoot(), "src/cli/main.ts");
  const tsx = join(packageRoot(), "node_modules/tsx/dist/cli.mjs");
  const child = spawn(process.execPath, [tsx, main, "bag", "info", "/nowhere"], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  expect(await new Promise((done) => child.on("exit", done))).toBe(1);
  expect(err).toMatch(/^error: .*\n/);
});
