import { Fault } from "../core/fault.ts";
import { loadRclnodejs } from "./environment.ts";
import type { Rclnodejs } from "./rclnodejs.ts";

/** What a process runs until a signal ends it. */
export interface RunningNode {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the node and runs it; the process ends with 0 after SIGINT or SIGTERM. A Fault is printed, and ends it with 1 or 2. */
export async function runNode(make: (rcl: Rclnodejs) => RunningNode): Promise<void> {
  try {
    const rcl = await loadRclnodejs();
    await rcl.init();
    const node = make(rcl);
    rcl.removeSignalHandlers();
    let isStopping = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, async () => {
        // A second signal does not wait.
        if (isStopping) process.exit(130);
        isStopping = true;
        await node.stop();
        rcl.shutdown();
        process.exit(0);
      });
    }
    await node.start();
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    process.stderr.write(`error: ${thrown.message}\n${thrown.remedy}\n[${thrown.code}]\n`);
    process.exit(thrown.code === "CONFIG_INVALID" ? 2 : 1);
  }
}
