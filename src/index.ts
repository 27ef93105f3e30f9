/**
 * Public entry points of the package: bag in, map out, from code. Shapes, units and frames stand at each declaration.
 */
export type { CameraInfo, StereoCalibration } from "./core/calibration.ts";
export { Fault, type FaultCode } from "./core/fault.ts";
export { Health, type StandingFault } from "./core/health.ts";
export type { Image, StampedImage } from "./core/image.ts";
export { FREE, OCCUPIED, type OctreeFrame, type OctreeGrid, UNKNOWN } from "./core/occupancy.ts";
export type { RectifiedPair, StereoInput, StereoModel, StereoPair } from "./core/ports.ts";
export { openStereoModel } from "./infer/stereo-model.ts";
export { type Bag, openBag } from "./io/bag.ts";
export { McapSink } from "./io/mcap-writer.ts";
export { stereoSource } from "./io/stereo-bag.ts";
export { findStereoTopics } from "./io/stereo-topics.ts";
export { OccupancyMap } from "./octree/occupancy-map.ts";
export { makePointList } from "./octree/points.ts";
export { boxInto, makeCellAnswers, queryKeysInto, queryPointsInto } from "./octree/query.ts";
export { rectifiedPairs } from "./pipeline/frames.ts";
export { MapOutputs } from "./pipeline/map-outputs.ts";
export { type MapStep, mapSteps } from "./pipeline/map-steps.ts";
export { makeOctreeDecoder } from "./stereo/decode-octree.ts";
