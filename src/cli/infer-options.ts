import { type Command, InvalidArgumentError } from "commander";
import { parseConfig } from "../config/parse.ts";
import { type StereoConfig, stereoSchema } from "../config/stereo-schema.ts";
import { addConfigOptions, configGiven } from "./config-options.ts";

/** Parameters of every command that runs the stereo model. */
const modelParameters = ["model_path", "intra_op_threads"];

/** Adds the parameters named and those of the model, checked by `stereoConfigOf`. */
export function addStereoOptions(command: Command, paths: readonly string[]): Command {
  return addConfigOptions(command, stereoSchema, [...paths, ...modelParameters]);
}

/** The stereo parameters with what the command line gave. Throws `Fault` CONFIG_INVALID. */
export function stereoConfigOf(command: Command): StereoConfig {
  return parseConfig(stereoSchema, configGiven(command, stereoSchema), "the command line");
}

/** The file of `--json [file]`. The program's own --json takes no value, so its name may come as the argument `file`. */
export function jsonPathOf(file: string | undefined, json: boolean | string | undefined): string | undefined {
  return file ?? (typeof json === "string" ? json : undefined);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64) {
    throw new InvalidArgumentError("Wanted a whole number from 1 to 64.");
  }
  return value;
}
