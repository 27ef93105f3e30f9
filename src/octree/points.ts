/** A list of points that grows: xyz[3 i..] in metres, value[i]; the first `count` count. Arrays are replaced on growth. */
export interface PointList {
  count: number;
  xyz: Float32Array;
  value: Float32Array;
}

/** An empty list with room for `capacity` points. */
export function makePointList(capacity = 1024): PointList {
  return { count: 0, xyz: new Float32Array(capacity * 3), value: new Float32Array(capacity) };
}

/** Makes room for `extra` more points, keeping those that are there. */
export function reserve(list: PointList, extra: number): void {
  const wanted = list.count + extra;
  if (wanted <= list.value.length) return;
  const capacity = Math.max(wanted, list.value.length * 2);
  const { xyz, value } = list;
  list.xyz = new Float32Array(capacity * 3);
  list.xyz.set(xyz);
  list.value = new Float32Array(capacity);
  list.value.set(value);
}
