import type { StampedTransform } from "../core/ports.ts";
import type { Transform } from "../core/transform.ts";
import { poseFrame, type TfAdded, TfBuffer, type TfOptions } from "./tf-buffer.ts";

export interface CameraPose {
  readonly T_fixed_camera: Transform | undefined;
  readonly T_fixed_base: Transform | undefined;
  readonly fixedFrame: string | undefined;
  /** Why there is no pose: a sentence without its full stop. */
  readonly problem: string | undefined;
  /** A transform that is yet to come may give a better answer. */
  readonly mayImprove: boolean;
}

/** Finds the camera's pose at a stamp, in one fixed frame throughout. */
export class PoseFinder {
  readonly #buffer: TfBuffer;
  readonly #baseFrame: string;
  #fixedFrame: string | undefined;
  #mayConnect = true;

  /** `fixedFrame`: the frame to build the map in; by default chosen by `poseFrame` at the first pose. */
  constructor(tf?: TfOptions, fixedFrame?: string, baseFrame = "base_link") {
    this.#baseFrame = baseFrame;
    this.#buffer = new TfBuffer(tf);
    this.#fixedFrame = fixedFrame;
  }

  add(transform: StampedTransform): TfAdded {
    const added = this.#buffer.add(transform);
    if (added.kind === "new_edge") this.#mayConnect = true;
    return added;
  }

  goesBack(transform: StampedTransform): boolean {
    return this.#buffer.goesBack(transform);
  }

  /** A wait was in vain: no more waiting for a connection until the tree of frames changes. */
  stopWaiting(): void {
    this.#mayConnect = false;
  }

  find(opticalFrame: string, stampNs: bigint): CameraPose {
    const fixedFrame = this.#fixedFrame ?? poseFrame(this.#buffer, opticalFrame);
    if (fixedFrame === undefined) {
      const known = this.#buffer.chain(opticalFrame);
      const problem =
        known.length > 1
          ? `the transforms of ${opticalFrame} end at ${known.at(-1)}, which moves along; wanted a chain to odom or map`
          : this.#noChain(opticalFrame, stampNs);
      return { T_fixed_camera: undefined, T_fixed_base: undefined, fixedFrame, problem, mayImprove: this.#mayConnect };
    }
    const found = this.#buffer.lookup(fixedFrame, opticalFrame, stampNs);
    if (found.kind === "missing") {
      const mayImprove = found.why === "outside" || this.#mayConnect;
      return { T_fixed_camera: undefined, T_fixed_base: undefined, fixedFrame, problem: found.reason, mayImprove };
    }
    this.#fixedFrame = fixedFrame;
    const base = this.#buffer.lookup(fixedFrame, this.#baseFrame, stampNs);
    const T_fixed_base = base.kind === "ok" ? base.T_target_source : undefined;
    const mayImprove = found.ageNs > 0n;
    return { T_fixed_camera: found.T_target_source, T_fixed_base, fixedFrame, problem: undefined, mayImprove };
  }

  #noChain(opticalFrame: string, stampNs: bigint): string {
    const found = this.#buffer.lookup("odom", opticalFrame, stampNs);
    return found.kind === "missing" ? found.reason : "no transform connects the camera with a fixed frame";
  }
}
