/** The node, whose model's worker dies at SIGUSR2. */
import type { Worker } from "node:worker_threads";

let worker: Worker | undefined;
process.on("worker", (made) => {
  worker = made;
});
process.on("SIGUSR2", () => {
  // It chokes on this between two steps. Terminating it inside ONNX Runtime would end the process.
  worker?.postMessage(null);
});
await import("../../nodes/stereo_voxel_node.ts");
