import type { Image } from "../core/image.ts";
import { openBag } from "../io/bag.ts";
import { renderPreview } from "../io/preview.ts";
import { stereoSource } from "../io/stereo-bag.ts";
import { writeWhole } from "../io/write-whole.ts";
import { occupiedInto } from "../octree/leaves.ts";
import { makePointList } from "../octree/points.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import type { ReplayRun } from "./replay-run.ts";

/** Follows a replay and draws its picture: the newest frame on its left image, from above, and the map with the path. */
export class StepPicture {
  readonly #path: number[] = [];
  #step: MapStep | undefined;

  see(step: MapStep): void {
    const T = step.T_fixed_camera;
    this.#path.push(T[3]!, T[7]!, T[11]!);
    this.#step = step;
  }

  /** Writes preview.png; in colour where the bag's left images are in colour and come rectified. */
  async write(path: string, bagPath: string, run: ReplayRun, title: string): Promise<void> {
    const step = this.#step;
    if (step === undefined) return;
    const { pair, frame, map } = step;
    const colour = await leftInColour(bagPath, run, pair.stampNs);
    const fits =
      colour !== undefined &&
      run.topics.left.rectified === true &&
      colour.width === pair.left.width &&
      colour.height === pair.left.height;
    const points = makePointList();
    occupiedInto(points, map);
    const png = await renderPreview({
      left: fits ? colour : pair.left,
      calibration: pair.calibration,
      frame,
      title,
      map: {
        xyz: points.xyz,
        count: points.count,
        voxelSizeM: map.resolutionM,
        cameraPath: Float64Array.from(this.#path),
      },
    });
    await writeWhole(path, png);
  }
}

/** The left image of a stamp, as it was recorded; the pipeline itself works in grey. */
async function leftInColour(path: string, run: ReplayRun, stampNs: bigint): Promise<Image | undefined> {
  const bag = await openBag(path);
  try {
    // Log times run behind stamps by less than this in any recording that replay could pair.
    const marginNs = 2_000_000_000n;
    const span = { fromNs: stampNs - marginNs, toNs: stampNs + marginNs };
    for await (const input of stereoSource(bag, run.topics, { want: "rgb", ...span })) {
      if (input.kind === "image" && input.side === "left" && input.image.stampNs === stampNs) return input.image.image;
    }
    return undefined;
  } finally {
    await bag.close();
  }
}
