import { setTimeout } from "node:timers/promises";
import type { DetectorConfig } from "../config/detector-schema.ts";
import { type StereoConfig, stereoSchema } from "../config/stereo-schema.ts";
import { Fault } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { StereoInput, StereoModel } from "../core/ports.ts";
import { StageTimes } from "../core/stage-times.ts";
import type { ObjectStatus } from "../detect/objects.ts";
import { type Bag, openBag } from "../io/bag.ts";
import { stereoSource } from "../io/stereo-bag.ts";
import { findStereoTopics, type GivenTopics, type StereoTopics } from "../io/stereo-topics.ts";
import { type MapOutput, recordedOutputs } from "../msg/map-messages.ts";
import { detectOptions } from "../pipeline/detect-options.ts";
import { DetectSteps } from "../pipeline/detect-steps.ts";
import { rectifiedPairs } from "../pipeline/frames.ts";
import type { PosedPair } from "../pipeline/frames-assemble.ts";
import { type FrameCounts, makeFrameCounts } from "../pipeline/frames-counts.ts";
import type { DetectStep, Look, OpenDetector } from "../pipeline/live-detect.ts";
import type { SavedMap } from "../pipeline/map-file.ts";
import { MapOutputs } from "../pipeline/map-outputs.ts";
import { type MapStep, mapSteps } from "../pipeline/map-steps.ts";
import { autoPairing } from "../pipeline/pair.ts";
import { mapOptions, outputOptions } from "../pipeline/stereo-options.ts";
import { ReplayOutput } from "./replay-output.ts";

export interface ReplayOptions {
  readonly bag: string;
  readonly topics: GivenTopics;
  readonly config: StereoConfig;
  readonly model: StereoModel;
  readonly health: Health;
  /** Looks for objects beside the map. */
  readonly detect?: { readonly detector: OpenDetector; readonly config: DetectorConfig };
  /** What the map holds before the first pair. */
  readonly start?: SavedMap;
  /** mcap to write; none is written without. */
  readonly out?: string;
  /** Speed against the recording; as fast as it goes if left out. */
  readonly rate?: number;
  /** Hears of every step before the next begins; the step and its objects are valid until the promise resolves. */
  readonly onStep?: (step: MapStep, run: ReplayRun, objects?: DetectStep) => Promise<void> | void;
  /** When it aborts, what is in work is finished and the output closed. */
  readonly signal?: AbortSignal;
}

/** What a replay has done so far. */
export interface ReplayRun {
  readonly bag: Bag;
  readonly topics: StereoTopics;
  readonly counts: FrameCounts;
  readonly times: StageTimes;
  /** Milliseconds from the pair being complete to its outputs being written, per pair. */
  readonly age: StageTimes;
  readonly beganMs: number;
  /** Set when the last pair is done. */
  endedMs: number | undefined;
  maxRssMb: number;
  /** Pairs in the map so far. */
  steps: number;
  /** Objects by status, over all images, and images with something masked. */
  readonly objects: Record<ObjectStatus | "masked", number>;
}

const written: ReadonlySet<MapOutput> = new Set(recordedOutputs);

/** Replays a bag through the model into a map, as fast as it goes: every pair, in order. */
export async function replay(options: ReplayOptions): Promise<ReplayRun> {
  const bag = await openBag(options.bag);
  let output: ReplayOutput | undefined;
  try {
    const topics = findStereoTopics(bag.topics, options.topics);
    if (options.out !== undefined)
      output = await ReplayOutput.open(options.out, options.bag, options.detect !== undefined);
    const run = await pump(bag, topics, output, options);
    await output?.close();
    return run;
  } catch (thrown) {
    await output?.abandon();
    throw thrown;
  } finally {
    await bag.close();
  }
}

async function pump(
  bag: Bag,
  topics: StereoTopics,
  output: ReplayOutput | undefined,
  options: ReplayOptions,
): Promise<ReplayRun> {
  const { config, model, health, signal } = options;
  const run: ReplayRun = {
    bag,
    topics,
    counts: makeFrameCounts(),
    times: new StageTimes(() => performance.now()),
    age: new StageTimes(),
    beganMs: performance.now(),
    endedMs: undefined,
    maxRssMb: 0,
    steps: 0,
    objects: { seen: 0, held: 0, demoted: 0, masked: 0 },
  };
  const started = new Map<bigint, number>();
  const seeing = options.detect && stepsOf(options.detect, config);
  const pace = makePace(options.rate, signal);

  async function* source(): AsyncGenerator<StereoInput> {
    for await (const input of stereoSource(bag, topics, { want: seeing === undefined ? "grey" : "native" })) {
      if (input.kind === "image") await pace(input.image.stampNs);
      if (signal?.aborted) return;
      if (input.kind === "transform") output?.keep(input.transform);
      yield input;
    }
  }
  async function* timed(pairs: AsyncIterable<PosedPair>): AsyncGenerator<PosedPair> {
    for await (const posed of pairs) {
      started.set(posed.pair.stampNs, performance.now());
      seeing?.begin(posed.pair);
      yield posed;
    }
  }

  const cut = { wasCut: () => signal?.aborted === true, keepsNative: seeing !== undefined };
  const frames = { ...frameOptions(config, topics), ...cut };
  const pairs = timed(rectifiedPairs(source(), frames, health, run.counts));
  const map = { ...mapOptions(config), ...(options.start === undefined ? {} : { start: options.start }) };
  const steps = mapSteps(pairs, model, map, health, run.counts, run.times);
  const outputs = new MapOutputs(outputOptions(config, "stereo_voxel_node"));
  for await (const step of steps) {
    run.steps += 1;
    const objects = seeing && (await objectsOf(seeing, step, run));
    if (output !== undefined) {
      const to = output;
      await run.times.measureAsync("outputs", async () => {
        await to.add(step, outputs.messages(step, written));
        if (objects !== undefined) await to.addObjects(objects, options.detect!.detector.classes, config.voxel_size);
        const { topic, stampNs, data } = outputs.diagnostics(step.header.stampNs, health, run.counts, model);
        await to.write(topic, stampNs, data);
      });
    }
    const began = started.get(step.header.stampNs);
    if (began !== undefined) run.age.record("age", performance.now() - began);
    started.delete(step.header.stampNs);
    run.maxRssMb = Math.max(run.maxRssMb, process.memoryUsage.rss() / 1e6);
    await options.onStep?.(step, run, objects);
  }
  run.endedMs = performance.now();
  raiseDamage(health, options.bag, bag.faults);
  if (run.counts.processed === 0 && signal?.aborted !== true) throw noPairs(options.bag, run, health);
  return run;
}

function stepsOf({ detector, config }: NonNullable<ReplayOptions["detect"]>, stereo: StereoConfig): DetectSteps {
  const look: Look = (image, stampNs, tracks) => detector.look(image, stampNs, tracks, config["patch_defense.enabled"]);
  return new DetectSteps(look, detector.classes, detectOptions(config, stereo));
}

/** Objects of a step, counted in the run. */
async function objectsOf(seeing: DetectSteps, step: MapStep, run: ReplayRun): Promise<DetectStep | undefined> {
  const answer = await seeing.of(step);
  if (answer === undefined) return undefined;
  for (const [stage, ms] of Object.entries(answer.found.stagesMs)) run.times.record(`detector_${stage}`, ms);
  for (const { status } of answer.step.objects) run.objects[status] += 1;
  if (answer.step.masks.length > 0) run.objects.masked += 1;
  return answer.step;
}

/** Waits until a stamp is due, `rate` times as fast as it was recorded; no longer than until `signal` aborts. */
function makePace(rate: number | undefined, signal?: AbortSignal): (stampNs: bigint) => Promise<void> {
  let first: { readonly stampNs: bigint; readonly ms: number } | undefined;
  return async (stampNs) => {
    if (rate === undefined) return;
    // A bag that starts over: so does the count.
    if (first === undefined || stampNs < first.stampNs) first = { stampNs, ms: performance.now() };
    const dueMs = first.ms + Number(stampNs - first.stampNs) / 1e6 / rate;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await setTimeout(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  };
}

/** Damage of the bag, one standing fault a code. What is lost is lost, so it is an error; foreign topics are none. */
function raiseDamage(health: Health, where: string, faults: readonly Fault[]): void {
  for (const code of new Set(faults.map((fault) => fault.code))) {
    const said = faults.filter((fault) => fault.code === code).map((fault) => `${fault.message}. ${fault.remedy}`);
    health.raise(where, code, said.join(" "), code === "BAG_UNSUPPORTED" ? "warn" : "error");
  }
}

/** Says why, by the code of the gravest fault that stands. */
function noPairs(path: string, { counts }: ReplayRun, health: Health): Fault {
  const standing = health.list();
  const gravest = standing.find(({ level }) => level === "error") ?? standing[0];
  const why = standing.map((fault) => fault.message).join(" ");
  const seen = `${counts.images} images were read, ${counts.seen} pairs formed, none gave a map`;
  return new Fault(`${path}: ${seen}. ${why}`.trim(), {
    code: gravest?.code ?? "PAIR_LONE",
    remedy: "Mend what is named above. `voxelguard bag info` shows what the bag holds; --left and --right name topics.",
  });
}

/** How replay pairs, rectifies and poses the images of these topics. */
export function frameOptions(config: StereoConfig, topics: StereoTopics) {
  const { left, right } = topics;
  const sync = config.approximate_sync
    ? {
        mode: "approximate" as const,
        slopNs: BigInt(Math.round(config.sync_slop * 1e9)),
        queueSize: config.sync_queue_size,
      }
    : autoPairing;
  return {
    sync,
    rectify: config.rectify,
    rectifiedByName: left.rectified,
    names: { left: left.image, right: right.image },
    baseFrame: config["map.base_frame"],
    // The default is a preference only: what the bag has is found.
    ...(config["map.frame"] === stereoSchema["map.frame"].fallback ? {} : { fixedFrame: config["map.frame"] }),
  };
}
