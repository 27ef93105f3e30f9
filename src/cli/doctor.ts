import { Command } from "commander";
import type { Finding, Verdict } from "../doctor/finding.ts";
import { bagFindings } from "./doctor-bag.ts";
import { machineFindings, rosFindings } from "./doctor-machine.ts";
import { addStereoOptions, stereoConfigOf } from "./infer-options.ts";
import { packageVersion } from "./package-root.ts";
import { addTopicOptions, givenTopics, type TopicFlags } from "./topic-options.ts";

interface DoctorFlags extends TopicFlags {
  readonly bag?: string;
  readonly ros?: boolean;
  readonly json?: boolean;
}

/** Findings by the part of the world that they are about. */
type Report = Readonly<Record<string, readonly Finding[]>>;

/** `voxelguard doctor`. Exit code 0: replay works (with --ros: a live node, with --bag: of this recording), else 1. */
export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("say what works on this machine, what is missing, and what to do about it")
    .option("--bag <bag>", "look at the stereo rig of this recording, too")
    .option("--ros", "a live node is wanted: what it lacks is a failure")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExit code 0: replay works here. 1: something marked FAIL is in the way.\n\nExamples:\n  voxelguard doctor --ros\n  voxelguard doctor --bag drive.mcap\n",
    );
  addTopicOptions(command);
  addStereoOptions(command, [
    "voxel_size",
    "approximate_sync",
    "sync_slop",
    "sync_queue_size",
    "rectify",
    "map.base_frame",
  ]);
  return command.action(async (flags: DoctorFlags, self: Command) => {
    const config = stereoConfigOf(self);
    const report: Record<string, readonly Finding[]> = {
      machine: await machineFindings(config),
      ros: rosFindings(flags.ros === true),
    };
    if (flags.bag !== undefined) report["bag"] = await bagFindings(flags.bag, givenTopics(flags), config);
    const isWell = !Object.values(report)
      .flat()
      .some(({ verdict }) => verdict === "fail");
    if (flags.json) process.stdout.write(`${JSON.stringify({ ok: isWell, version: packageVersion(), ...report })}\n`);
    else process.stdout.write(textOf(report, isWell));
    if (!isWell) process.exitCode = 1;
  });
}

const headings: Readonly<Record<string, string>> = {
  machine: "This machine",
  ros: "ROS 2, for a live node",
  bag: "The recording",
};
const marks: Readonly<Record<Verdict, string>> = { ok: "ok  ", warn: "warn", fail: "FAIL" };

/** One line a finding, and its remedy below it unless the line before said the same. */
function textOf(report: Report, isWell: boolean): string {
  const lines: string[] = [];
  let said: string | undefined;
  const all = Object.values(report).flat();
  const column = Math.max(...all.map(({ name }) => name.length));
  for (const [part, findings] of Object.entries(report)) {
    lines.push(`${headings[part]}`);
    for (const { name, verdict, seen, remedy } of findings) {
      lines.push(`  ${marks[verdict]}  ${name.padEnd(column)}  ${seen}`);
      if (remedy !== undefined && remedy !== said) lines.push(`        ${" ".repeat(column)}-> ${remedy}`);
      said = remedy;
    }
  }
  const count = (verdict: Verdict) => all.filter((finding) => finding.verdict === verdict).length;
  const [warnings, failures] = [count("warn"), count("fail")];
  const tail = `${failures} failed, ${warnings} to look at`;
  return `${lines.join("\n")}\n${isWell ? "What was asked for works" : "Not all that was asked for works"}: ${tail}.\n`;
}
