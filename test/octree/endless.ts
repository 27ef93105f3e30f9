import type { OctreeFrame } from "../../src/core/occupancy.ts";
import type { Transform } from "../../src/core/transform.ts";
import { opticalPose, randomOf } from "./frames.ts";
import { frameOf } from "./street.ts";

export const STEP_M = 0.8;
/** Steps after which the street begins anew: what is seen then is what was seen before, somewhere else. */
export const PERIOD = 40;
const PERIOD_M = PERIOD * STEP_M;
const SLOT_M = 8;
const SEEN_M = 36;

/** What stands in a slot of the street, metres from where it begins, optical axes; the ground is at y = 1.6. */
function slot(index: number): number[][] {
  const slots = PERIOD_M / SLOT_M;
  const random = randomOf(31 + (((index % slots) + slots) % slots));
  const [left, right] = [-7 - 4 * random(), 7 + 4 * random()];
  const boxes = [
    [left - 8, left, -6 - 5 * random(), 1.6, 0, SLOT_M],
    [right, right + 8, -6 - 5 * random(), 1.6, 0, SLOT_M],
    [-5.9, -5.7, -4, 1.6, 7, 7.2],
  ];
  if (random() < 0.7) boxes.push([-5, -3.2, 0.1, 1.6, 1, 5.2]);
  if (random() < 0.7) boxes.push([3.4, 5.2, 0.2, 1.6, 2, 6.2]);
  if (random() < 0.4) boxes.push([2 - random(), 2.6, -0.2, 1.6, 4, 4.6]);
  return boxes;
}

/** What the camera sees of the endless street after `n` steps; the same after `n + PERIOD`. */
function frameAfter(n: number): OctreeFrame {
  const alongM = n * STEP_M;
  const boxes = [[-40, 40, 1.6, 3, -5, 100]];
  for (let i = Math.floor(alongM / SLOT_M) - 1; i * SLOT_M < alongM + SEEN_M; i += 1) {
    for (const [x0, x1, y0, y1, z0, z1] of slot(i)) {
      const beginM = i * SLOT_M - alongM;
      boxes.push([x0!, x1!, y0!, y1!, z0! + beginM, z1! + beginM]);
    }
  }
  return frameOf(boxes);
}

/** A drive straight along the x of the map, without an end: frame and pose of each step. */
export function endlessDrive(): (n: number) => { frame: OctreeFrame; pose: Transform } {
  const frames: OctreeFrame[] = [];
  return (n) => {
    frames[n % PERIOD] ??= frameAfter(n % PERIOD);
    return { frame: frames[n % PERIOD]!, pose: opticalPose(n * STEP_M, 0, 1.6, 0) };
  };
}
