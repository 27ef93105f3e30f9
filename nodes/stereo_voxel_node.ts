#!/usr/bin/env node
/**
 * The live node: `stereo_voxel_node --ros-args -r left/image_rect:=/cam/left/image_rect --params-file stereo.yaml`.
 * Exit code 0 after SIGINT or SIGTERM, 1 where it cannot run here, 2 where a parameter is wrong.
 */
import { openLiveView } from "../src/cli/live-view.ts";
import { openModel } from "../src/cli/model-folder.ts";
import { decodeCompressed } from "../src/io/decode-compressed.ts";
import { writeWhole } from "../src/io/write-whole.ts";
import { readCompressedImage } from "../src/msg/read-compressed-image.ts";
import { runNode } from "../src/ros/run-node.ts";
import { StereoNode } from "../src/ros/stereo-node.ts";

await runNode(
  (rcl) =>
    new StereoNode(rcl, {
      openModel,
      readCompressed: (data) => decodeCompressed(readCompressedImage(data), "grey"),
      writeFile: writeWhole,
      openView: openLiveView,
    }),
);
