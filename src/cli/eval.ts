import { Command, InvalidArgumentError } from "commander";
import { Fault } from "../core/fault.ts";
import { writeWhole } from "../io/write-whole.ts";
import { evalDetectCommand } from "./eval-detect.ts";
import type { EvalOptions } from "./eval-pair.ts";
import { sequenceCommand } from "./eval-sequence.ts";
import { evaluateStereo } from "./eval-stereo.ts";
import { evalTable } from "./eval-table.ts";
import { addStereoOptions, jsonPathOf, stereoConfigOf, wholeNumber } from "./infer-options.ts";

type EvalFlags = EvalOptions & { readonly json?: boolean | string };

const help = `
A pair folder holds left.png and right.png (or .jpg, .webp, .tif), calib.json and, as the truth, gt_disparity.npz (array
"disparity", pixels) or lidar.npz (array "points", metres, left camera frame), and for rendered pairs gt_labels.npz.
Without truth only times are measured. calib.json or meta.json may carry the tags kind, lighting and rig (strings). Where
the calibration is not metric ("metric": false or "approximate"), disparities alone are scored, with a made-up camera.

Figures (docs/evaluation.md defines them): iou over voxels with a true point in their footprint, to 30 and 64 voxels ahead
(15 and 32 m at 0.5 m); ray: hits / (truth + what a true ray refutes); missed: solid but called free; free viol: free but
called solid; chamfer: mean nearest distance, both ways averaged; ch. paper: sum of both mean squares; ECE: calibration
error; leaves: evaluated share of the leaves in view; bad-1, bad-3: labelled pixels off by more than 1 and 3 px; ms:
median of a run. Lines of several pairs come from the sums of their counts.

--voxel-size auto takes 0.5 m where the truth's median depth is beyond 6 m, else 0.05 m (indoors, on a table).

Examples:
  voxelguard eval stereo --data pairs/
  voxelguard eval stereo --data pairs/ --voxels out/voxels --json out/eval.json
  voxelguard eval stereo --data pairs/street_01 --voxel-size 0.5 --repeat 20 --json street.json
`;

/** `voxelguard eval stereo`, `eval sequence`, `eval detect`. */
export function evalCommand(): Command {
  const command = new Command("eval").description("measure accuracy and speed against ground truth");
  command.addCommand(stereoCommand());
  command.addCommand(sequenceCommand());
  command.addCommand(evalDetectCommand());
  return command;
}

function stereoCommand(): Command {
  const command = new Command("stereo")
    .description("run the stereo network over pair folders and score it against their ground truth")
    .usage("--data <folder> [--json [file]] [options]")
    // The program's own --json takes no value, so that the name of the file arrives here.
    .argument("[file]")
    .requiredOption("--data <folder>", "a pair folder, or a folder of pair folders")
    .option("--json [file]", "write the results to a file, or print them as one JSON object")
    .option("--voxel-size <m>", "edge of the smallest voxel, or auto", voxelSize, "auto" as const)
    .option("--repeat <n>", "runs of each pair after a first one to warm up", wholeNumber, 5)
    .option("--disparity-bias <px>", "added to the true disparity: a known fault of the truth", finite, 0)
    .option("--voxels <folder>", "write the octree of each pair as <pair>.csv, as infer does")
    .option("--answers <folder>", "score <pair>.csv of another program instead of running the model")
    .addHelpText("after", help);
  addStereoOptions(command, ["occupancy_threshold", "free_threshold", "max_range"]);
  return command.action(async (file: string | undefined, flags: EvalFlags) => {
    const jsonPath = jsonPathOf(file, flags.json);
    const printsJson = flags.json === true && jsonPath === undefined;
    const result = await evaluateStereo(flags, stereoConfigOf(command));
    if (jsonPath !== undefined) await writeWhole(jsonPath, `${JSON.stringify(result, undefined, 2)}\n`);
    if (!printsJson) process.stdout.write(evalTable(result));
    if (jsonPath !== undefined) process.stderr.write(`-> ${jsonPath}\n`);
    const [first] = result.failed;
    if (first !== undefined) {
      const most = `${result.failed.length} of ${result.failed.length + result.pairs.length} pairs failed`;
      throw new Fault(`${most}, the first of them ${first.pair}: ${first.message} [${first.code}]`, {
        code: "DATASET_INVALID",
        remedy: "Mend or remove those pairs; the results of the others are in the table and in the file of --json.",
      });
    }
    if (printsJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  });
}

function voxelSize(text: string): number | "auto" {
  if (text === "auto") return text;
  const value = Number(text);
  if (value >= 0.02 && value <= 2) return value;
  throw new InvalidArgumentError("Wanted auto or a number from 0.02 to 2 m.");
}

function finite(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Wanted a number of pixels.");
}
