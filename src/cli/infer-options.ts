import { type Command, InvalidArgumentError } from "commander";
import { parseConfig } from "../config/parse.ts";
import { type StereoConfig, stereoSchema } from "../config/stereo-schema.ts";
import { addConfigOptions, configGiven } from "./config-options.ts";

/** Options of every command that runs the stereo model on single pairs. */
export interface ModelFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly json?: boolean | string;
}

export function addModelOptions(command: Command): Command {
  command.option(
    "--model <folder>",
    "model to use: manifest.json and what belongs to it (default: the one that ships)",
  );
  return command.option(
    "--threads <n>",
    "threads of the network (default: what the model's manifest says)",
    wholeNumber,
  );
}

/** Adds the parameters named, checked by `stereoConfigOf`. */
export function addStereoOptions(command: Command, paths: readonly string[]): Command {
  return addConfigOptions(command, stereoSchema, paths);
}

/** The stereo parameters with what the command line gave. Throws `Fault` CONFIG_INVALID. */
export function stereoConfigOf(command: Command): StereoConfig {
  return parseConfig(stereoSchema, configGiven(command, stereoSchema), "the command line");
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64) {
    throw new InvalidArgumentError("Wanted a whole number from 1 to 64.");
  }
  return value;
}
