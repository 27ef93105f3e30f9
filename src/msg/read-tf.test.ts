import { describe, expect, it } from "vitest";
import { encodeCdr } from "../../test/support/encode-cdr.ts";
import { readTf } from "./read-tf.ts";

const good = {
  header: { stamp: { sec: 3, nanosec: 5 }, frame_id: "odom" },
  child_frame_id: "/base_link",
  transform: { translation: { x: 1, y: 2, z: 3 }, rotation: { x: 0, y: 0, z: Math.SQRT1_2, w: Math.SQRT1_2 } },
};

function read(...transforms: unknown[]): ReturnType<typeof readTf> {
  return readTf(encodeCdr("tf2_msgs/TFMessage", { transforms }), false);
}

it("maps child points to the parent", () => {
  const { transforms, rejected } = read(good);
  expect(rejected).toEqual([]);
  expect(transforms).toMatchObject([{ stampNs: 3_000_000_005n, parent: "odom", child: "base_link", isStatic: false }]);
  const rounded = [...transforms[0]!.T_parent_child].map((v) => Math.round(v * 1e9) / 1e9 + 0);
  expect(rounded).toEqual([0, -1, 0, 1, 1, 0, 0, 2, 0, 0, 1, 3]);
});

describe("rejects one and keeps the others", () => {
  const { translation, rotation } = good.transform;
  it.each([
    [
      "NaN in the translation",
      { transform: { translation: { ...translation, y: Number.NaN }, rotation } },
      /\(1, NaN, 3\)/,
    ],
    ["infinity", { transform: { translation: { ...translation, z: Number.POSITIVE_INFINITY }, rotation } }, /Infinity/],
    ["NaN in the rotation", { transform: { translation, rotation: { ...rotation, w: Number.NaN } } }, /NaN/],
    [
      "a quaternion of zeros",
      { transform: { translation, rotation: { x: 0, y: 0, z: 0, w: 0 } } },
      /length 0, wanted 1/,
    ],
    [
      "a long quaternion",
      { transform: { translation, rotation: { ...rotation, x: 0.2 } } },
      /length 1\.0\d*, wanted 1/,
    ],
    ["no parent", { header: { ...good.header, frame_id: "" } }, /names no frame/],
    ["a frame in itself", { child_frame_id: "odom" }, /its own child/],
  ])("%s", (_name, change, pattern) => {
    const { transforms, rejected } = read({ ...good, ...change }, good);
    expect(transforms.length).toBe(1);
    expect(rejected).toEqual([{ code: "TF_INVALID", message: expect.stringMatching(pattern) }]);
  });

  it("says which frames", () => {
    const { rejected } = read({ ...good, transform: { translation, rotation: { x: 0, y: 0, z: 0, w: 0 } } });
    expect(rejected[0]!.message).toContain('"odom" <- "base_link"');
  });
});

it("takes a quaternion that is a little off, as tf2 does", () => {
  const { transforms } = read({ ...good, transform: { ...good.transform, rotation: { x: 0, y: 0, z: 0, w: 1.004 } } });
  expect(transforms.length).toBe(1);
});

it("refuses bytes that are no TFMessage", () => {
  const cdr = encodeCdr("tf2_msgs/TFMessage", { transforms: [good] });
  for (let size = 0; size < cdr.length; size += 1) {
    expect(() => readTf(cdr.subarray(0, size), true)).toThrow(expect.objectContaining({ code: "MESSAGE_CORRUPT" }));
  }
});
