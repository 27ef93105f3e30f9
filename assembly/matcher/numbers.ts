/** Small arithmetic. */
/** Smallest of 8 unsigned words. */
@inline export function least16(v: v128): i32 {
  let m = i16x8.min_u(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  m = i16x8.min_u(m, i8x16.shuffle(m, m, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  m = i16x8.min_u(m, i8x16.shuffle(m, m, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return <i32>i16x8.extract_lane_u(m, 0);
}

/** Smallest of 16 unsigned bytes. */
@inline export function least8(v: v128): i32 {
  const m = i8x16.min_u(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return least16(i16x8.min_u(v128.and(m, i16x8.splat(255)), i16x8.shr_u(m, 8)));
}

/** Offset of the minimum of a parabola through three costs, in 1/64 of their spacing, -32..32. */
@inline export function vertex(a: i32, b: i32, c: i32): i32 {
  const curve = a - 2 * b + c;
  if (curve <= 0) return 0;
  return max(-32, min(32, ((a - c) * 32) / curve));
}

@inline export function byte(at: usize, value: i32): void {
  store<u8>(at, <u8>max(0, min(255, value)));
}
