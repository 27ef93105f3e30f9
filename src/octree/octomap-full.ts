import { BrickOrder } from "./brick-order.ts";
import { BRICK_CELLS, BRICK_DEPTH } from "./key.ts";
import { LOG_ODDS_STEP, UNKNOWN_CELL } from "./log-odds.ts";
import type { OccupancyMap } from "./occupancy-map.ts";

/** Bytes of a node: its log-odds as float32, then one bit for each child that there is. */
export const FULL_NODE_BYTES = 5;

/**
 * Encodes a map with its log-odds as OctoMap does (`OcTreeBaseImpl::writeData`): depth first, each node before its
 * children, child i = x + 2 y + 4 z. A node has the log-odds of its likeliest child (`updateInnerOccupancy`); 8 children
 * with the same log-odds become one leaf (`prune`). The data of `octomap_msgs/Octomap` with `binary = false` and of `.ot`
 * files. Some ten times the bytes of the binary one.
 */
export class FullOctomapEncoder {
  #view = new DataView(new ArrayBuffer(4096));
  #end = 0;
  readonly #order = new BrickOrder();
  #logOdds = new Int16Array(0);

  /** A view that holds until the next call; empty for an empty map. */
  borrowFull(map: OccupancyMap): Uint8Array {
    this.#end = 0;
    this.#logOdds = map.store.logOdds as Int16Array<ArrayBuffer>;
    this.#order.sort(map);
    if (map.store.count > 0) this.#inner(0, 0, map.store.count);
    return new Uint8Array(this.#view.buffer, 0, this.#end);
  }

  /** Node above the bricks `from`..`to`; returns its log-odds in steps, UNKNOWN_CELL where nothing was written. */
  #inner(depth: number, from: number, to: number): number {
    const start = this.#open();
    let children = 0;
    let most = UNKNOWN_CELL;
    let equal = 0;
    for (let i = from; i < to; ) {
      const end = this.#order.runEnd(i, to, depth);
      const at = this.#end;
      const slot = this.#order.slots[i]!;
      const steps = depth + 1 === BRICK_DEPTH ? this.#cells(slot * BRICK_CELLS, 64) : this.#inner(depth + 1, i, end);
      if (steps !== UNKNOWN_CELL) children |= 1 << this.#order.digit(i, depth);
      if (this.#end === at + FULL_NODE_BYTES && (equal === 0 || steps === most)) equal += 1;
      most = Math.max(most, steps);
      i = end;
    }
    return this.#close(start, children, most, depth > 0 && equal === 8);
  }

  /** Node whose 8 children cover `size` cells each, from cell `first` on. */
  #cells(first: number, size: number): number {
    const start = this.#open();
    let children = 0;
    let most = UNKNOWN_CELL;
    let equal = 0;
    for (let child = 0; child < 8; child += 1) {
      const at = this.#end;
      const steps = size === 1 ? this.#leaf(first + child) : this.#cells(first + child * size, size >> 3);
      if (steps !== UNKNOWN_CELL) children |= 1 << child;
      if (this.#end === at + FULL_NODE_BYTES && (child === 0 || steps === most)) equal += 1;
      most = Math.max(most, steps);
    }
    return this.#close(start, children, most, equal === 8);
  }

  #leaf(cell: number): number {
    const steps = this.#logOdds[cell]!;
    return steps === UNKNOWN_CELL ? steps : this.#close(this.#open(), 0, steps, false);
  }

  /** Room for a node, of which all is known only after its children. */
  #open(): number {
    if (this.#end + FULL_NODE_BYTES > this.#view.byteLength) {
      const larger = new Uint8Array(this.#view.byteLength * 2);
      larger.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(larger.buffer);
    }
    this.#end += FULL_NODE_BYTES;
    return this.#end - FULL_NODE_BYTES;
  }

  /** Writes the node; as a leaf where its children are to be pruned, and not at all where there is nothing in it. */
  #close(start: number, children: number, steps: number, isPruned: boolean): number {
    if (isPruned) this.#end = start + FULL_NODE_BYTES;
    if (steps === UNKNOWN_CELL) this.#end = start;
    else {
      this.#view.setFloat32(start, steps * LOG_ODDS_STEP, true);
      this.#view.setUint8(start + 4, isPruned ? 0 : children);
    }
    return steps;
  }
}
