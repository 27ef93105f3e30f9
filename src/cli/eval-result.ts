import type { tagNames } from "../io/pair-folder.ts";
import { type StereoScore, scoreOf } from "../stereo/metrics.ts";
import { type DisparityScore, disparityScoreOf } from "../stereo/metrics-disparity.ts";
import { added, RANGE_VOXELS, type Reliability, ratio, type Score, scoreOfTally } from "../stereo/metrics-tally.ts";
import type { PairMeasured } from "./eval-pair.ts";

/** Scores of one pair or of several together, from the sums of their counts. */
export interface Scores {
  /** Absent where no pair has a truth for voxels. */
  readonly score?: StereoScore;
  /** Share of the leaves in view that the network was asked about; absent where it was not. */
  readonly leaves_evaluated?: number;
  readonly disparity?: DisparityScore;
}

export interface Group extends Scores {
  readonly pairs: number;
}

export type PairResult = Omit<PairMeasured, "tally" | "disparityTally"> & Scores;

export interface EvalSummary {
  readonly pairs: readonly PairResult[];
  readonly all: Group;
  /** By distance ahead, in voxels. */
  readonly ranges: readonly (Score & { readonly from: number; readonly to: number })[];
  /** Of p_occupied: over all judged voxels, and of each level's head over the cells that were evaluated. */
  readonly reliability: { readonly voxels: readonly Bin[]; readonly levels: readonly (readonly Bin[])[] };
  /** By tag, then by its value. */
  readonly groups: Readonly<Record<(typeof tagNames)[number], Readonly<Record<string, Group>>>>;
}

export interface EvalResult extends EvalSummary {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly skipped: readonly { readonly pair: string; readonly reason: string }[];
  readonly failed: readonly { readonly pair: string; readonly code: string; readonly message: string }[];
}

/** A bin of probabilities that was met. */
export interface Bin {
  readonly count: number;
  readonly mean_p: number;
  readonly occupied: number;
}

export function resultOf(measured: readonly PairMeasured[]): EvalSummary {
  const tally = sumOf(measured.map((one) => one.tally));
  const ranges = tally?.ranges ?? [];
  const reliability = sumOf(ranges.map((range) => range.reliability));
  return {
    pairs: measured.map((one) => {
      const { tally: _, disparityTally: __, ...rest } = one;
      return { ...rest, ...scoresOf([one]) };
    }),
    all: groupOf(measured),
    ranges: ranges.map((range, i) => ({ from: i * RANGE_VOXELS, to: (i + 1) * RANGE_VOXELS, ...scoreOfTally(range) })),
    reliability: {
      voxels: reliability === undefined ? [] : binsOf(reliability),
      levels: (tally?.levels ?? []).map((level) => binsOf(level.reliability)),
    },
    groups: {
      kind: groupsOf(measured, "kind"),
      lighting: groupsOf(measured, "lighting"),
      rig: groupsOf(measured, "rig"),
    },
  };
}

function groupsOf(measured: readonly PairMeasured[], tag: (typeof tagNames)[number]): Record<string, Group> {
  const values = [...new Set(measured.flatMap(({ tags }) => tags[tag] ?? []))].sort();
  return Object.fromEntries(
    values.map((value) => [value, groupOf(measured.filter(({ tags }) => tags[tag] === value))]),
  );
}

function groupOf(measured: readonly PairMeasured[]): Group {
  return { pairs: measured.length, ...scoresOf(measured) };
}

function scoresOf(measured: readonly PairMeasured[]): Scores {
  const tally = sumOf(measured.map((one) => one.tally));
  const disparity = sumOf(measured.map(({ disparityTally }) => disparityTally));
  return {
    ...(tally && { score: scoreOf(tally) }),
    ...(tally &&
      tally.leaves.evaluated > 0 && { leaves_evaluated: ratio(tally.leaves.evaluated, tally.leaves.inView) }),
    ...(disparity && { disparity: disparityScoreOf(disparity) }),
  };
}

/** The sum of those that are there. */
function sumOf<T>(tallies: readonly (T | undefined)[]): T | undefined {
  const [first, ...rest] = tallies.filter((tally) => tally !== undefined);
  return first && rest.reduce((sum, tally) => added(sum, tally), first);
}

function binsOf({ count, sumP, occupied }: Reliability): Bin[] {
  const bins = count.map((n, bin) => ({ count: n, mean_p: ratio(sumP[bin]!, n), occupied: ratio(occupied[bin]!, n) }));
  return bins.filter((bin) => bin.count > 0);
}
