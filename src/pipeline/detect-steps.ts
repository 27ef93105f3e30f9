import type { Image } from "../core/image.ts";
import type { RectifiedPair } from "../core/ports.ts";
import { ObjectTracker } from "../detect/objects.ts";
import { SolidView } from "../detect/solid-view.ts";
import { frameOccupiedInto } from "../octree/per-frame.ts";
import { makePointList } from "../octree/points.ts";
import type { DetectOptions, DetectStep, Looked } from "./live-detect.ts";
import type { MapStep } from "./map-steps.ts";

/** Looks for objects in an image; asked for one image at a time, in the order of their stamps. */
export type Look = (image: Image, stampNs: bigint) => Promise<Looked | undefined>;

/** Objects beside the map of a recording: every left image, judged against the voxels of its own pair. */
export class DetectSteps {
  readonly #look: Look;
  readonly #options: DetectOptions;
  readonly #objects: ObjectTracker;
  readonly #solid = new SolidView();
  readonly #points = makePointList();
  readonly #waiting = new Map<bigint, Promise<Looked | undefined>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(look: Look, classes: readonly string[], options: DetectOptions) {
    this.#look = look;
    this.#options = options;
    this.#objects = new ObjectTracker(classes, options);
  }

  /** A pair that is on its way through the model: the detector looks at it meanwhile. */
  begin(pair: RectifiedPair): void {
    const found = this.#last.then(() => this.#look(pair.leftNative ?? pair.left, pair.stampNs));
    this.#waiting.set(pair.stampNs, found);
    // A failure is told to who waits for it; the next image is not held up.
    this.#last = found.catch(() => {});
  }

  /** What the step's left image holds; undefined where the pair was not begun. Valid until the next call. */
  async of({ pair, frame }: MapStep): Promise<{ readonly step: DetectStep; readonly found: Looked } | undefined> {
    const found = await this.#waiting.get(pair.stampNs);
    for (const stampNs of this.#waiting.keys()) if (stampNs <= pair.stampNs) this.#waiting.delete(stampNs);
    if (found === undefined) return undefined;
    const { stampNs, frameId, calibration, left, leftNative } = pair;
    const view = this.#options.evidence ? calibration : undefined;
    if (view !== undefined) {
      frameOccupiedInto(this.#points, frame);
      this.#solid.paint(this.#points.xyz, this.#points.count, frame.grid.voxelSizeM, view);
    }
    const evidence = view && { solid: this.#solid, rangeM: this.#options.rangeM };
    const objects = this.#objects.update(found, stampNs, evidence);
    return {
      step: { image: { stampNs, frameId, image: leftNative ?? left }, objects, masks: found.masks, view },
      found,
    };
  }
}
