import { expect, it } from "vitest";
import { keepAllInto, makeThinned, thinInto } from "./thin.ts";

it("keeps all that is near, and of what is far one voxel for each coarse cell", () => {
  const xyz: number[] = [];
  for (let x = 0; x < 240; x += 1) for (let y = 0; y < 8; y += 1) xyz.push(x / 2 + 0.25, y / 2 + 0.25, 0.25);
  const points = { count: xyz.length / 3, xyz: Float32Array.from(xyz), probability: new Float32Array(xyz.length / 3) };
  const out = makeThinned();
  thinInto(out, points, 0.5, 0, 0);
  const counts = new Map<number, number>();
  for (let i = 0; i < out.count; i += 1) {
    const scale = out.scale[out.index[i]!]!;
    counts.set(scale, (counts.get(scale) ?? 0) + 1);
    const awayM = Math.hypot(xyz[out.index[i]! * 3]!, xyz[out.index[i]! * 3 + 1]!);
    expect(scale).toBe(awayM > 60 ? 4 : awayM > 28 ? 2 : 1);
  }
  expect(counts.get(1)).toBe(xyz.filter((_, i) => i % 3 === 0 && Math.hypot(xyz[i]!, xyz[i + 1]!) <= 28).length);
  // 32 m x 4 m in cells of 1 m, 60 m x 4 m in cells of 2 m, and what lies across the borders.
  expect(counts.get(2)).toBeGreaterThanOrEqual(32 * 4);
  expect(counts.get(2)).toBeLessThan(34 * 4);
  expect(counts.get(4)).toBeGreaterThanOrEqual(30 * 2);
  expect(counts.get(4)).toBeLessThan(32 * 2);
  keepAllInto(out, 3);
  expect([out.count, ...out.index.subarray(0, 3), ...out.scale.subarray(0, 3)]).toEqual([3, 0, 1, 2, 1, 1, 1]);
});
