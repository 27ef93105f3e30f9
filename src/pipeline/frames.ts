import type { Health } from "../core/health.ts";
import type { StereoInput } from "../core/ports.ts";
import { FrameAssembler, type FrameOptions, type PosedPair } from "./frames-assemble.ts";
import { countDrop, type FrameCounts } from "./frames-counts.ts";

/**
 * From the messages of a stereo source to rectified grey pairs with calibration and pose, in the order of their stamps.
 * Bad data is told to `health` and counted, never thrown. Should the source throw (a bag that breaks off), all that
 * came before still comes out, then the error. Counts are final once the iteration has ended, early or not.
 */
export async function* rectifiedPairs(
  source: AsyncIterable<StereoInput>,
  options: FrameOptions,
  health: Health,
  counts: FrameCounts,
): AsyncGenerator<PosedPair, void, undefined> {
  const assembler = new FrameAssembler(options, health, counts);
  const ready: PosedPair[] = [];
  let broken: { readonly thrown: unknown } | undefined;
  try {
    try {
      for await (const input of source) {
        ready.push(...assembler.push(input));
        yield* handOver(ready, counts);
      }
    } catch (thrown) {
      broken = { thrown };
    }
    if (options.wasCut?.() !== true) ready.push(...assembler.flush());
    yield* handOver(ready, counts);
    if (broken !== undefined) throw broken.thrown;
  } finally {
    assembler.stop();
    for (const _ of ready) countDrop(counts, "stopped_pair");
  }
}

function* handOver(ready: PosedPair[], counts: FrameCounts): Generator<PosedPair, void, undefined> {
  for (let posed = ready.shift(); posed !== undefined; posed = ready.shift()) {
    counts.processed += 1;
    yield posed;
  }
}
