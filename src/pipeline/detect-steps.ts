import type { RectifiedPair } from "../core/ports.ts";
import { ObjectTracker } from "../detect/objects.ts";
import { SolidView } from "../detect/solid-view.ts";
import { frameOccupiedInto } from "../octree/per-frame.ts";
import { makePointList } from "../octree/points.ts";
import type { DetectOptions, DetectStep, Look, Looked } from "./live-detect.ts";
import type { MapStep } from "./map-steps.ts";

/** Objects beside the map of a recording: every left image, judged against the voxels of its own pair. */
export class DetectSteps {
  readonly #look: Look;
  readonly #options: DetectOptions;
  readonly #objects: ObjectTracker;
  readonly #solid = new SolidView();
  readonly #points = makePointList();
  /** Pairs that were begun and not looked at, in the order of their stamps. */
  readonly #waiting: RectifiedPair[] = [];
  #looking: { readonly stampNs: bigint; readonly found: Promise<Looked | undefined> } | undefined;

  constructor(look: Look, classes: readonly string[], options: DetectOptions) {
    this.#look = look;
    this.#options = options;
    this.#objects = new ObjectTracker(classes, options);
  }

  /** A pair that is on its way through the model: the detector looks at it as soon as the objects before it are known. */
  begin(pair: RectifiedPair): void {
    this.#waiting.push(pair);
    if (this.#looking === undefined) this.#lookAtNext();
  }

  /** What the step's left image holds; undefined where the pair was not begun. Valid until the next call. */
  async of({ pair, frame }: MapStep): Promise<{ readonly step: DetectStep; readonly found: Looked } | undefined> {
    while (this.#looking !== undefined && this.#looking.stampNs < pair.stampNs) {
      // It was begun and given up. A failure of it is nobody's.
      await this.#looking.found.catch(() => {});
      this.#lookAtNext();
    }
    if (this.#looking?.stampNs !== pair.stampNs) return undefined;
    try {
      const found = await this.#looking.found;
      return found && this.#weigh(found, pair, frame);
    } finally {
      this.#lookAtNext();
    }
  }

  #lookAtNext(): void {
    const pair = this.#waiting.shift();
    const found = pair && this.#look(pair.leftNative ?? pair.left, pair.stampNs, this.#objects.tracker.tracks);
    // Told to who waits for it, if anybody does.
    found?.catch(() => {});
    this.#looking = pair && { stampNs: pair.stampNs, found: found! };
  }

  #weigh(found: Looked, pair: RectifiedPair, frame: MapStep["frame"]) {
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
