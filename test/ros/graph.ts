import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type RosEnvironment, rosEnvironment } from "../../tools/ros/environment.mjs";

const root = join(import.meta.dirname, "../..");

/**
 * The graph that the tests run on; undefined where there is none, so that `describe.skipIf` skips with the reason
 * printed. In CI absence is an error.
 */
export function rosGraph(): RosEnvironment | undefined {
  const found = rosEnvironment();
  if (typeof found !== "string") return found;
  if (process.env["CI"] === "true") throw new Error(`${found}; in CI this test must run`);
  console.warn(`skipped: ${found}`);
  return undefined;
}

/** One domain a test process: test files that run beside each other do not meet. */
export const domain = { ROS_DOMAIN_ID: String(1 + (process.pid % 100)) };

/** An rclpy process; see peer.py. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  #stderr = "";

  constructor({ python, variables }: RosEnvironment) {
    const env = { ...process.env, ...variables, ...domain };
    this.#child = spawn(python, [join(import.meta.dirname, "peer.py")], { env });
    this.#child.stderr?.on("data", (text) => {
      this.#stderr += text;
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#waiting.shift()?.(line));
    this.#child.on("exit", (code) => {
      const said = JSON.stringify({ error: `the peer ended with ${code}: ${this.#stderr}` });
      for (const resolve of this.#waiting.splice(0)) resolve(said);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON of whatever was asked
  async do(name: string, values: object = {}): Promise<any> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify({ do: name, ...values })}\n`);
    });
    const { ok, error } = JSON.parse(line);
    if (error !== undefined) throw new Error(error);
    return ok;
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A node in a process of its own. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  /** stdout and stderr. */
  said = "";

  /** `parameters` are `-p name:=value`, everything else `more` ROS arguments. */
  constructor(
    { variables }: RosEnvironment,
    parameters: Readonly<Record<string, unknown>> = {},
    more: readonly string[] = [],
    script = join(root, "nodes/stereo_voxel_node.ts"),
  ) {
    const given = Object.entries(parameters).flatMap(([name, value]) => ["-p", `${name}:=${value}`]);
    const args = ["--import", "tsx", script, "--ros-args", ...given, ...more];
    this.#child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...variables, ...domain } });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (text) => {
        this.said += text;
      });
    }
    this.#ended = new Promise((resolve) => this.#child.on("exit", (code) => resolve(code)));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resident memory of the process, 10^6 bytes. */
  get rssMb(): number {
    const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1];
    return (Number(kb) * 1024) / 1e6;
  }

  /** Seconds that its threads, taken together, have waited for a processor (Linux: Documentation/scheduler/sched-stats). */
  get waitedS(): number {
    const tasks = readdirSync(`/proc/${this.pid}/task`);
    const waitedNs = tasks.map((task) =>
      Number(readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, "utf8").split(" ")[1]),
    );
    return waitedNs.reduce((sum, ns) => sum + ns, 0) / 1e9;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Exit code after a signal, and how many milliseconds it took. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number | null; ms: number }> {
    const began = performance.now();
    this.#child.kill(signal);
    const code = await Promise.race([this.#ended, sleep(20_000, "late" as const, { ref: false })]);
    if (code !== "late") return { code, ms: performance.now() - began };
    this.#child.kill("SIGKILL");
    throw new Error(`the node did not end within 20 s of ${signal}: ${this.said}`);
  }
}

/** Asks again until it holds; the last answer. */
export async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean, withinMs = 30_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer) || performance.now() > end) return answer;
    await sleep(100);
  }
}

/** What /diagnostics says, once its summary is as wanted or the time is over; the peer must be subscribed to it. */
export async function diagnosed(
  peer: Peer,
  holds: (summary: { message: string; values: Record<string, string> }) => boolean,
  withinMs = 30_000,
  // biome-ignore lint/suspicious/noExplicitAny: JSON of a DiagnosticArray
): Promise<{ status: any[]; message: string; values: Record<string, string> }> {
  return await until(
    async () => {
      const { status } = await peer.do("last", { topic: "/diagnostics", within: withinMs / 1e3 });
      const values = status[0].values.map(({ key, value }: { key: string; value: string }) => [key, value]);
      return { status, message: status[0].message as string, values: Object.fromEntries(values) };
    },
    holds,
    withinMs,
  );
}

/** The node's lifecycle from outside. */
export async function change(peer: Peer, node: string, id: number): Promise<boolean> {
  const request = { transition: { id } };
  const answer = await peer.do("call", {
    service: `${node}/change_state`,
    type: "lifecycle_msgs/srv/ChangeState",
    request,
    within: 60,
  });
  return answer.success;
}

export async function state(peer: Peer, node: string): Promise<string> {
  const answer = await peer.do("call", {
    service: `${node}/get_state`,
    type: "lifecycle_msgs/srv/GetState",
    within: 60,
  });
  return answer.current_state.label;
}
