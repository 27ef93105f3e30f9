import { type Command, Option } from "commander";
import { cliOptions } from "../config/cli-options.ts";
import type { Schema } from "../config/schema.ts";

/** Adds an option for each parameter of the schema, or for those named, under a heading of its own. */
export function addConfigOptions(command: Command, schema: Schema, paths?: readonly string[]): Command {
  for (const { flags, doc, parse } of cliOptions(schema, paths)) {
    for (const [i, flag] of flags.entries()) {
      const option = new Option(flag, i === 0 ? doc : "the opposite").helpGroup("Parameters:");
      command.addOption(flag.includes("<") ? option.argParser(parse) : option);
    }
  }
  return command;
}

/** The parameters that the command line gave, raw, under their names in the schema: for `parseConfig`. */
export function configGiven(command: Command, schema: Schema): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const { path, flags } of cliOptions(schema)) {
    const name = new Option(flags[0]!).attributeName();
    if (command.getOptionValueSource(name) === "cli") given[path] = command.getOptionValue(name);
  }
  return given;
}
