import { Command } from "commander";
import { Fault } from "../core/fault.ts";
import { Health } from "../core/health.ts";
import { writeWhole } from "../io/write-whole.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import { SequenceConsistency } from "../stereo/metrics-sequence.ts";
import { addStereoOptions, jsonPathOf, stereoConfigOf } from "./infer-options.ts";
import { openModel } from "./model-folder.ts";
import { replay } from "./replay-run.ts";

interface SequenceFlags {
  readonly bag: string;
  readonly range: string;
  readonly json?: boolean | string;
}

const help = `
Prints one JSON object. A voxel of the world counts for two frames if the earlier one called it occupied and it lies in
view and within --range of the camera in both. Shares of those: occupied again, free (of these free_alone: nothing
occupied in the 26 voxels around it either), unknown; for frames that follow each other (next) and for all (later).

Examples:
  voxelguard eval sequence --bag drive.mcap --json sequence.json
`;

/** `voxelguard eval sequence`: do the answers of single frames of a drive agree, put into the world with its poses? */
export function sequenceCommand(): Command {
  const command = new Command("sequence")
    .description("measure how far the frames of a drive with poses agree with each other")
    .usage("--bag <bag> [--json [file]] [options]")
    .argument("[file]")
    .requiredOption("--bag <bag>", "rosbag2 folder, .mcap or .db3 file with stereo images, CameraInfo and /tf")
    .option("--range <m>", "how far from the camera voxels count", "15")
    .option("--json [file]", "write the result to a file as well")
    .addHelpText("after", help);
  addStereoOptions(command, ["voxel_size", "occupancy_threshold", "free_threshold", "max_range"]);
  return command.action(async (file: string | undefined, flags: SequenceFlags) => {
    const rangeM = Number(flags.range);
    if (!(rangeM > 0)) throw usage(flags.range);
    const config = stereoConfigOf(command);
    const model = await openModel(config);
    const consistency = new SequenceConsistency(rangeM);
    let unposed = 0;
    try {
      const onStep = ({ frame, isPosed, T_fixed_camera }: MapStep) => {
        if (isPosed) consistency.add(frame, T_fixed_camera);
        else unposed += 1;
      };
      await replay({ bag: flags.bag, topics: {}, config, model, health: new Health(), onStep });
      const name = { name: model.name, sha256: model.sha256 };
      const text = JSON.stringify({
        model: name,
        bag: flags.bag,
        ...consistency.score(),
        frames_without_pose: unposed,
      });
      const path = jsonPathOf(file, flags.json);
      if (path !== undefined) await writeWhole(path, `${text}\n`);
      process.stdout.write(`${text}\n`);
    } finally {
      await model.close();
    }
  });
}

function usage(range: string): Fault {
  return new Fault(`--range is ${range}, wanted metres above 0`, { code: "USAGE", remedy: "Give a number above 0." });
}
