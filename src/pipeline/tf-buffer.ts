import type { Rejection, StampedTransform } from "../core/ports.ts";
import { spanText, stampText } from "../core/stamp.ts";
import { compose, identity, invert, isRigid, type Transform } from "../core/transform.ts";
import { TfEdge } from "./tf-buffer-edge.ts";

export type LookupResult =
  | {
      readonly kind: "ok";
      readonly T_target_source: Transform;
      /** How much later than the newest transform on the way the stamp lies (below 0: earlier than the oldest); 0 = within. */
      readonly ageNs: bigint;
    }
  | {
      readonly kind: "missing";
      /** A sentence without its full stop. */
      readonly reason: string;
      /** `unconnected`: no chain of transforms. `outside`: there is one, but not at this time. */
      readonly why: "unconnected" | "outside";
    };

/** How long transforms are kept, and which are believed. */
export interface TfOptions {
  /** Dynamic transforms older than this before the newest of their edge are forgotten. Default 30 s. */
  readonly historyNs?: bigint;
  /** How far outside of its history the nearest transform may stand in. Default 100 ms. */
  readonly toleranceNs?: bigint;
  /** A transform this much older than the newest of its edge means that time was set back. Default 0.5 s. */
  readonly backwardsNs?: bigint;
}

export type TfAdded = { readonly kind: "ok" | "new_edge" } | { readonly kind: "rejected"; readonly reason: Rejection };

/** The tree of /tf and /tf_static through time (as tf2's buffer). Reads no clock: time is that of the stamps. */
export class TfBuffer {
  /** By child frame. */
  readonly #edges = new Map<string, TfEdge>();
  readonly #historyNs: bigint;
  readonly #toleranceNs: bigint;
  readonly #backwardsNs: bigint;

  constructor({ historyNs, toleranceNs, backwardsNs }: TfOptions = {}) {
    this.#historyNs = historyNs ?? 30_000_000_000n;
    this.#toleranceNs = toleranceNs ?? 100_000_000n;
    this.#backwardsNs = backwardsNs ?? 500_000_000n;
  }

  /** Takes a transform; `TF_INVALID` where it is none. One that goes back in time clears the dynamic history first. */
  add(transform: StampedTransform): TfAdded {
    const [parent, child] = [bare(transform.parent), bare(transform.child)];
    const problem = this.#problem(parent, child, transform);
    if (problem !== undefined) return { kind: "rejected", reason: { code: "TF_INVALID", message: problem } };
    if (this.goesBack(transform)) {
      for (const [name, edge] of this.#edges) if (!edge.isStatic) this.#edges.delete(name);
    }
    let edge = this.#edges.get(child);
    const isNew = edge === undefined || edge.parent !== parent || edge.isStatic !== transform.isStatic;
    if (edge === undefined || isNew) {
      edge = new TfEdge(parent, transform.isStatic);
      this.#edges.set(child, edge);
    }
    edge.add(transform, this.#historyNs);
    return { kind: isNew ? "new_edge" : "ok" };
  }

  /** Whether adding this transform would clear the history. */
  goesBack({ stampNs, parent, child, isStatic }: StampedTransform): boolean {
    const edge = this.#edges.get(bare(child));
    if (isStatic || edge === undefined || edge.isStatic || edge.parent !== bare(parent)) return false;
    return stampNs < edge.newestNs - this.#backwardsNs;
  }

  /** Maps points of `source` into `target` at a time: interpolated, never extrapolated. */
  lookup(target: string, source: string, stampNs: bigint): LookupResult {
    const from = this.chain(source);
    const to = this.chain(target);
    const common = from.find((frame) => to.includes(frame));
    if (common === undefined || (from.length === 1 && to.length === 1 && !this.#knows(common))) {
      return { kind: "missing", why: "unconnected", reason: this.#unconnected(bare(target), bare(source)) };
    }
    const edges = [...from.slice(0, from.indexOf(common)), ...to.slice(0, to.indexOf(common))];
    let ageNs = 0n;
    for (const child of edges) {
      const age = this.#edges.get(child)!.at(stampNs).ageNs;
      if (size(age) > this.#toleranceNs) {
        return { kind: "missing", why: "outside", reason: this.#outside(child, stampNs, age) };
      }
      if (size(age) > size(ageNs)) ageNs = age;
    }
    const T_common_source = this.#climb(from, common, stampNs);
    const T_common_target = this.#climb(to, common, stampNs);
    return { kind: "ok", T_target_source: compose(invert(T_common_target), T_common_source), ageNs };
  }

  /** The frame and its ancestors, up to the root; the frame alone where nothing is known of it. */
  chain(frame: string): string[] {
    const frames = [bare(frame)];
    for (;;) {
      const edge = this.#edges.get(frames[frames.length - 1]!);
      if (edge === undefined) return frames;
      frames.push(edge.parent);
    }
  }

  /** Whether any link between the frame and its root changes with time. */
  moves(frame: string): boolean {
    return this.chain(frame).some((each) => this.#edges.get(each)?.isStatic === false);
  }

  /** The frames' T_common_frame at a time; `frames[0]` is the frame. */
  #climb(frames: readonly string[], common: string, stampNs: bigint): Transform {
    let T = identity();
    for (const child of frames) {
      if (child === common) break;
      T = compose(this.#edges.get(child)!.at(stampNs).T_parent_child, T);
    }
    return T;
  }

  #problem(parent: string, child: string, { T_parent_child, isStatic }: StampedTransform): string | undefined {
    const it = `The ${isStatic ? "static " : ""}transform ${parent || '""'} -> ${child || '""'}`;
    if (parent === "" || child === "") return `${it} lacks a frame name; wanted both. Mend its publisher.`;
    if (parent === child) return `${it} links a frame to itself. Mend its publisher.`;
    if (!isRigid(T_parent_child)) {
      return `${it} is [${Array.from(T_parent_child, (n) => Number(n.toPrecision(6))).join(", ")}]; wanted finite numbers and a rotation. Mend its publisher.`;
    }
    if (this.chain(parent).includes(child)) {
      return `${it} would close a loop: ${[child, ...this.chain(parent).slice(0, this.chain(parent).indexOf(child)).toReversed(), child].join(" -> ")}; wanted a tree. Stop one of its publishers.`;
    }
    return undefined;
  }

  #outside(child: string, stampNs: bigint, ageNs: bigint): string {
    const edge = this.#edges.get(child)!;
    const at = ageNs > 0n ? edge.newestNs : edge.oldestNs;
    return `${edge.parent} -> ${child} is known ${ageNs > 0n ? "until" : "from"} ${stampText(at)}, ${spanText(size(ageNs))} ${ageNs > 0n ? "before" : "after"} the asked ${stampText(stampNs)}; at most ${spanText(this.#toleranceNs)} is bridged`;
  }

  #unconnected(target: string, source: string): string {
    if (this.#edges.size === 0) return `no transform connects ${target} with ${source}: none has been received`;
    return `no transform connects ${target} with ${source}: ${this.#knowledge(target)}; ${this.#knowledge(source)}`;
  }

  #knowledge(frame: string): string {
    if (!this.#knows(frame)) return `${frame || "a frame without a name"} is unknown`;
    const root = this.chain(frame).at(-1);
    const others = [...new Set([...this.#edges].flatMap(([child, edge]) => [edge.parent, child]))]
      .filter((other) => other !== frame && this.chain(other).at(-1) === root)
      .sort();
    const shown = others.slice(0, 5).join(", ");
    return `${frame} knows ${shown}${others.length > 5 ? ` and ${others.length - 5} more` : ""}`;
  }

  #knows(frame: string): boolean {
    return this.#edges.has(frame) || [...this.#edges.values()].some((edge) => edge.parent === frame);
  }
}

/** Roots that stand still (REP-105, and the names that simulators use). */
const standing = ["map", "odom", "world", "earth"];
/** Roots that are the robot. */
const moving = ["base_link", "base_footprint"];

/**
 * The frame to build a map in (REP-105): `map`, else `odom`, else the root of the tree that holds the optical frame.
 * Undefined where that root would move along with the camera: the robot's body, or whatever a camera driver alone
 * publishes (only static transforms, none from a frame that stands).
 */
export function poseFrame(buffer: TfBuffer, opticalFrame: string): string | undefined {
  const ancestors = buffer.chain(opticalFrame).slice(1);
  for (const wanted of ["map", "odom"]) if (ancestors.includes(wanted)) return wanted;
  const root = ancestors.at(-1);
  if (root === undefined || moving.includes(root)) return undefined;
  return standing.includes(root) || buffer.moves(opticalFrame) ? root : undefined;
}

/** tf2 has no leading slash; old publishers still send one. */
function bare(frame: string): string {
  return frame.startsWith("/") ? frame.slice(1) : frame;
}

function size(ns: bigint): bigint {
  return ns < 0n ? -ns : ns;
}
