import type { CameraInfo } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import type { RectifiedPair, Rejection, Side, StereoPair } from "../core/ports.ts";
import { missingCalibration, stereoCalibration, wantsRectification } from "../stereo/calibration.ts";
import { sameCalibration } from "../stereo/calibration-window.ts";
import { makeRectifier, type Rectifier } from "../stereo/rectify.ts";

export interface RectifyOptions {
  readonly rectify: "auto" | "on" | "off";
  /** What the topics' names say: true for `image_rect`, false for `image_raw`, undefined for neither. */
  readonly rectifiedByName: boolean | undefined;
  /** Whether pairs keep the left image as it came, for the detector. */
  readonly keepsNative?: boolean;
}

export type CalibratedPair =
  | { readonly kind: "ok"; readonly pair: RectifiedPair }
  | { readonly kind: "rejected"; readonly reason: Rejection };

/** Calibrations kept of each eye, for images that come later than the next CameraInfo. */
const rememberedInfos = 8;

/** Before every stamp. */
const always = -(2n ** 63n);

interface KnownInfo {
  readonly fromNs: bigint;
  readonly info: CameraInfo;
}

interface Eyes {
  /** What the tables were made from. */
  readonly infos: Readonly<Record<Side, CameraInfo>>;
  /** Undefined: the images come rectified. */
  readonly left: Rectifier | undefined;
  readonly right: Rectifier | undefined;
  readonly problem: Rejection | undefined;
}

/** Finds for each pair the CameraInfo of its time, checks it and rectifies. Tables are built anew only when it changes. */
export class PairCalibrator {
  readonly #options: RectifyOptions;
  readonly #infos: Readonly<Record<Side, KnownInfo[]>> = { left: [], right: [] };
  readonly #newestNs: Record<Side, bigint | undefined> = { left: undefined, right: undefined };
  #isPerFrame = true;
  #eyes: Eyes | undefined;

  constructor(options: RectifyOptions) {
    this.#options = options;
  }

  add(side: Side, info: CameraInfo): void {
    const known = this.#infos[side];
    const newestNs = this.#newestNs[side];
    if (newestNs === undefined || info.stampNs > newestNs) this.#newestNs[side] = info.stampNs;
    const last = known.at(-1);
    if (last !== undefined && sameCalibration(last.info, info)) return;
    known.push({ fromNs: info.stampNs, info });
    if (known.length > rememberedInfos) known.shift();
  }

  /** The eyes that have not sent any CameraInfo. */
  get missing(): readonly Side[] {
    return (["left", "right"] as const).filter((side) => this.#infos[side].length === 0);
  }

  /** Whether the CameraInfo of this very moment has come (drivers send it right after the image), or won't. */
  isSettled({ left, right }: StereoPair): boolean {
    if (!this.#isPerFrame) return true;
    const { left: l, right: r } = this.#newestNs;
    return l !== undefined && r !== undefined && l >= left.stampNs && r >= right.stampNs;
  }

  /** A wait was in vain: CameraInfo does not come with each image, so the latest one holds. */
  stopWaiting(): void {
    this.#isPerFrame = false;
  }

  /** Time was set back: stamps count anew, the latest calibrations still hold. */
  restart(): void {
    for (const side of ["left", "right"] as const) {
      const last = this.#infos[side].splice(0).at(-1);
      if (last !== undefined) this.#infos[side].push({ fromNs: always, info: last.info });
      this.#newestNs[side] = undefined;
    }
  }

  calibrate({ left, right }: StereoPair): CalibratedPair {
    const [l, r] = [this.#infoAt("left", left.stampNs), this.#infoAt("right", right.stampNs)];
    if (l === undefined || r === undefined) return { kind: "rejected", reason: missingCalibration(this.missing) };
    const checked = stereoCalibration(l, r, { left: left.image, right: right.image });
    if (checked.kind === "rejected") return checked;
    if (this.#eyes?.infos.left !== l || this.#eyes.infos.right !== r) this.#eyes = this.#makeEyes(l, r);
    const eyes = this.#eyes;
    if (eyes.problem !== undefined) return { kind: "rejected", reason: eyes.problem };
    const pair = {
      stampNs: left.stampNs,
      frameId: left.frameId,
      left: rectified(left.image, eyes.left),
      right: rectified(right.image, eyes.right),
      calibration: checked.calibration,
    };
    if (this.#options.keepsNative !== true) return { kind: "ok", pair };
    const leftNative = left.native === undefined ? pair.left : rectified(left.native, eyes.left);
    return { kind: "ok", pair: { ...pair, leftNative } };
  }

  /** The calibration that holds from the latest moment not after the stamp; the earliest for images before all. */
  #infoAt(side: Side, stampNs: bigint): CameraInfo | undefined {
    let best: KnownInfo | undefined;
    for (const known of this.#infos[side]) {
      if (
        best === undefined ||
        (known.fromNs <= stampNs ? known.fromNs >= best.fromNs || best.fromNs > stampNs : false)
      )
        best = known;
    }
    return best?.info;
  }

  #makeEyes(left: CameraInfo, right: CameraInfo): Eyes {
    const infos = { left, right };
    const none = { infos, left: undefined, right: undefined, problem: undefined };
    if (!wantsRectification(left, right, this.#options.rectify, this.#options.rectifiedByName)) return none;
    try {
      return { ...none, left: makeRectifier(left), right: makeRectifier(right) };
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      return { ...none, problem: { code: thrown.code, message: `${thrown.message} ${thrown.remedy}` } };
    }
  }
}

/** A new image, for the caller to keep; the raw one where it needs no rectification. */
function rectified(image: Image, rectifier: Rectifier | undefined): Image {
  if (rectifier === undefined) return image;
  const { width, height } = rectifier;
  const out: Image = { width, height, channels: image.channels, data: new Uint8Array(width * height * image.channels) };
  rectifier.run(out.data, image);
  return out;
}
