import { stereoModelFolder } from "../../src/cli/model-folder.ts";
import { defaultsOf } from "../../src/config/parse.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";
import { openStereoModel } from "../../src/infer/stereo-model.ts";
import { decodeLimits } from "../../src/pipeline/stereo-options.ts";
import { makeOctreeDecoder } from "../../src/stereo/decode-octree.ts";
import { type DrivePair, HEIGHT, WIDTH } from "./drive.ts";

/** What one pair took, milliseconds. */
export interface OurTimes {
  /** As the worker and the octree tell them, in the order in which they run. */
  readonly stages: Readonly<Record<string, number>>;
  readonly sum: number;
  /** From handing the pair over to having its octree: the sum and the way to the worker and back. */
  readonly latency: number;
}

export interface Ours {
  readonly name: string;
  run(n: number): Promise<OurTimes>;
  /** Voxels that were evaluated on each pair, all levels together. */
  readonly evaluated: readonly number[];
  close(): Promise<void>;
}

/** The model that ships, through the same worker as `replay`. */
export async function openOurs(pairs: readonly DrivePair[], threads: number): Promise<Ours> {
  const config = defaultsOf(stereoSchema);
  const { voxel_size } = config;
  const model = await openStereoModel(stereoModelFolder(undefined), { threads });
  const grid = model.grid(voxel_size);
  const decode = makeOctreeDecoder(grid, model.keep);
  const limits = decodeLimits(config);
  const rectified = pairs.map(({ left, right, calibration }, n) => ({
    stampNs: BigInt(n),
    frameId: "stereo_left_optical_frame",
    left: { width: WIDTH, height: HEIGHT, channels: 1 as const, data: left },
    right: { width: WIDTH, height: HEIGHT, channels: 1 as const, data: right },
    calibration,
  }));
  const evaluated = pairs.map(() => 0);
  return {
    name: model.name,
    evaluated,
    async run(n) {
      const began = performance.now();
      const answer = await model.run(rectified[n]!, voxel_size);
      if (answer === undefined) throw new Error("the model left a pair out");
      const answered = performance.now();
      const frame = decode(answer, rectified[n]!.calibration, limits);
      const done = performance.now();
      const voxels = answer.levels.reduce((sum, level) => sum + level.index.length / 3, 0);
      // The same pair must give the same work every time, and some.
      if (
        answer.levels.length !== grid.levels ||
        frame.count === 0 ||
        (evaluated[n] !== 0 && evaluated[n] !== voxels)
      ) {
        throw new Error(`pair ${n}: ${voxels} voxels were evaluated, ${evaluated[n]} before; ${frame.count} cells`);
      }
      evaluated[n] = voxels;
      const stages = { ...answer.stagesMs, octree: done - answered };
      const sum = Object.values(stages).reduce((total, stage) => total + stage, 0);
      return { stages, sum, latency: done - began };
    },
    close: () => model.close(),
  };
}
