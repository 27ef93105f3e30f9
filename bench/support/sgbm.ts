import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonWith } from "../../test/support/python.ts";
import { type DrivePair, HEIGHT, WIDTH } from "./drive.ts";
import { root } from "./report.ts";

export interface Sgbm {
  readonly version: string;
  /** Milliseconds that OpenCV took for pair `n`, by its own process's clock. */
  run(n: number): Promise<number>;
  close(): void;
}

/** OpenCV's StereoSGBM in a Python process that waits between calls. Undefined where no Python has it. */
export async function openSgbm(pairs: readonly DrivePair[], threads: number): Promise<Sgbm | undefined> {
  const python = pythonWith("cv2", "numpy");
  if (python === undefined) return undefined;
  const script = join(root, "bench/support/sgbm_server.py");
  const child = spawn(python, [script, ...[threads, WIDTH, HEIGHT, pairs.length].map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("bench/support/sgbm_server.py ended early: its reason is printed above");
    return value as string;
  };
  child.stdin.on("error", () => {});
  for (const { left, right } of pairs) {
    child.stdin.write(left);
    child.stdin.write(right);
  }
  const version = `OpenCV ${await next()}`;
  return {
    version,
    async run(n) {
      child.stdin.write(`${n}\n`);
      const [ms, matched] = (await next()).split(" ").map(Number);
      if (!(matched! > (WIDTH * HEIGHT) / 4))
        throw new Error(`SGBM matched ${matched} pixels of pair ${n}: no fair peer`);
      return ms!;
    },
    close: () => void child.stdin.end(),
  };
}
