import { Command } from "commander";
import { Fault, messageOf } from "../core/fault.ts";
import { aborted, interruptSignal } from "./interrupt.ts";
import { RecordedReel, type ReelTrack } from "./recorded-reels.ts";
import { RecordedRun } from "./recorded-run.ts";
import { openViewer, steer, ViewerFeed } from "./viewer-feed.ts";
import { addViewerOptions, type ViewerFlags, viewerOptions } from "./viewer-options.ts";

interface ViewFlags extends ViewerFlags {
  readonly compare?: boolean;
}

/** `voxelguard view map.mcap`, `voxelguard view --compare A.mcap B.mcap`. */
export function viewCommand(): Command {
  const command = new Command("view")
    .description("show a recorded map in a browser: play it, step, scrub; or two side by side")
    .argument(
      "<bags...>",
      "what `replay --out` wrote, or a recording of the node's topics (.mcap, .db3, rosbag2 folder)",
    )
    .option("--compare", "two recordings side by side, in step, with what only one of them holds in colour")
    .addHelpText(
      "after",
      "\nExamples:\n  voxelguard view map.mcap\n  voxelguard view --compare before.mcap after.mcap\n",
    )
    .action(async (bags: readonly string[], flags: ViewFlags) => {
      await runView(bags, flags);
    });
  return addViewerOptions(command);
}

async function runView(paths: readonly string[], flags: ViewFlags): Promise<void> {
  const wanted = flags.compare === true ? 2 : 1;
  if (paths.length !== wanted) throw wrongCount(paths.length, wanted);
  const signal = interruptSignal();
  const runs: RecordedRun[] = [];
  const server = await openViewer({ ...viewerOptions(flags), steered: true });
  try {
    for (const path of paths) runs.push(await RecordedRun.open(path));
    const tracks = inStep(runs).map(
      ({ run, shiftNs }, i): ReelTrack => ({
        run,
        shiftNs,
        feed: new ViewerFeed(server, wanted === 1 ? "" : ["/a", "/b"][i]),
      }),
    );
    server.share(Object.fromEntries(runs.map(({ name }, i) => [`run.${"ab"[i]}`, name])));
    const reel = new RecordedReel(server, tracks);
    process.stderr.write(
      `viewer: ${server.url}\n${reel.total} frames, ${reel.durationS.toFixed(1)} s; Ctrl-C ends it.\n`,
    );
    const playback = steer(server, reel, 1, signal);
    await Promise.race([server.visited, aborted(signal)]);
    await playback.run();
  } finally {
    await server.close();
    for (const run of runs) await run.close().catch((thrown) => process.stderr.write(`${messageOf(thrown)}\n`));
  }
}

/** Recordings of one drive lie on one time axis; others are laid over each other at their first maps. */
function inStep(runs: readonly RecordedRun[]): { readonly run: RecordedRun; readonly shiftNs: bigint }[] {
  const [first, ...others] = runs;
  return [
    { run: first!, shiftNs: 0n },
    ...others.map((run) => {
      const overlaps = run.timesNs[0]! <= first!.timesNs.at(-1)! && first!.timesNs[0]! <= run.timesNs.at(-1)!;
      const shiftNs = overlaps ? 0n : first!.timesNs[0]! - run.timesNs[0]!;
      if (!overlaps)
        process.stderr.write("The recordings do not overlap in time: they are shown from their first maps.\n");
      return { run, shiftNs };
    }),
  ];
}

function wrongCount(seen: number, wanted: 1 | 2): Fault {
  const remedy = "Give one recording, or two with --compare.";
  return new Fault(`${seen} recordings are given; wanted ${wanted}.`, { code: "USAGE", remedy });
}
