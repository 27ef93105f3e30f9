import type { Command } from "commander";
import { Fault } from "../core/fault.ts";
import type { ViewerOptions } from "./viewer-feed.ts";

/** What `addViewerOptions` adds to a command's flags. */
export interface ViewerFlags {
  readonly port: string;
  readonly host?: string;
  readonly token?: string;
}

export function addViewerOptions(command: Command): Command {
  return command
    .option("--port <n>", "port of the viewer", "8765")
    .option("--host <address>", "interface of the viewer; other than loopback needs --token", "127.0.0.1")
    .option("--token <secret>", "secret that a browser must bring");
}

/** Throws `Fault` USAGE for what is no port. */
export function viewerOptions({ port, host, token }: ViewerFlags): ViewerOptions {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    throw new Fault(`--port is ${port}; wanted 0..65535.`, {
      code: "USAGE",
      remedy: "Run the command with --help to see what it takes.",
    });
  }
  return { port: number, ...(host !== undefined && { host }), ...(token !== undefined && { token }) };
}
