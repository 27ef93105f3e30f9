import type { StampedTransform } from "../core/ports.ts";
import { fromQuaternion, type Transform, toQuaternion } from "../core/transform.ts";

/** A transform as it is at a moment; `ageNs` as in `LookupResult`. */
export interface EdgeSample {
  readonly T_parent_child: Transform;
  readonly ageNs: bigint;
}

/** The link of one child frame to its parent, through time. */
export class TfEdge {
  readonly parent: string;
  readonly isStatic: boolean;
  /** Ascending; `#transforms` runs along. A static edge has one. */
  readonly #stampsNs: bigint[] = [];
  readonly #transforms: Transform[] = [];

  constructor(parent: string, isStatic: boolean) {
    this.parent = parent;
    this.isStatic = isStatic;
  }

  get oldestNs(): bigint {
    return this.#stampsNs[0]!;
  }

  get newestNs(): bigint {
    return this.#stampsNs[this.#stampsNs.length - 1]!;
  }

  /** Keeps the order by stamp; a repeated stamp replaces; what is older than `historyNs` before the newest goes. */
  add({ stampNs, T_parent_child }: StampedTransform, historyNs: bigint): void {
    if (this.isStatic) {
      this.#stampsNs[0] = stampNs;
      this.#transforms[0] = T_parent_child;
      return;
    }
    const at = this.#after(stampNs);
    const repeats = at > 0 && this.#stampsNs[at - 1] === stampNs;
    this.#stampsNs.splice(repeats ? at - 1 : at, repeats ? 1 : 0, stampNs);
    this.#transforms.splice(repeats ? at - 1 : at, repeats ? 1 : 0, T_parent_child);
    let old = 0;
    while (this.#stampsNs[old]! < this.newestNs - historyNs) old += 1;
    this.#stampsNs.splice(0, old);
    this.#transforms.splice(0, old);
  }

  /** Interpolates between the neighbours of the stamp; outside of the history the nearest one stands in. */
  at(stampNs: bigint): EdgeSample {
    if (this.isStatic) return { T_parent_child: this.#transforms[0]!, ageNs: 0n };
    const after = this.#after(stampNs);
    if (after === 0) return { T_parent_child: this.#transforms[0]!, ageNs: stampNs - this.oldestNs };
    const beforeNs = this.#stampsNs[after - 1]!;
    const before = this.#transforms[after - 1]!;
    if (beforeNs === stampNs) return { T_parent_child: before, ageNs: 0n };
    if (after === this.#stampsNs.length) return { T_parent_child: before, ageNs: stampNs - beforeNs };
    const share = Number(stampNs - beforeNs) / Number(this.#stampsNs[after]! - beforeNs);
    return { T_parent_child: interpolate(before, this.#transforms[after]!, share), ageNs: 0n };
  }

  /** Index of the first stamp later than `stampNs`. */
  #after(stampNs: bigint): number {
    let [low, high] = [0, this.#stampsNs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stampsNs[middle]! <= stampNs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** From `a` (share 0) to `b` (share 1): straight for the position, slerp (Shoemake 1985) for the rotation. */
export function interpolate(a: Transform, b: Transform, share: number): Transform {
  const [p, q] = [toQuaternion(a), toQuaternion(b)];
  const dot = p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w;
  // q and -q are one rotation; the nearer of them is the shorter way.
  const sign = dot < 0 ? -1 : 1;
  const angle = Math.acos(Math.min(1, Math.abs(dot)));
  const sine = Math.sin(angle);
  // Below a microradian slerp divides 0 by 0, and the straight way is as good.
  const keep = sine < 1e-6 ? 1 - share : Math.sin((1 - share) * angle) / sine;
  const take = sign * (sine < 1e-6 ? share : Math.sin(share * angle) / sine);
  const mix = (i: number) => a[i]! * (1 - share) + b[i]! * share;
  return fromQuaternion(
    {
      x: keep * p.x + take * q.x,
      y: keep * p.y + take * q.y,
      z: keep * p.z + take * q.z,
      w: keep * p.w + take * q.w,
    },
    { x: mix(3), y: mix(7), z: mix(11) },
  );
}
