import { join } from "node:path";
import { Command } from "commander";
import { Fault } from "../core/fault.ts";
import { type CalibrationPaths, readCalibration } from "../io/calibration-file.ts";
import { writePly } from "../io/ply.ts";
import { renderPreview } from "../io/preview.ts";
import { writeVoxelsCsv } from "../io/voxels-csv.ts";
import { writeWhole } from "../io/write-whole.ts";
import { addStereoOptions, stereoConfigOf } from "./infer-options.ts";
import { countCells, loadPair, makeInfer } from "./infer-pair.ts";
import { openModel } from "./model-folder.ts";

interface InferFlags {
  readonly json?: boolean;
  readonly left: string;
  readonly right: string;
  readonly calibration: readonly string[];
  readonly out: string;
}

const help = `
Writes to the folder:
  voxels.csv   x,y,z,size_m,state,p_occupied: one row per octree cell, centres in metres in the left camera's frame
               (x right, y down, z forward); state is occupied, free or unknown
  cloud.ply    the occupied voxels as a coloured point cloud (MeshLab, CloudCompare, Blender, Open3D)
  preview.png  the left image, what is solid in it, and the view from above
  report.json  times, counts, and which model it was

C.json holds width, height, fx, fy, cx, cy (pixels), baseline_m (metres) and, where the two principal points differ,
doffs_px (right cx minus left cx).

Examples:
  voxelguard infer --left left.png --right right.png --calibration calib.json --out out/pair
  voxelguard infer --left l.jpg --right r.jpg --calibration left.yaml right.yaml --voxel-size 0.1 --out out/desk
`;

/** `voxelguard infer`: one stereo pair -> voxels.csv, cloud.ply, preview.png, report.json. */
export function inferCommand(): Command {
  const command = new Command("infer")
    .description("turn one pair of pictures into an octree of occupied, free and unknown space")
    .requiredOption("--left <file>", "left picture: JPEG, PNG, WebP or TIFF, grey or colour, 8 or 16 bits")
    .requiredOption("--right <file>", "right picture")
    .requiredOption("--calibration <files...>", "C.json, or the camera_info YAML of the left and the right camera")
    .requiredOption("--out <folder>", "where the results go; made if it is not there")
    .option("--json", "print the report as one JSON object")
    .addHelpText("after", help);
  addStereoOptions(command, ["voxel_size", "occupancy_threshold", "free_threshold", "max_range"]);
  return command.action(async (flags: InferFlags) => {
    const report = await infer(flags, command);
    if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else process.stdout.write(textOf(report));
  });
}

type Report = Awaited<ReturnType<typeof infer>>;

async function infer(flags: InferFlags, command: Command) {
  const config = stereoConfigOf(command);
  const calibration = await readCalibration(calibrationPaths(flags.calibration));
  const began = performance.now();
  const isRaw = flags.calibration.length === 2;
  const { left, pair } = await loadPair(flags.left, flags.right, isRaw ? calibration : { stereo: calibration.stereo });
  const loadMs = performance.now() - began;
  const model = await openModel(config);
  try {
    const { frame, stagesMs } = await makeInfer(model, config)(pair);
    const files = ["voxels.csv", "cloud.ply", "preview.png", "report.json"].map((name) => join(flags.out, name));
    const [csv, ply, preview, reportPath] = files as [string, string, string, string];
    await writeVoxelsCsv(csv, frame);
    await writePly(ply, frame, left, pair.calibration);
    await writeWhole(preview, await renderPreview({ left, calibration: pair.calibration, frame }));
    const report = {
      left: flags.left,
      right: flags.right,
      calibration: pair.calibration,
      voxel_size_m: config.voxel_size,
      counts: countCells(frame),
      stages_ms: { load: loadMs, ...stagesMs },
      model: { name: model.name, sha256: model.sha256 },
      files,
    };
    await writeWhole(reportPath, `${JSON.stringify(report, undefined, 2)}\n`);
    return report;
  } finally {
    await model.close();
  }
}

function calibrationPaths(given: readonly string[]): CalibrationPaths {
  const [first, second] = given;
  if (first !== undefined && given.length === 1) return { json: first };
  if (first !== undefined && second !== undefined && given.length === 2) return { left: first, right: second };
  throw new Fault(
    `--calibration has ${given.length} files, wanted C.json or the YAML of the left and the right camera`,
    {
      code: "USAGE",
      remedy: "Run voxelguard infer --help to see examples.",
    },
  );
}

function textOf({ counts, voxel_size_m, stages_ms, model, files }: Report): string {
  const stages = Object.entries(stages_ms).map(([stage, ms]) => `${stage} ${ms.toFixed(1)}`);
  return [
    `${counts.occupied} occupied voxels of ${voxel_size_m} m; octree of ${counts.cells} cells, ${counts.free} free, ${counts.unknown} unknown`,
    `model ${model.name} (${model.sha256.slice(0, 12)}); first run, ms: ${stages.join(", ")}`,
    ...files.map((file) => `-> ${file}`),
    "",
  ].join("\n");
}
