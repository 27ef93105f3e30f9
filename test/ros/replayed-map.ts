import { openModel } from "../../src/cli/model-folder.ts";
import { replay } from "../../src/cli/replay-run.ts";
import { defaultsOf } from "../../src/config/parse.ts";
import { stereoSchema } from "../../src/config/stereo-schema.ts";
import { Health } from "../../src/core/health.ts";
import { OctomapEncoder } from "../../src/octree/octomap.ts";

/** The OctoMap stream that `voxelguard replay` holds after the last pair of a bag. */
export async function replayedMap(bag: string): Promise<Buffer> {
  const config = { ...defaultsOf(stereoSchema), "map.frame": "odom" };
  const model = await openModel(config);
  const encoder = new OctomapEncoder();
  let data = Buffer.alloc(0);
  try {
    await replay({
      bag,
      topics: {},
      config,
      model,
      health: new Health(),
      onStep: ({ map }) => {
        data = Buffer.from(encoder.borrowBinary(map));
      },
    });
  } finally {
    await model.close();
  }
  return data;
}
