import { join } from "node:path";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import type { RosEnvironment } from "../../tools/ros/environment.mjs";
import { diagnosed, NodeProcess, Peer } from "./graph.ts";
import { writeRawDrive } from "./raw-drive.ts";

/** What the peer saw of a node that was fed at a steady rate, after the warm-up. */
export interface SteadyReport {
  readonly pairs: number;
  /** Pairs that were answered, by topic. */
  readonly answered: Readonly<Record<string, number>>;
  /** The least of them over the pairs. */
  readonly answeredShare: number;
  /** From the stamp, which is when the pair was published, to when `points` with this stamp came to the peer. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Resident memory of the node, 10^6 bytes: medians of the first and the last tenth; `growth` is end / start - 1. */
  readonly rssMb: { readonly start: number; readonly end: number; readonly growth: number };
  /** How many of the node's threads waited for a processor, the mean: others had it. */
  readonly waiting: number;
  /** The node's own count of what it dropped, warm-up included, by cause. */
  readonly dropped: Readonly<Record<string, number>>;
}

/**
 * Threads of the node that wait for a processor, the mean, from which on others are taken to have the machine. Set from runs
 * beside other jobs (0.68: all answered; 1.29: 75 %), not from a node that is slow by itself.
 */
export const DISTURBED = 1;

export interface SteadyOptions {
  /** Stereo bag with compressed images on /stereo; it is played round and round. */
  readonly from?: string;
  /** For the raw bag that is made of it. */
  readonly folder: string;
  readonly pairs: number;
  /** Pairs that are played before and not counted. */
  readonly warmPairs: number;
  readonly periodS: number;
}

const name = "/stereo_voxel_node";
const { points, pointsClearing, octomapBinary, occupancyGrid } = stereoOutputs;
const outputs = [points, pointsClearing, octomapBinary, occupancyGrid];
const inputs = ["/left/image_rect", "/right/image_rect", "/left/camera_info", "/right/camera_info", "/tf"];

/** Runs a node with its default parameters; an rclpy process publishes raw pairs and receives four outputs. */
export async function runSteady(graph: RosEnvironment, options: SteadyOptions): Promise<SteadyReport> {
  const { folder, pairs, warmPairs, periodS, from } = options;
  const bag = join(folder, "raw.mcap");
  await writeRawDrive(bag, Number.POSITIVE_INFINITY, from === undefined ? {} : { from });
  const peer = new Peer(graph);
  const node = new NodeProcess(graph);
  const rss: number[] = [];
  try {
    await peer.do("load", { path: bag });
    await peer.do("advertise");
    await peer.do("subscribe", { topic: "/diagnostics", type: stereoOutputs.diagnostics.type });
    const topics = outputs.map((output) => output.name.replace("~", name));
    for (const [n, { type, qos }] of outputs.entries()) {
      await peer.do("subscribe", { topic: topics[n], type, latched: qos.durability === "transient_local" });
    }
    if (!(await peer.do("matched", { topics: inputs, within: 60 }))) throw new Error(`no subscription: ${node.said}`);
    await peer.do("play", { first: 0, count: warmPairs, period: periodS });
    const watch = setInterval(() => rss.push(node.rssMb), 1000);
    const [began, waitedS] = [performance.now(), node.waitedS];
    const { sent } = await peer
      .do("play", { first: warmPairs, count: pairs, period: periodS })
      .finally(() => clearInterval(watch));
    const waiting = (node.waitedS - waitedS) / ((performance.now() - began) / 1e3);
    const answered: Record<string, number> = {};
    let latencies: number[] = [];
    for (const [n, topic] of topics.entries()) {
      const found: (number | null)[] = await peer.do("latencies", { topic, stamps: sent });
      const came = found.filter((ms) => ms !== null);
      answered[outputs[n]!.name] = came.length;
      if (n === 0) latencies = came;
    }
    await peer.do("forget", { topic: "/diagnostics" });
    const { values } = await diagnosed(peer, () => true);
    const { code } = await node.stop();
    if (code !== 0) throw new Error(`the node ended with ${code}: ${node.said}`);
    return {
      pairs,
      answered,
      answeredShare: Math.min(...Object.values(answered)) / pairs,
      latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), max: quantile(latencies, 1) },
      rssMb: growthOf(rss),
      waiting,
      dropped: droppedOf(values),
    };
  } finally {
    peer.close();
    node.signal("SIGKILL");
  }
}

function growthOf(samples: readonly number[]): SteadyReport["rssMb"] {
  const tenth = Math.ceil(samples.length / 10);
  const start = quantile(samples.slice(0, tenth), 0.5);
  const end = quantile(samples.slice(-tenth), 0.5);
  return { start, end, growth: end / start - 1 };
}

function droppedOf(values: Readonly<Record<string, string>>): Record<string, number> {
  const drops = Object.entries(values).filter(([key]) => key.startsWith("dropped_"));
  return Object.fromEntries(drops.map(([key, count]) => [key.replace("dropped_", ""), Number(count)]));
}

/** NaN where there are no samples. */
function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil(q * (sorted.length - 1))] ?? Number.NaN;
}
