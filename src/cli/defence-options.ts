import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultSettings } from "../detect/defence/settings.ts";

/** What `addDefenceOptions` adds. */
export interface DefenceFlags {
  readonly defence: "on" | "off";
  readonly patrol: number;
}

/** Adds the options of every command that detects in pictures. */
export function addDefenceOptions(command: Command): Command {
  const patrol =
    "passes an image, on average, that may go into what is not suspicious by itself (1: search each image)";
  return command
    .addOption(new Option("--defence <switch>", "against adversarial patches").choices(["on", "off"]).default("on"))
    .option("--patrol <share>", patrol, share, defaultSettings.patrol);
}

export function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1) || text.trim() === "") throw new InvalidArgumentError("Wanted a number from 0 to 1.");
  return value;
}
