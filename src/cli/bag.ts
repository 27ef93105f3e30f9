import { Command, InvalidArgumentError } from "commander";
import { Fault } from "../core/fault.ts";
import { bagFromImages, type FromImagesOptions } from "../io/bag-from-images.ts";
import { type BagInfo, bagInfo, cutBag } from "../io/bag-tools.ts";
import { findEyes, usage } from "../io/image-files.ts";

/** `voxelguard bag info | cut | from-images`. Actions throw `Fault`; the caller prints it and sets the exit code. */
export function bagCommand(): Command {
  const bag = new Command("bag").description("look at recordings, cut them, make them from pictures");
  bag.addCommand(infoCommand());
  bag.addCommand(cutCommand());
  bag.addCommand(fromImagesCommand());
  return bag;
}

function infoCommand(): Command {
  return new Command("info")
    .description("list what is in a recording, and the stereo pair that replay would use")
    .argument("<bag>", "rosbag2 folder, .mcap or .db3 file")
    .option("--json", "print one JSON object")
    .action(async (path: string, options: { json?: boolean }) => {
      const info = await bagInfo(path);
      print(options.json === true ? JSON.stringify(infoJson(info)) : infoText(info));
    });
}

function cutCommand(): Command {
  return new Command("cut")
    .description("copy part of a recording, messages unchanged, to an mcap file")
    .argument("<bag>", "rosbag2 folder, .mcap or .db3 file (also one that breaks off)")
    .argument("<out>", "the .mcap file to write")
    .option("--from <seconds>", "first moment, counted from the start of the recording", seconds)
    .option("--to <seconds>", "last moment", seconds)
    .option("--topics <names...>", "only these topics")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  voxelguard bag cut drive/ corner.mcap --from 12 --to 20\n")
    .action(async (path: string, out: string, options: CutFlags) => {
      const { messageCount, faults } = await cutBag(path, out, {
        ...(options.from === undefined ? {} : { fromS: options.from }),
        ...(options.to === undefined ? {} : { toS: options.to }),
        ...(options.topics === undefined ? {} : { topics: options.topics }),
      });
      if (options.json === true) print(JSON.stringify({ out, messages: messageCount, faults }));
      else print([`${messageCount} messages -> ${out}`, ...faults.map(faultText)].join("\n"));
    });
}

interface CutFlags {
  readonly from?: number;
  readonly to?: number;
  readonly topics?: readonly string[];
  readonly json?: boolean;
}

function fromImagesCommand(): Command {
  return new Command("from-images")
    .description("make a recording from pairs of JPEG or PNG files")
    .argument("[folder]", "holds left/ and right/, or *left* and *right* pictures")
    .option("--left <pattern>", "left pictures: a folder or a quoted pattern such as 'drive/*_left.png'")
    .option("--right <pattern>", "right pictures")
    .option("--calibration <C.json>", "width, height, fx, fy, cx, cy, baseline_m (and doffs_px) of the rectified pair")
    .option("--left-info <yaml>", "camera_info YAML of the left camera, instead of --calibration")
    .option("--right-info <yaml>", "camera_info YAML of the right camera")
    .option("--rate <hz>", "pictures a second, unless --timestamps is given (default: 10)", seconds)
    .option("--timestamps <file>", "one time a line, seconds")
    .option("--poses <file>", "one 3x4 camera-to-first-frame matrix a line (KITTI); written as /tf odom -> base_link")
    .option("--camera-height <m>", "height of the left camera over base_link (default: 0)", seconds)
    .option("--raw", "decode to sensor_msgs/Image instead of passing the files through")
    .requiredOption("--out <mcap>", "the file to write")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  voxelguard bag from-images drive/ --calibration calib.json --rate 10 --poses poses.txt --out drive.mcap\n",
    )
    .action(async (folder: string | undefined, flags: FromImagesFlags) => {
      const { pairs } = await bagFromImages(flags.out, await fromImagesOptions(folder, flags));
      print(flags.json === true ? JSON.stringify({ out: flags.out, pairs }) : `${pairs} pairs -> ${flags.out}`);
    });
}

interface FromImagesFlags {
  readonly left?: string;
  readonly right?: string;
  readonly calibration?: string;
  readonly leftInfo?: string;
  readonly rightInfo?: string;
  readonly rate?: number;
  readonly timestamps?: string;
  readonly poses?: string;
  readonly cameraHeight?: number;
  readonly raw?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

async function fromImagesOptions(folder: string | undefined, flags: FromImagesFlags): Promise<FromImagesOptions> {
  const { left, right, calibration, leftInfo, rightInfo, rate, timestamps, poses, cameraHeight, raw } = flags;
  return {
    ...(left !== undefined && right !== undefined ? { left, right } : await eyesOf(folder)),
    calibration: calibrationOf(calibration, leftInfo, rightInfo),
    ...(rate === undefined ? {} : { rateHz: rate }),
    ...(timestamps === undefined ? {} : { timestamps }),
    ...(poses === undefined ? {} : { poses }),
    ...(cameraHeight === undefined ? {} : { cameraHeightM: cameraHeight }),
    ...(raw === undefined ? {} : { raw }),
  };
}

async function eyesOf(folder: string | undefined): Promise<{ left: string; right: string }> {
  if (folder === undefined) throw usage("No pictures given", "Name a folder, or --left and --right.");
  return findEyes(folder);
}

function calibrationOf(json?: string, left?: string, right?: string): FromImagesOptions["calibration"] {
  if (json !== undefined) return { json };
  if (left !== undefined && right !== undefined) return { left, right };
  throw usage("No calibration given", "Give --calibration C.json, or --left-info and --right-info.");
}

function infoJson(info: BagInfo): unknown {
  const { stereo, startNs, endNs, ...rest } = info;
  const found = stereo instanceof Fault ? { fault: stereo } : stereo;
  return { ...rest, start_ns: String(startNs), end_ns: String(endNs), stereo: found };
}

function infoText(info: BagInfo): string {
  const lengthS = Number(info.endNs - info.startNs) / 1e9;
  const widths = [0, 1].map((at) => Math.max(...info.topics.map(({ name, type }) => [name, type][at]!.length)));
  const topics = info.topics.map(
    ({ name, type, count }) => `  ${name.padEnd(widths[0]!)}  ${type.padEnd(widths[1]!)}  ${count}`,
  );
  const { stereo } = info;
  const pair =
    stereo instanceof Fault
      ? `no stereo pair: ${faultText(stereo)}`
      : `stereo pair: ${stereo.left.image} and ${stereo.right.image} (calibration ${stereo.left.info}, ${stereo.right.info})`;
  const head = `${info.path}: ${info.storage}, ${info.messageCount} messages in ${lengthS.toFixed(3)} s`;
  return [head, ...topics, pair, ...info.faults.map(faultText)].join("\n");
}

function faultText(fault: Fault): string {
  return `${fault.code}: ${fault.message}. ${fault.remedy}`;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("Wanted a number >= 0.");
  return value;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
