import type { Health } from "../core/health.ts";
import type { RectifiedPair, Side, StampedTransform, StereoInput, StereoPair } from "../core/ports.ts";
import { stampText } from "../core/stamp.ts";
import type { Transform } from "../core/transform.ts";
import { missingCalibration } from "../stereo/calibration.ts";
import { PairCalibrator, type RectifyOptions } from "./frames-calibrate.ts";
import { countDrop, countRejection, type FrameCounts } from "./frames-counts.ts";
import { toGrey } from "./frames-grey.ts";
import { type CameraPose, PoseFinder } from "./frames-pose.ts";
import { PassingFaults } from "./frames-recovery.ts";
import { autoPairing, type PairOptions, StereoPairer } from "./pair.ts";
import type { PairEvent } from "./pair-drop.ts";
import type { TfOptions } from "./tf-buffer.ts";

/** How images become rectified pairs with a pose. */
export interface FrameOptions extends RectifyOptions {
  /** How to pair; what is left out is as in `autoPairing`. */
  readonly sync?: Partial<Omit<PairOptions, "onEvent">>;
  readonly tf?: TfOptions;
  /** The frame to build the map in; by default `map`, `odom` or the root of the tree. */
  readonly fixedFrame?: string;
  /** The frame of the robot's base, looked up beside the camera. Default `base_link`. */
  readonly baseFrame?: string;
  /** How long, in stamps of later images, a pair waits for its transforms and CameraInfo. Default 0.2 s. */
  readonly waitNs?: bigint;
  /** The same in messages of any kind, should the images stop. Default 400. */
  readonly waitMessages?: number;
  /** Pairs that wait for the very first CameraInfo, so that none are lost. Default 30. */
  readonly waitingPairs?: number;
  /** Asked at the end of the source: true where it was cut short (Ctrl-C), so that what still waits is no fault. */
  readonly wasCut?: () => boolean;
  /** What to call the eyes in Health, e.g. their topics. */
  readonly names?: Readonly<Record<Side, string>>;
}

/** A rectified grey pair, the caller's to keep, and where its camera stood. */
export interface PosedPair {
  readonly pair: RectifiedPair;
  /** Undefined: no pose at this moment (Health says TF_MISSING). */
  readonly T_fixed_camera: Transform | undefined;
  /** Undefined: /tf does not connect the base frame at this moment. */
  readonly T_fixed_base: Transform | undefined;
  /** Undefined: nothing gives poses, maps are per frame. Known without a pose: the pose of this pair alone is missing. */
  readonly fixedFrame: string | undefined;
}

interface Held {
  readonly pair: StereoPair;
  /** Messages received when it was formed. */
  readonly since: number;
}

/** `rectifiedPairs` without the asynchrony: messages in, finished pairs out, in the order of their stamps. */
export class FrameAssembler {
  readonly #options: FrameOptions;
  readonly #health: Health;
  readonly #counts: FrameCounts;
  readonly #passing: PassingFaults;
  readonly #pairer: StereoPairer;
  readonly #calibrator: PairCalibrator;
  readonly #poses: PoseFinder;
  #held: Held[] = [];
  #messages = 0;
  #newestImageNs: bigint | undefined;
  #wentBack = false;

  constructor(options: FrameOptions, health: Health, counts: FrameCounts) {
    this.#options = options;
    this.#health = health;
    this.#counts = counts;
    this.#passing = new PassingFaults(health);
    this.#pairer = new StereoPairer({ ...autoPairing, ...options.sync, onEvent: (event) => this.#hear(event) });
    this.#calibrator = new PairCalibrator(options);
    this.#poses = new PoseFinder(options.tf, options.fixedFrame, options.baseFrame);
  }

  push(input: StereoInput): PosedPair[] {
    const out: PosedPair[] = [];
    this.#messages += 1;
    switch (input.kind) {
      case "image":
        this.#addImage(input, out);
        break;
      case "info":
        this.#calibrator.add(input.side, input.info);
        break;
      case "transform":
        if (this.#poses.goesBack(input.transform)) {
          // What waits belongs to the time that this transform ends.
          this.#drain(out, "hurry");
          this.#passing.raise("tf", "STAMP_BACKWARDS", backwardsText(input.transform));
        }
        this.#addTransform(input.transform);
        break;
      case "rejected":
        this.#passing.raise(input.where, input.reason.code, input.reason.message);
        if (input.side !== undefined) countRejection(this.#counts, input.reason);
        break;
    }
    this.#drain(out, "wait");
    return out;
  }

  /** End of the stream: what still waits comes out, or is counted as dropped. */
  flush(): PosedPair[] {
    const out: PosedPair[] = [];
    this.#hold(this.#pairer.flush());
    this.#drain(out, "final");
    return out;
  }

  /** Source or consumer have stopped: what still waits is counted and given up. */
  stop(): void {
    this.#pairer.stop();
    for (const _ of this.#held.splice(0)) countDrop(this.#counts, "stopped_pair");
  }

  #addImage({ side, image }: StereoInput & { kind: "image" }, out: PosedPair[]): void {
    this.#counts.images += 1;
    this.#wentBack = false;
    this.#hold(this.#pairer.push(side, toGrey(image)));
    if (this.#wentBack) {
      // All that is held is from before the jump.
      this.#drain(out, "hurry");
      this.#calibrator.restart();
      this.#newestImageNs = undefined;
    }
    if (this.#newestImageNs === undefined || image.stampNs > this.#newestImageNs) this.#newestImageNs = image.stampNs;
  }

  #addTransform(transform: StampedTransform): void {
    const added = this.#poses.add(transform);
    if (added.kind === "rejected") this.#passing.raise("tf", added.reason.code, added.reason.message);
  }

  #hold(pairs: readonly StereoPair[]): void {
    this.#counts.seen += pairs.length;
    for (const pair of pairs) this.#held.push({ pair, since: this.#messages });
  }

  /** Lets the oldest pairs go, as far as they need not wait: `hurry` takes what is there, `final` leaves none behind. */
  #drain(out: PosedPair[], mode: "wait" | "hurry" | "final"): void {
    for (;;) {
      const head = this.#held[0];
      if (head === undefined) return;
      const late = mode !== "wait" || this.#isLate(head);
      if (this.#calibrator.missing.length > 0) {
        if (late) this.#raiseMissing();
        if (mode !== "final" && this.#held.length <= (this.#options.waitingPairs ?? 30)) return;
        this.#raiseMissing();
        countDrop(this.#counts, "calibration_missing");
        this.#held.shift();
        continue;
      }
      if (!this.#calibrator.isSettled(head.pair)) {
        if (!late) return;
        if (mode === "wait") this.#calibrator.stopWaiting();
      }
      const pose = this.#poses.find(head.pair.left.frameId, head.pair.left.stampNs);
      if (pose.mayImprove) {
        if (!late) return;
        if (mode === "wait") this.#poses.stopWaiting();
      }
      this.#held.shift();
      this.#finish(head.pair, pose, out);
    }
  }

  #isLate({ pair, since }: Held): boolean {
    const { waitNs = 200_000_000n, waitMessages = 400 } = this.#options;
    const laterNs = (this.#newestImageNs ?? pair.left.stampNs) - pair.left.stampNs;
    return laterNs > waitNs || this.#messages - since > waitMessages;
  }

  #finish(stereo: StereoPair, pose: CameraPose, out: PosedPair[]): void {
    this.#health.clear("camera_info", "CALIBRATION_MISSING");
    const calibrated = this.#calibrator.calibrate(stereo);
    if (calibrated.kind === "rejected") {
      this.#health.raise("camera_info", calibrated.reason.code, calibrated.reason.message, "error");
      countDrop(this.#counts, "calibration_invalid");
      return;
    }
    this.#health.clear("camera_info", "CALIBRATION_INVALID");
    if (pose.problem === undefined) this.#health.clear("tf", "TF_MISSING");
    else this.#health.raise("tf", "TF_MISSING", poseProblem(pose.problem));
    this.#passing.good();
    const { T_fixed_camera, T_fixed_base, fixedFrame } = pose;
    out.push({ pair: calibrated.pair, T_fixed_camera, T_fixed_base, fixedFrame });
  }

  #raiseMissing(): void {
    const { code, message } = missingCalibration(this.#calibrator.missing);
    this.#health.raise("camera_info", code, message, "error");
  }

  #hear(event: PairEvent): void {
    const where = this.#options.names?.[event.side] ?? event.side;
    if (event.kind === "reset") {
      this.#wentBack = true;
      this.#passing.raise(where, "STAMP_BACKWARDS", event.message);
      return;
    }
    countDrop(this.#counts, event.cause);
    if (event.code !== undefined) this.#passing.raise(where, event.code, event.message);
  }
}

function backwardsText({ parent, child, stampNs }: StampedTransform): string {
  return `Time ran backwards: ${parent} -> ${child} of ${stampText(stampNs)} follows a much later one. Poses start anew; a looping bag does this, and so do two publishers of one transform: keep one.`;
}

function poseProblem(reason: string): string {
  return `No pose of the camera: ${reason}. Maps are per frame until there is one; play or publish /tf and /tf_static from odom to the camera.`;
}
