import type { Image } from "../core/image.ts";
import type { Side } from "../core/ports.ts";
import { type PairOptions, StereoPairer } from "../pipeline/pair.ts";
import { bad, type Finding, ok } from "./finding.ts";

/** Stamps of the images, in the order of the recording. */
export interface Arrival {
  readonly side: Side;
  readonly stampNs: bigint;
}

/** From here on pairs count as complete: a camera that starts or ends in the middle loses one. */
const enough = 0.99;

/** Whether stamps ascend, and whether the eyes find each other as replay pairs them (`sync`). */
export function checkStamps(arrivals: readonly Arrival[], sync: PairOptions): Finding[] {
  const of = (side: Side) => arrivals.filter((one) => one.side === side).map(({ stampNs }) => stampNs);
  const [left, right] = [of("left"), of("right")];
  if (left.length > 0 && right.length > 0 && [...left, ...right].every((stampNs) => stampNs === 0n)) {
    const remedy = "Mend the driver: each image needs the time of its exposure, the same for both eyes.";
    return [bad("fail", "stamps", "every image has the stamp 0", remedy)];
  }
  return [orderFinding(left, right), syncFinding(arrivals, left, right, sync)];
}

function orderFinding(left: readonly bigint[], right: readonly bigint[]): Finding {
  const periodMs = periodMsOf(left);
  const rate = periodMs === undefined ? "" : ` at ${(1e3 / periodMs).toFixed(1)} Hz`;
  const seen = `${left.length} left and ${right.length} right images${rate}`;
  const figures = {
    left: left.length,
    right: right.length,
    ...(periodMs === undefined ? {} : { period_ms: periodMs }),
  };
  const wrong = [...disorder("left", left), ...disorder("right", right)];
  if (wrong.length === 0) return ok("stamps", `${seen}, stamps ascend`, figures);
  const remedy =
    "Check that one driver alone publishes and stamps the topic, and that the bag does not loop; such images are left out.";
  return bad("warn", "stamps", `${seen}: ${wrong.join(", ")}`, remedy, figures);
}

function disorder(side: Side, stamps: readonly bigint[]): string[] {
  const back = steps(stamps).filter((step) => step < 0n).length;
  const same = steps(stamps).filter((step) => step === 0n).length;
  return [
    ...(back > 0 ? [`${back} ${side} stamps go back`] : []),
    ...(same > 0 ? [`${same} ${side} stamps repeat`] : []),
  ];
}

function syncFinding(
  arrivals: readonly Arrival[],
  left: readonly bigint[],
  right: readonly bigint[],
  sync: PairOptions,
): Finding {
  const name = "left and right";
  const paired = countPairs(arrivals, sync);
  const possible = Math.min(left.length, right.length);
  const offsets = offsetsMs(left, right).sort((a, b) => a - b);
  const sizes = offsets.map(Math.abs).sort((a, b) => a - b);
  const [median, low, high] = [at(offsets, 0.5), at(offsets, 0.05), at(offsets, 0.95)];
  const [p95, max] = [at(sizes, 0.95), at(sizes, 1)];
  const figures = {
    paired,
    possible,
    offset_ms_p5: low,
    offset_ms_p50: median,
    offset_ms_p95: high,
    offset_ms_max: max,
  };
  const apart =
    max === 0
      ? "equal stamps"
      : `right ${Math.abs(median).toFixed(1)} ms ${median < 0 ? "before" : "after"} left at the median, 95 % within ${p95.toFixed(1)} ms`;
  const seen = `${paired} of ${possible} pairs; ${apart}`;
  if (paired >= enough * possible) return ok(name, seen, figures);
  const remedy = syncRemedy(p95, periodMsOf(left) ?? 0, sync);
  return bad(paired === 0 ? "fail" : "warn", name, seen, remedy, figures);
}

/** What pairs them: a wider slop where the stamps differ, else only the missing images themselves. */
function syncRemedy(p95Ms: number, periodMs: number, sync: PairOptions): string {
  const isApart = p95Ms > Math.min(ms(sync.slopNs), sync.mode === "auto" ? periodMs / 4 : Number.POSITIVE_INFINITY);
  if (!isApart) return "Images of one eye are missing: look for lost messages (DDS profile, disk) in the recording.";
  const trigger = "Trigger both cameras at once and stamp both images with that moment";
  // The pairer never takes a partner that is more than half a period away.
  if (p95Ms > periodMs / 2) return `${trigger}: the eyes are more than half a frame apart, no setting can pair them.`;
  const slopS = Math.ceil(p95Ms * 1.1) / 1e3;
  return `${trigger}; or, for a scene that moves little, \`--approximate-sync --sync-slop ${slopS}\`.`;
}

function countPairs(arrivals: readonly Arrival[], sync: PairOptions): number {
  const pairer = new StereoPairer(sync);
  for (const { side, stampNs } of arrivals) pairer.push(side, { stampNs, frameId: "", image: noImage });
  pairer.flush();
  return pairer.counts.paired;
}

const noImage: Image = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) };

/** For each left stamp how much later the nearest right one is, milliseconds. */
function offsetsMs(left: readonly bigint[], right: readonly bigint[]): number[] {
  const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = right.toSorted(order);
  let near = 0;
  return left.toSorted(order).flatMap((stampNs) => {
    const away = (i: number) => Math.abs(ms(sorted[i]! - stampNs));
    while (near + 1 < sorted.length && away(near + 1) <= away(near)) near += 1;
    return sorted.length === 0 ? [] : ms(sorted[near]! - stampNs);
  });
}

function steps(stamps: readonly bigint[]): bigint[] {
  return stamps.slice(1).map((stampNs, i) => stampNs - stamps[i]!);
}

function ms(ns: bigint): number {
  return Number(ns) / 1e6;
}

/** The median step; undefined before two images. */
function periodMsOf(stamps: readonly bigint[]): number | undefined {
  const up = steps(stamps)
    .filter((step) => step > 0n)
    .map(ms);
  return up.length === 0
    ? undefined
    : at(
        up.sort((a, b) => a - b),
        0.5,
      );
}

/** The value at a share of a sorted list; 0 of an empty one. */
function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
