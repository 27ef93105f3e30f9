import { Fault, messageOf } from "../core/fault.ts";

/**
 * `ok`; `warn`: replay works, something else does not or not well; `fail`: what was asked for (replay, with --ros a live
 * node) cannot work.
 */
export type Verdict = "ok" | "warn" | "fail";

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was seen, and what was wanted where that is not the same. */
  readonly seen: string;
  /** What to do; absent where there is nothing to do, or `seen` says it. */
  readonly remedy?: string;
  /** Numbers behind it, for programs. */
  readonly figures?: Readonly<Record<string, number>>;
}

export function ok(name: string, seen: string, figures?: Finding["figures"]): Finding {
  return { name, verdict: "ok", seen, ...(figures === undefined ? {} : { figures }) };
}

export function bad(
  verdict: Exclude<Verdict, "ok">,
  name: string,
  seen: string,
  remedy?: string,
  figures?: Finding["figures"],
): Finding {
  return {
    name,
    verdict,
    seen,
    ...(remedy === undefined ? {} : { remedy }),
    ...(figures === undefined ? {} : { figures }),
  };
}

/** A failed check in the words of whatever was thrown. */
export function failed(name: string, thrown: unknown): Finding {
  return thrown instanceof Fault
    ? bad("fail", name, thrown.message, thrown.remedy)
    : bad("fail", name, messageOf(thrown), "Please report it with the output under VOXELGUARD_DEBUG=1.");
}
