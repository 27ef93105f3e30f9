import type { StereoConfig } from "../config/stereo-schema.ts";
import { Health } from "../core/health.ts";
import type { RectifiedPair, Side, StereoInput } from "../core/ports.ts";
import { bad, type Finding, failed, ok } from "../doctor/finding.ts";
import { checkPlayback } from "../doctor/playback.ts";
import { checkPoses } from "../doctor/poses.ts";
import { checkRig } from "../doctor/rig.ts";
import { rowErrorFinding, rowErrors } from "../doctor/row-error.ts";
import { checkStamps } from "../doctor/stamps.ts";
import { alignedPair } from "../infer/align.ts";
import { type LoadedModel, loadModel } from "../infer/manifest.ts";
import { makeMatcher } from "../infer/matcher.ts";
import { type Bag, openBag } from "../io/bag.ts";
import { stereoSource } from "../io/stereo-bag.ts";
import { findStereoTopics, type GivenTopics, type StereoTopics } from "../io/stereo-topics.ts";
import { rectifiedPairs } from "../pipeline/frames.ts";
import { makeFrameCounts } from "../pipeline/frames-counts.ts";
import { autoPairing } from "../pipeline/pair.ts";
import { type Size, wantsRectification } from "../stereo/calibration.ts";
import { type BagHeaders, readHeaders } from "./doctor-headers.ts";
import { stereoModelFolder } from "./model-folder.ts";
import { frameOptions } from "./replay-run.ts";

/** Moments of the recording at which a pair is looked at, and how long one is waited for there. */
const MOMENTS = 3n;
const WITHIN_NS = 3_000_000_000n;
/** Left images for which a pose is looked up, spread over the recording. */
const MOST_POSES = 1000;

/** The stereo rig of a recording, as replay would take it. Damage and lack are findings; nothing is thrown for them. */
export async function bagFindings(path: string, given: GivenTopics, config: StereoConfig): Promise<Finding[]> {
  let bag: Bag;
  try {
    bag = await openBag(path);
  } catch (thrown) {
    return [failed("recording", thrown)];
  }
  const findings = [recordingFinding(bag)];
  try {
    const topics = findStereoTopics(bag.topics, given);
    findings.push(topicsFinding(bag, topics));
    const headers = await readHeaders(bag, topics, config["map.base_frame"]);
    findings.push(...checkStamps(headers.arrivals, { ...autoPairing, ...frameOptions(config, topics).sync }));
    const model = await loadModel(stereoModelFolder(config.model_path));
    const sample = await somePairs(bag, topics, config);
    findings.push(...rigFindings(headers, sample, topics, config, model), ...pictureFindings(sample));
    findings.push(...rowFindings(headers, sample, topics, config, model));
    findings.push(posesFinding(headers, config["map.base_frame"]));
    const playback = checkPlayback(bag.topics);
    if (playback !== undefined) findings.push(playback);
  } catch (thrown) {
    findings.push(failed(findings.length === 1 ? "topics" : "reading", thrown));
  } finally {
    await bag.close();
  }
  return [...findings, ...damageFindings(bag)];
}

function recordingFinding({ storage, topics, startNs, endNs }: Bag): Finding {
  const messages = topics.reduce((sum, { count }) => sum + count, 0);
  const seconds = (Number(endNs - startNs) / 1e9).toFixed(1);
  return ok("recording", `${storage}, ${messages} messages on ${topics.length} topics in ${seconds} s`);
}

function topicsFinding({ topics }: Bag, { left, right }: StereoTopics): Finding {
  const type = topics.find(({ name }) => name === left.image)?.type.replace("sensor_msgs/msg/", "");
  return ok("topics", `${type} ${left.image} and ${right.image}; CameraInfo ${left.info} and ${right.info}`);
}

/** What was damaged is lost, and replay ends with 1. */
function damageFindings({ faults }: Bag): Finding[] {
  return faults.map(({ code, message, remedy }) =>
    bad(code === "BAG_UNSUPPORTED" ? "warn" : "fail", "damage", message, remedy),
  );
}

/** Pairs of a few moments, rectified, and what went wrong on the way to them. */
interface Sample {
  readonly pairs: readonly RectifiedPair[];
  /** Of the first images. */
  readonly sizes: Readonly<Partial<Record<Side, Size>>>;
  readonly health: Health;
}

async function somePairs(bag: Bag, topics: StereoTopics, config: StereoConfig): Promise<Sample> {
  const pairs: RectifiedPair[] = [];
  const sizes: Partial<Record<Side, Size>> = {};
  const health = new Health();
  for (let moment = 0n; moment < MOMENTS; moment += 1n) {
    const fromNs = bag.startNs + ((bag.endNs - bag.startNs) * moment) / MOMENTS;
    const span = { want: "grey", fromNs, toNs: fromNs + WITHIN_NS } as const;
    async function* source(): AsyncGenerator<StereoInput> {
      for await (const input of stereoSource(bag, topics, span)) {
        if (input.kind === "image") sizes[input.side] ??= input.image.image;
        yield input;
      }
    }
    for await (const { pair } of rectifiedPairs(source(), frameOptions(config, topics), health, makeFrameCounts())) {
      pairs.push(pair);
      break;
    }
  }
  return { pairs, sizes, health };
}

function rigFindings(
  { infos, changes }: BagHeaders,
  { sizes }: Sample,
  topics: StereoTopics,
  config: StereoConfig,
  { manifest }: LoadedModel,
): Finding[] {
  const { left, right } = infos;
  if (left === undefined || right === undefined) {
    return [
      bad("fail", "CameraInfo", "no CameraInfo of both eyes can be read", "Check the disk that it was recorded on."),
    ];
  }
  return checkRig({
    infos: { left, right },
    sizes: sizes.left && sizes.right ? { left: sizes.left, right: sizes.right } : undefined,
    changes,
    rectify: config.rectify,
    rectifiedByName: topics.left.rectified,
    voxelSizeM: config.voxel_size,
    gridDepth: manifest.grid.size[2],
    maxDisparityPx: manifest.max_disparity_px,
  });
}

/** Told by other findings, and better. */
const toldElsewhere = ["PAIR_LONE", "STAMP_BACKWARDS", "CALIBRATION_INVALID", "CALIBRATION_MISSING", "TF_MISSING"];

function pictureFindings({ pairs, health }: Sample): Finding[] {
  const faults = health.history().filter(({ code }) => !toldElsewhere.includes(code));
  const verdict = pairs.length === 0 ? "fail" : "warn";
  return faults.map(({ where, message }) => bad(verdict, "messages", `${where}: ${message}`));
}

function rowFindings(
  { infos }: BagHeaders,
  { pairs }: Sample,
  topics: StereoTopics,
  config: StereoConfig,
  { matcher }: LoadedModel,
): Finding[] {
  if (infos.left === undefined || infos.right === undefined) return [];
  if (pairs.length === 0) {
    const seen = `not looked at: no pair within ${Number(WITHIN_NS) / 1e9} s of ${MOMENTS} moments`;
    return [bad("fail", "rectification", seen, "Mend what is named above.")];
  }
  const wasRectifiedHere = wantsRectification(infos.left, infos.right, config.rectify, topics.left.rectified);
  return [rowErrorFinding(rowErrors(pairs.map(alignedPair), makeMatcher(matcher)), wasRectifiedHere)];
}

function posesFinding({ lefts, poses }: BagHeaders, baseFrame: string): Finding {
  const step = Math.max(1, Math.ceil(lefts.length / MOST_POSES));
  const asked = lefts.filter((_, i) => i % step === 0);
  const found = asked.map(({ frameId, stampNs }) => poses.find(frameId, stampNs));
  return checkPoses(found, lefts[0]?.frameId ?? "", baseFrame);
}
