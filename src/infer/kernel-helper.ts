/** Helper thread of a kernel: sleeps until a run opens, takes its share of the items, sleeps again; never returns. */
import { workerData } from "node:worker_threads";
import { startKernel } from "./kernel-module.ts";
import { giveUp, waitForRun, work } from "./kernel-schedule.ts";

export interface HelperSetup {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly part: number;
  readonly timeoutMs: number;
}

const { module, memory, control, part, timeoutMs } = workerData as HelperSetup;
try {
  const kernel = startKernel(module, memory);
  for (let run = waitForRun(control, 0); ; run = waitForRun(control, run)) {
    work(kernel, control, part, timeoutMs);
  }
} catch (thrown) {
  giveUp(control);
  throw thrown;
}
