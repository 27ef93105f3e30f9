import * as ort from "onnxruntime-node";
import { type DrivePair, HEIGHT, WIDTH } from "./drive.ts";
import { median } from "./report.ts";

/** ImageNet's, which the reference network normalises its images with. */
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
/** Runs of each variant that decide which one competes. */
const TRIALS = 4;

export interface Peer {
  /** Milliseconds of one run of the graph; inputs are ready before. */
  run(n: number): Promise<number>;
  /** Medians of the trials with a thread pool that sleeps or spins between its tasks; the faster one runs. */
  readonly trialsMs: { readonly quiet: number; readonly spinning: number };
  close(): Promise<void>;
}

/** The reference graph in the same onnxruntime with our session's options, its pool spinning or not: what suits it best. */
export async function openPeer(graph: string, pairs: readonly DrivePair[], threads: number): Promise<Peer> {
  const feeds = pairs.map(({ left, right }) => ({ left: normalised(left), right: normalised(right) }));
  const quiet = await openSession(graph, threads, false);
  const spinning = await openSession(graph, threads, true);
  const samples: [number[], number[]] = [[], []];
  for (let i = 0; i <= TRIALS; i += 1) {
    for (const [which, session] of [quiet, spinning].entries()) {
      const took = await timed(session, feeds[i % feeds.length]!);
      if (i > 0) samples[which]!.push(took);
    }
  }
  const [quietMs, spinningMs] = samples.map(median) as [number, number];
  const isSpinning = spinningMs < quietMs;
  await (isSpinning ? quiet : spinning).release();
  const session = isSpinning ? spinning : quiet;
  return {
    run: (n) => timed(session, feeds[n]!),
    trialsMs: { quiet: quietMs, spinning: spinningMs },
    close: () => session.release(),
  };
}

async function openSession(graph: string, threads: number, isSpinning: boolean): Promise<ort.InferenceSession> {
  return await ort.InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Threads that go on spinning after the answer would slow down whoever is measured next.
    extra: { session: { intra_op: { allow_spinning: isSpinning ? "1" : "0" }, force_spinning_stop: "1" } },
  });
}

async function timed(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<number> {
  const began = performance.now();
  const out = await session.run(feeds);
  const took = performance.now() - began;
  const leaves = out["occupancy_64"];
  if (leaves?.dims.join() !== "1,64,64,64" || !Number.isFinite((leaves.data as Float32Array)[0]!)) {
    throw new Error(`the reference graph answered ${leaves?.dims}, wanted 64 x 64 x 64 probabilities`);
  }
  return took;
}

/** Grey as three channels, as the reference network takes it. */
function normalised(grey: Uint8Array): ort.Tensor {
  const pixels = WIDTH * HEIGHT;
  const data = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c += 1) {
    for (let i = 0; i < pixels; i += 1) data[c * pixels + i] = (grey[i]! / 255 - MEAN[c]!) / STD[c]!;
  }
  return new ort.Tensor("float32", data, [1, 3, HEIGHT, WIDTH]);
}
