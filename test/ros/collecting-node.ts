/** The node, which collects its garbage at SIGUSR2 and says so: what its memory holds then is in use. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
process.on("SIGUSR2", () => {
  collect();
  process.stdout.write("collected\n");
});
await import("../../nodes/stereo_voxel_node.ts");
