import { type Command, CommanderError } from "commander";
import { Fault, messageOf } from "../core/fault.ts";
import { wasInterrupted } from "./interrupt.ts";

/** 0 all well, 1 something could not be done, 2 the command line or a parameter is wrong, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface Streams {
  /** The answer: text, or one JSON object with `--json`. */
  readonly stdout: Sink;
  /** Everything else: progress, faults, help after a mistake. */
  readonly stderr: Sink;
}

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** What went wrong, for people and, with `--json`, for programs. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Runs the command that `argv` (without node and script) names. Whatever it throws is shown: a `Fault` with its remedy,
 * as text on stderr or, with `--json`, as `{"error": {code, message, remedy}}` on stdout. Never throws.
 */
export async function run(program: Command, argv: readonly string[], streams: Streams = process): Promise<ExitCode> {
  const json = argv.includes("--json");
  let complaint = "";
  for (const command of withSubcommands(program)) {
    // Settings are not inherited by commands that were made elsewhere and added.
    command.exitOverride().configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => {
        complaint += text;
      },
    });
  }
  program.hook("preAction", (_, command) => {
    // `--json` is the program's; each command sees it among its own options.
    if (program.opts<{ json?: boolean }>().json) command.setOptionValue("json", true);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    if (wasInterrupted()) return 130;
    // A command that did its work, but not without loss, has set the code itself.
    return process.exitCode === 1 ? 1 : 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return 0;
      show(usageFailure(thrown, complaint), json, streams, thrown.code === "commander.help" ? complaint : undefined);
      return 2;
    }
    show(failureOf(thrown), json, streams);
    if (process.env["VOXELGUARD_DEBUG"]) streams.stderr.write(`${stackOf(thrown)}\n`);
    if (wasInterrupted()) return 130;
    return thrown instanceof Fault && (thrown.code === "USAGE" || thrown.code === "CONFIG_INVALID") ? 2 : 1;
  }
}

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* withSubcommands(each);
}

function usageFailure(error: CommanderError, complaint: string): Failure {
  const message = error.code === "commander.help" ? "No command given." : complaint.replace(/^error: /, "").trim();
  return { code: "USAGE", message, remedy: "Run the command with --help to see what it takes." };
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Fault) return thrown.toJSON();
  return {
    code: "INTERNAL",
    message: `voxelguard has a defect: ${messageOf(thrown)}`,
    remedy: "Please report it with the output of the same command under VOXELGUARD_DEBUG=1.",
  };
}

function show(failure: Failure, json: boolean, { stdout, stderr }: Streams, text?: string): void {
  if (json) {
    stdout.write(`${JSON.stringify({ error: failure })}\n`);
    return;
  }
  if (text !== undefined) {
    stderr.write(text);
    return;
  }
  const coloured = stderr.isTTY === true && !process.env["NO_COLOR"];
  const [red, dim, plain] = coloured ? ["\u001b[31m", "\u001b[2m", "\u001b[0m"] : ["", "", ""];
  stderr.write(`${red}error:${plain} ${failure.message}\n${failure.remedy}\n${dim}[${failure.code}]${plain}\n`);
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? "" : `\ncaused by: ${stackOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
