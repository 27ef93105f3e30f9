#!/usr/bin/env node
/**
 * The live detector: `defended_detector_node --ros-args -r image_rect:=/cam/left/image_rect -r points:=/stereo_voxel_node/points`.
 * Exit codes as in stereo_voxel_node.ts.
 */
import { drawnStep, openLiveDetector } from "../src/cli/live-detector.ts";
import { decodeCompressed } from "../src/io/decode-compressed.ts";
import { readCompressedImage } from "../src/msg/read-compressed-image.ts";
import { DetectorNode } from "../src/ros/detector-node.ts";
import { runNode } from "../src/ros/run-node.ts";

await runNode(
  (rcl) =>
    new DetectorNode(rcl, {
      open: openLiveDetector,
      readCompressed: (data) => decodeCompressed(readCompressedImage(data), "native"),
      drawn: drawnStep,
    }),
);
