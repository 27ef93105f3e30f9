import fc from "fast-check";
import { expect, test } from "vitest";
import { compose, fromQuaternion, identity, invert, isRigid, toQuaternion } from "./transform.ts";

// Whole hundredths: fast-check spreads doubles by exponent, so most would be next to 0.
const part = fc.integer({ min: -100, max: 100 }).map((hundredths) => hundredths / 100);
const quaternion = fc
  .record({ x: part, y: part, z: part, w: part })
  .filter((q) => Math.hypot(q.x, q.y, q.z, q.w) > 0.1);
const origin = { x: 0, y: 0, z: 0 };

test("a quaternion comes back from its matrix, sign and all", () => {
  fc.assert(
    fc.property(quaternion, (q) => {
      const T = fromQuaternion(q, { x: 1, y: -2, z: 3 });
      const back = fromQuaternion(toQuaternion(T), { x: 1, y: -2, z: 3 });
      for (let i = 0; i < 12; i += 1) expect(back[i]).toBeCloseTo(T[i]!, 9);
    }),
  );
});

test.each([
  { x: Math.SQRT1_2, y: -Math.SQRT1_2, z: 0, w: 0 },
  { x: 0, y: Math.SQRT1_2, z: -Math.SQRT1_2, w: 0 },
  { x: 0, y: 0, z: 1, w: 0 },
  { x: -0.6, y: 0, z: 0.8, w: 0 },
])("half turns keep the signs of their axis: %o", (q) => {
  const T = fromQuaternion(q, origin);
  const back = fromQuaternion(toQuaternion(T), origin);
  for (let i = 0; i < 12; i += 1) expect(back[i]).toBeCloseTo(T[i]!, 12);
});

test("a transform times its inverse is the identity, and both are rigid", () => {
  fc.assert(
    fc.property(quaternion, part, part, part, (q, x, y, z) => {
      const T = fromQuaternion(q, { x, y, z });
      const product = compose(T, invert(T));
      expect(isRigid(T) && isRigid(invert(T))).toBe(true);
      for (let i = 0; i < 12; i += 1) expect(product[i]).toBeCloseTo(identity()[i]!, 12);
    }),
  );
});
