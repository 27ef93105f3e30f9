/**
 * Public entry points of the package: bag in, map out, from code. Shapes, units and frames stand at each declaration.
 */
export type { CameraInfo, StereoCalibration } from "./core/calibration.ts";
export { Fault, type FaultCode, type FaultDetail } from "./core/fault.ts";
export { Health, type HealthLevel, type StandingFault } from "./core/health.ts";
export type { Header, Image, StampedImage } from "./core/image.ts";
export { FREE, OCCUPIED, type OctreeFrame, type OctreeGrid, type State, UNKNOWN } from "./core/occupancy.ts";
export type {
  AnswerWants,
  DisparityMap,
  LevelAnswer,
  RectifiedPair,
  Rejection,
  Side,
  StampedTransform,
  StereoAnswer,
  StereoInput,
  StereoModel,
  StereoPair,
} from "./core/ports.ts";
export { type Quantiles, StageTimes } from "./core/stage-times.ts";
export type { Transform } from "./core/transform.ts";
export type { View } from "./core/view.ts";
export { openStereoModel, type StereoModelOptions } from "./infer/stereo-model.ts";
export { type Bag, openBag } from "./io/bag.ts";
export type { BagMessage, BagTopic, MessageFilter } from "./io/bag-file.ts";
export { McapSink, type McapSinkOptions, type SinkTopicOptions } from "./io/mcap-writer.ts";
export { type StereoSourceOptions, stereoSource } from "./io/stereo-bag.ts";
export {
  type EyeTopics,
  findStereoTopics,
  type GivenTopics,
  type NamedTopic,
  type StereoTopics,
} from "./io/stereo-topics.ts";
export type { ImageWant } from "./msg/read-image.ts";
export type { DecayOptions } from "./octree/decay.ts";
export { DistanceField } from "./octree/distance.ts";
export { GroundProjector } from "./octree/ground.ts";
export type { GroundOptions } from "./octree/ground-slope.ts";
export type { MapOptions as OccupancyMapOptions } from "./octree/map-options.ts";
export { type InsertResult, OccupancyMap } from "./octree/occupancy-map.ts";
export type { OctomapLeaves } from "./octree/octomap-read.ts";
export { makePointList, type PointList } from "./octree/points.ts";
export { makeProjection, type Projection, projectInto } from "./octree/project.ts";
export { boxInto, type CellAnswers, makeCellAnswers, queryKeysInto, queryPointsInto } from "./octree/query.ts";
export { rectifiedPairs } from "./pipeline/frames.ts";
export type { FrameOptions, PosedPair } from "./pipeline/frames-assemble.ts";
export { type FrameCounts, makeFrameCounts } from "./pipeline/frames-counts.ts";
export type { SavedMap } from "./pipeline/map-file.ts";
export { MapOutputs, type OutputMessage, type OutputOptions } from "./pipeline/map-outputs.ts";
export { type MapOptions, type MapStep, mapSteps } from "./pipeline/map-steps.ts";
export type { PairOptions } from "./pipeline/pair.ts";
export type { ImageDropCause, PairEvent } from "./pipeline/pair-drop.ts";
export type { TfOptions } from "./pipeline/tf-buffer.ts";
export { type DecodeLimits, makeOctreeDecoder } from "./stereo/decode-octree.ts";
