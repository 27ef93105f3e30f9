/** The node, whose model's worker dies over the next pair after SIGUSR2. */
import type { Worker } from "node:worker_threads";

let worker: Worker | undefined;
process.on("worker", (made) => {
  worker = made;
});
process.on("SIGUSR2", () => {
  const dying = worker!;
  const send = dying.postMessage.bind(dying);
  // It chokes on the second message with the pair in work. Terminating it inside ONNX Runtime would end the process.
  dying.postMessage = (job) => {
    send(job);
    send(null);
  };
});
await import("../../nodes/stereo_voxel_node.ts");
