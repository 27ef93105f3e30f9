/** Tables that all rows share. */
export const CONTRAST: usize = 0; // tables: see `makeTables`
export const AROUND: usize = 256;

/** Tables for all rows: contrast[grey], 255 at 47..49 of 96 (hides a winner and its neighbours). */
export function makeTables(means: usize, tables: usize, w4: i32, h4: i32): void {
  contrast(means, w4 * h4, tables + CONTRAST);
  memory.fill(tables + AROUND, 0, 96);
  memory.fill(tables + AROUND + 47, 255, 3);
}

@inline function total(v: v128): i64 {
  return (
    <i64>i32x4.extract_lane(v, 0) + <i64>i32x4.extract_lane(v, 1) + <i64>i32x4.extract_lane(v, 2) + <i64>i32x4.extract_lane(v, 3)
  );
}

/** Table of 256: grey value -> value scaled to mean 128 and deviation 48 over `count` (a multiple of 16) bytes. */
function contrast(src: usize, count: i32, table: usize): void {
  let sum: i64 = 0;
  let squares: i64 = 0;
  for (let from = 0; from < count; from += 4096) {
    let s = i32x4.splat(0);
    let q = i32x4.splat(0);
    for (let i = from; i < min(count, from + 4096); i += 16) {
      const v = v128.load(src + i);
      const low = i16x8.extend_low_i8x16_u(v);
      const high = i16x8.extend_high_i8x16_u(v);
      s = i32x4.add(s, i32x4.extadd_pairwise_i16x8_u(i16x8.add(low, high)));
      q = i32x4.add(q, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)));
    }
    sum += total(s);
    squares += total(q);
  }
  const variance = (squares * count - sum * sum) / (<i64>count * count);
  const deviation = <i32>max(4, sqrt<f64>(<f64>variance));
  const mean = <i32>(sum / count);
  for (let v = 0; v < 256; v += 1) store<u8>(table + v, <u8>max(0, min(255, 128 + ((v - mean) * 48) / deviation)));
}
