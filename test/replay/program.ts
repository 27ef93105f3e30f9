import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.ts";

/** Longer than any of these runs takes on a machine that does other things, too. */
const limitMs = 240_000;

export interface Outcome {
  /** Undefined: it had to be killed, because it hung. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** What stderr has said so far. */
  err(): string;
}

/** The program as a process of its own; what does not end within the time limit is killed. */
export function start(...argv: readonly string[]): Running {
  const main = join(packageRoot(), "src/cli/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", main, ...argv], {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err, isHung] = ["", "", false];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const timer = setTimeout(() => {
    isHung = true;
    child.kill("SIGKILL");
  }, limitMs);
  const outcome = new Promise<Outcome>((done) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code: isHung ? undefined : (code ?? undefined), out, err });
    });
  });
  return { child, outcome, err: () => err };
}

export async function voxelguard(...argv: readonly string[]): Promise<Outcome> {
  return await start(...argv).outcome;
}

export interface Refusal {
  readonly exit: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What a replay that cannot be done says. */
export async function refusal(...argv: readonly string[]): Promise<Refusal> {
  const { code: exit, out, err } = await voxelguard("replay", ...argv, "--json");
  if (exit === undefined || err !== "") throw new Error(`it ${exit === undefined ? "hung" : "said"}: ${err}`);
  return { exit, ...(JSON.parse(out) as { error: Omit<Refusal, "exit"> }).error };
}
