/**
 * Threads that share out the items of a kernel by a few words of shared memory. Each takes the next item as it
 * gets free, so a thread that comes late, or never, costs time and nothing else; an item waits until the phases before
 * its own are done. Which thread runs which item does not show in the result.
 */
import { BASE, type Kernel } from "./kernel-module.ts";

/** Words of the control memory, an Int32Array. */
const word = {
  /** Number of the run; a thread without work sleeps on it. */
  run: 0,
  /** Number of the run (20 bits) and its next free item (12 bits), so that no thread takes an item of another run. */
  next: 1,
  /** Items that ended. A thread that waits for a phase sleeps on it. */
  done: 2,
  width: 3,
  height: 4,
  /** Not 0: a helper failed. */
  failed: 5,
  /** Items that helpers ran, in all runs. */
  helped: 6,
};
export const CONTROL_BYTES = 7 * 4;
const ITEM_BITS = 12;
const MAX_ITEMS = (1 << ITEM_BITS) - 1;
const RUN_MASK = 0xfffff;

/** A busy core is only worth the cost of falling asleep and waking up. */
const SPIN_MS = 0.02;

/** Opens a run for all threads, the caller's included. Its data are in place. */
export function openRun(control: Int32Array, width: number, height: number): void {
  const run = (Atomics.load(control, word.run) + 1) & RUN_MASK;
  // Closed first: a helper that is late from the run before must find nothing to take while the words change.
  Atomics.store(control, word.next, (run << ITEM_BITS) | MAX_ITEMS);
  Atomics.store(control, word.width, width);
  Atomics.store(control, word.height, height);
  Atomics.store(control, word.done, 0);
  Atomics.store(control, word.next, run << ITEM_BITS);
  Atomics.store(control, word.run, run);
  Atomics.notify(control, word.run);
}

/** Works on the open run until no item is free. Answers false when a phase did not end in time or a helper failed. */
export function work(kernel: Kernel, control: Int32Array, part: number, timeoutMs: number): boolean {
  const run = Atomics.load(control, word.run);
  const width = Atomics.load(control, word.width);
  const height = Atomics.load(control, word.height);
  let first = 0;
  for (let phase = 0; ; phase += 1) {
    const count = kernel.items(height, phase);
    if (count === 0) return true;
    for (;;) {
      const item = take(control, run, first + count);
      if (item < 0) break;
      if (!waitUntilDone(control, first, timeoutMs)) return false;
      kernel.runItem(BASE, width, height, phase, item - first, part);
      if (part > 0) Atomics.add(control, word.helped, 1);
      if (Atomics.add(control, word.done, 1) + 1 === first + count) Atomics.notify(control, word.done);
    }
    first += count;
  }
}

/** The next free item of the run below `end`, or -1. */
function take(control: Int32Array, run: number, end: number): number {
  for (;;) {
    const next = Atomics.load(control, word.next);
    const item = next & MAX_ITEMS;
    if (next >>> ITEM_BITS !== run || item >= end) return -1;
    if (Atomics.compareExchange(control, word.next, next, next + 1) === next) return item;
  }
}

/** Items of all phases. */
export function countItems(kernel: Kernel, height: number): number {
  let items = 0;
  for (let phase = 0; kernel.items(height, phase) > 0; phase += 1) items += kernel.items(height, phase);
  return items;
}

export function itemsOfHelpers(control: Int32Array): number {
  return Atomics.load(control, word.helped);
}

/** Waits until `items` of the open run ended; false: a helper failed, or nothing ended for `timeoutMs`. */
export function waitUntilDone(control: Int32Array, items: number, timeoutMs: number): boolean {
  if (Atomics.load(control, word.done) >= items) return true;
  const until = performance.now() + SPIN_MS;
  while (performance.now() < until) if (Atomics.load(control, word.done) >= items) return true;
  for (;;) {
    const done = Atomics.load(control, word.done);
    if (done >= items) return true;
    if (Atomics.load(control, word.failed) !== 0) return false;
    if (Atomics.wait(control, word.done, done, timeoutMs) === "timed-out") return false;
  }
}

/** Helpers: sleeps until a run opens that is not `seen`, and answers its number. */
export function waitForRun(control: Int32Array, seen: number): number {
  while (Atomics.load(control, word.run) === seen) Atomics.wait(control, word.run, seen);
  return Atomics.load(control, word.run);
}

/** Helpers: tells the others not to wait. */
export function giveUp(control: Int32Array): void {
  Atomics.store(control, word.failed, 1);
  Atomics.notify(control, word.done);
}
