#!/usr/bin/env node
/**
 * The live node: `stereo_voxel_node --ros-args -r left/image_rect:=/cam/left/image_rect --params-file stereo.yaml`.
 * Exit code 0 after SIGINT or SIGTERM, 1 where it cannot run here, 2 where a parameter is wrong.
 */
import { openModel } from "../src/cli/model-folder.ts";
import { Fault } from "../src/core/fault.ts";
import { decodeCompressed } from "../src/io/decode-compressed.ts";
import { writeWhole } from "../src/io/write-whole.ts";
import { readCompressedImage } from "../src/msg/read-compressed-image.ts";
import { loadRclnodejs } from "../src/ros/environment.ts";
import { StereoNode } from "../src/ros/stereo-node.ts";

try {
  const rcl = await loadRclnodejs();
  await rcl.init();
  const node = new StereoNode(rcl, {
    openModel,
    readCompressed: (data) => decodeCompressed(readCompressedImage(data), "grey"),
    writeFile: writeWhole,
  });
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
