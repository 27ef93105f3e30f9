import type { DisparityMap, RectifiedPair } from "../core/ports.ts";
import { depthMessage, disparityMessage } from "../msg/map-messages.ts";
import {
  depthInto,
  LEAST_SPREAD_PX,
  MAX_DISPARITY_PX,
  makeDisparityPixels,
  sureDisparityInto,
} from "../stereo/disparity.ts";
import type { PixelMap } from "../stereo/ground-truth.ts";

/** The two images that come of a pair's disparities; the work that they share is done once. */
export class DepthOutputs {
  readonly #pixelsOf = makeDisparityPixels();
  #last: { readonly cells: DisparityMap; readonly pixels: PixelMap } | undefined;
  #out = new Float32Array(0);

  /** sensor_msgs/Image 32FC1; +Infinity beyond `maxRangeM`. */
  depth(pair: RectifiedPair, cells: DisparityMap, maxRangeM: number): Uint8Array {
    const pixels = this.#pixels(pair, cells);
    depthInto(this.#out, pixels, cells, pair.calibration, maxRangeM);
    return depthMessage(pair, { ...pixels, data: this.#out });
  }

  /** stereo_msgs/DisparityImage. */
  disparity(pair: RectifiedPair, cells: DisparityMap): Uint8Array {
    const pixels = this.#pixels(pair, cells);
    sureDisparityInto(this.#out, pixels, cells);
    const { fx: focalPx, baselineM } = pair.calibration;
    const search = { focalPx, baselineM, maxPx: MAX_DISPARITY_PX, stepPx: LEAST_SPREAD_PX };
    return disparityMessage(pair, { ...pixels, ...search, data: this.#out });
  }

  #pixels({ left }: RectifiedPair, cells: DisparityMap): PixelMap {
    if (this.#last?.cells !== cells) this.#last = { cells, pixels: this.#pixelsOf(cells, left) };
    const { pixels } = this.#last;
    if (this.#out.length !== pixels.data.length) this.#out = new Float32Array(pixels.data.length);
    return pixels;
  }
}
