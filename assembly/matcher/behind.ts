/** What may lie where the right eye sees nothing: the surface behind goes on there, not the one before it. */
import { CHANNELS } from "./layout";
import { byte } from "./numbers";

const NONE: i32 = 255; // no disparity: 112 is at most 191
const AROUND: i32 = 2; // cells over which the census reaches beyond the rim of a surface
const FAR: i32 = i32.MAX_VALUE / 2;

/**
 * One way along a row: for each cell the disparity of the last sure cell up to it. Sure is the middle one of five cells
 * that pass the left-right check and change by at most a pixel from one to the next. On the way back, from right to left,
 * the smaller of this and what the way there left is kept (where there is neither, the cell's own), and with it by how many
 * pixels the sure surfaces to the right cover that place in the right image, or the image's rim does.
 */
function pass(at: usize, stride: isize, count: i32, back: bool): void {
  let middle = at;
  let before = 0;
  let run = 0;
  let last = NONE;
  // Leftmost place in the right image that the sure surfaces to the right reach: without those of the next cell, and of two.
  let covered = FAR;
  let next = FAR;
  let rim = FAR;
  for (let i = 0; i < count + AROUND; i += 1) {
    if (i < count) {
      const here = <i32>load<u8>(at + 112);
      const goesOn = run > 0 && abs(here - before) <= 1;
      run = load<u8>(at + 119) != 0 ? 0 : goesOn ? run + 1 : 1;
      before = here;
      at += stride;
    } else run = 0;
    if (i < AROUND) continue;
    const own = <i32>load<u8>(middle + 112);
    const sure = run > 2 * AROUND;
    if (sure) last = own;
    let behind = last;
    if (back) {
      behind = min(behind, <i32>load<u8>(middle + 127));
      if (behind == NONE) behind = own;
      const x = 4 * (count - 1 + AROUND - i);
      covered = min(covered, next);
      next = rim;
      rim = sure ? x - 4 * AROUND - own : FAR;
      byte(middle + 126, max(x - behind - covered, behind - x));
    }
    store<u8>(middle + 127, <u8>behind);
    middle += stride;
  }
}

/** Bytes 126 and 127 of a row of cells, from their bytes 112 and 119. */
export function behindRow(o: usize, w4: i32): void {
  pass(o, CHANNELS, w4, false);
  pass(o + (w4 - 1) * CHANNELS, -CHANNELS, w4, true);
}
