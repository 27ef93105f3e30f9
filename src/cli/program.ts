import { Command } from "commander";
import { bagCommand } from "./bag.ts";
import { demoCommand } from "./demo.ts";
import { detectCommand } from "./detect.ts";
import { doctorCommand } from "./doctor.ts";
import { evalCommand } from "./eval.ts";
import { inferCommand } from "./infer.ts";
import { modelsCommand } from "./models.ts";
import { packageVersion } from "./package-root.ts";
import { replayCommand } from "./replay.ts";
import { viewCommand } from "./view.ts";

/** The commands, under the headings of `--help`. A new command is a file that exports `<name>Command()`, and a line here. */
const groups: readonly (readonly [heading: string, commands: readonly (() => Command)[]])[] = [
  ["Map:", [demoCommand, replayCommand, viewCommand]],
  ["One stereo pair:", [inferCommand]],
  ["Objects:", [detectCommand]],
  ["Recordings:", [bagCommand]],
  ["Network:", [evalCommand, modelsCommand]],
  ["When something is wrong:", [doctorCommand]],
];

export function makeProgram(): Command {
  const program = new Command("voxelguard")
    .description("Two cameras in, a safe obstacle map out: replays stereo recordings into an octree map, without ROS.")
    .version(packageVersion(), "-V, --version", "show the version")
    .option("--json", "print one JSON object instead of text")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .addHelpText("after", "\nvoxelguard COMMAND --help tells more of a command.");
  for (const [heading, commands] of groups) {
    program.commandsGroup(heading);
    for (const make of commands) program.addCommand(make().helpGroup(heading));
  }
  return program;
}
