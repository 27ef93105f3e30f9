/**
 * Rigid transform as a row-major 3x4 matrix [R | t], metres. `T_a_b` maps points of frame b into frame a:
 * p_a = R p_b + t.
 */
export type Transform = Float64Array & { readonly __transform?: never };

export function identity(): Transform {
  return Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0);
}

/** Quaternion (x, y, z, w; normalised here) and translation -> transform. */
export function fromQuaternion(
  q: { readonly x: number; readonly y: number; readonly z: number; readonly w: number },
  t: { readonly x: number; readonly y: number; readonly z: number },
): Transform {
  const n = Math.hypot(q.x, q.y, q.z, q.w);
  const [x, y, z, w] = [q.x / n, q.y / n, q.z / n, q.w / n];
  return Float64Array.of(
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    t.x,
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    t.y,
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
    t.z,
  );
}

/** Unit quaternion of the rotation part, w >= 0. Divides by its largest part, so half turns keep their signs. */
export function toQuaternion(T: Transform): { x: number; y: number; z: number; w: number } {
  const [m00, m11, m22] = [T[0]!, T[5]!, T[10]!];
  // Four times the squares of w, x, y, z.
  const squares = [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22];
  const largest = squares.indexOf(Math.max(...squares));
  // Each row: the products of that part with w, x, y, z, times four.
  const [wx, wy, wz] = [T[9]! - T[6]!, T[2]! - T[8]!, T[4]! - T[1]!];
  const [xy, xz, yz] = [T[1]! + T[4]!, T[2]! + T[8]!, T[6]! + T[9]!];
  const rows = [
    [squares[0]!, wx, wy, wz],
    [wx, squares[1]!, xy, xz],
    [wy, xy, squares[2]!, yz],
    [wz, xz, yz, squares[3]!],
  ] as const;
  const [w, x, y, z] = rows[largest]!;
  const n = Math.hypot(w, x, y, z) * (w < 0 ? -1 : 1);
  return { x: x / n, y: y / n, z: z / n, w: w / n };
}

/** T_a_b * T_b_c = T_a_c. */
export function compose(T_a_b: Transform, T_b_c: Transform): Transform {
  const out = new Float64Array(12);
  for (let r = 0; r < 3; r += 1) {
    for (let c = 0; c < 4; c += 1) {
      let sum = c === 3 ? T_a_b[r * 4 + 3]! : 0;
      for (let k = 0; k < 3; k += 1) sum += T_a_b[r * 4 + k]! * T_b_c[k * 4 + c]!;
      out[r * 4 + c] = sum;
    }
  }
  return out;
}

/** T_a_b -> T_b_a. */
export function invert(T: Transform): Transform {
  const out = new Float64Array(12);
  for (let r = 0; r < 3; r += 1) {
    for (let c = 0; c < 3; c += 1) out[r * 4 + c] = T[c * 4 + r]!;
    out[r * 4 + 3] = -(T[r]! * T[3]! + T[4 + r]! * T[7]! + T[8 + r]! * T[11]!);
  }
  return out;
}

/** True when every number is finite and the rotation is orthonormal to 1e-3. */
export function isRigid(T: Transform): boolean {
  for (let r = 0; r < 3; r += 1) {
    if (!Number.isFinite(T[r * 4 + 3]!)) return false;
    for (let s = 0; s <= r; s += 1) {
      const dot = T[r * 4]! * T[s * 4]! + T[r * 4 + 1]! * T[s * 4 + 1]! + T[r * 4 + 2]! * T[s * 4 + 2]!;
      if (!(Math.abs(dot - (r === s ? 1 : 0)) < 1e-3)) return false;
    }
  }
  return true;
}
