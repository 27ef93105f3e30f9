import type { ImageAnswer } from "../../core/detection.ts";
import { common } from "../candidates.ts";
import type { Look, Verdict } from "./look.ts";
import { boxesOf, type Proposer, resized, type Window } from "./propose.ts";
import { surplus } from "./verify.ts";

/**
 * Below the gate, down to this suspicion, most windows are harmless, so what comes must come clearly. A little smaller than the
 * window, for where a patch is dim, what lies beside it is needed.
 */
const PATROL = { least: 0.8, size: 0.85, score: 0.4, rise: 0.15, cover: 0.5 };
/** What must not vanish for it: without its face a dog is taken for a cat, and nothing was hidden. */
const VANISHED = { score: 0.4, rise: 0.2, cover: 0.5 };

/** The windows that stand out most, whether or not they pass the gate. `image`: its size, pixels. */
export function patrolled(
  proposer: Proposer,
  { cues }: ImageAnswer,
  image: { readonly width: number; readonly height: number },
  most: number,
): Window[] {
  if (cues === undefined) return [];
  const windows = proposer.propose(cues, image, { least: PATROL.least, most });
  return windows.map((window) => ({ ...window, box: resized(window.box, PATROL.size) }));
}

/**
 * Fills the windows all at once, for patches that are dim, far away, or made to pass the gate. What lies on an object that appears is
 * tried alone, as many as there is room for, before it is believed.
 */
export async function patrol(look: Look, windows: readonly Window[], room: number): Promise<Verdict[]> {
  if (windows.length === 0) return [];
  const boxes = boxesOf(windows);
  const [all] = await look.again([boxes]);
  const { indices } = surplus(all!, look.first, boxes, PATROL);
  const near = windows.filter(({ box }) => indices.some((i) => common(all!.boxes, 4 * i, 0, box) > 0));
  const tried = near.slice(0, room);
  if (tried.length === 0) return [];
  const answers = windows.length === 1 ? [all!] : await look.again(tried.map(({ box }) => [box]));
  const changes = answers.map((answer, i) => ({
    gained: surplus(answer, look.first, [tried[i]!.box], PATROL).indices.length,
    lost: surplus(look.first, answer, [tried[i]!.box], VANISHED).indices.length,
  }));
  const found = changes.findIndex(({ gained, lost }) => gained > 0 && lost === 0);
  if (found >= 0) look.keep([tried[found]!.box], answers[found]!);
  return tried.map((window, i) => ({ window, masked: i === found, ...changes[i]! }));
}
