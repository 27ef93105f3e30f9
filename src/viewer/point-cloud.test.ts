import { expect, it } from "vitest";
import { encodeCdr } from "../../test/support/encode-cdr.ts";
import { makePoints, pointsInto } from "./point-cloud.ts";

const field = (name: string, offset: number, datatype = 7) => ({ name, offset, datatype, count: 1 });
const header = { stamp: { sec: 1, nanosec: 2 }, frame_id: "odom" };

interface Shape {
  readonly step: number;
  readonly rowPad?: number;
  readonly bigEndian?: boolean;
  readonly fields?: ReturnType<typeof field>[];
  readonly height?: number;
}

/** A message whose padding is junk, at an odd place of its buffer. */
function message(points: readonly (readonly number[])[], shape: Shape): Uint8Array {
  const { step, rowPad = 0, bigEndian = false, height = 1 } = shape;
  const fields = shape.fields ?? [field("x", 0), field("y", 4), field("z", 8), field("intensity", 12)];
  const width = points.length / height;
  const rowStep = width * step + rowPad;
  const data = new Uint8Array(height * rowStep).fill(0xff);
  // Room behind the end: a field may be claimed past the last step.
  const backing = new Uint8Array(data.length + 64).fill(0xff);
  const view = new DataView(backing.buffer);
  points.forEach((values, i) => {
    const at = Math.floor(i / width) * rowStep + (i % width) * step;
    values.forEach((value, k) => {
      const known = fields[k];
      if (known !== undefined) view.setFloat32(at + known.offset, value, !bigEndian);
    });
  });
  data.set(backing.subarray(0, data.length));
  const cloud = { header, height, width, fields, is_bigendian: bigEndian, point_step: step, row_step: rowStep, data };
  const cdr = encodeCdr("sensor_msgs/PointCloud2", { ...cloud, is_dense: true });
  const odd = new Uint8Array(cdr.length + 14).fill(0xff);
  odd.set(cdr, 13);
  return odd.subarray(13, 13 + cdr.length);
}

const two = [
  [1, 2, 3, 0.5],
  [-4, 5.5, 6, 0.75],
];

it.each<[string, Shape]>([
  ["packed", { step: 16 }],
  ["padded steps", { step: 21 }],
  ["rows with junk behind", { step: 16, height: 2, rowPad: 5 }],
  ["big-endian", { step: 16, bigEndian: true }],
  ["other order", { step: 19, fields: [field("x", 9), field("y", 1), field("z", 13), field("intensity", 5)] }],
])("reads %s", (_, shape) => {
  const points = makePoints();
  pointsInto(points, message(two, shape));
  expect(points.count).toBe(2);
  expect([...points.xyz.subarray(0, 6)]).toEqual([1, 2, 3, -4, 5.5, 6]);
  expect([...points.probability.subarray(0, 2)]).toEqual([0.5, 0.75]);
});

it("leaves out points that are no numbers, and takes certainty for granted without intensity", () => {
  const points = makePoints();
  const xyz = [field("x", 0), field("y", 4), field("z", 8)];
  pointsInto(
    points,
    message(
      [
        [1, Number.NaN, 3],
        [7, 8, 9],
        [1, 2, Number.POSITIVE_INFINITY],
      ],
      { step: 12, fields: xyz },
    ),
  );
  expect([points.count, ...points.xyz.subarray(0, 3), points.probability[0]]).toEqual([1, 7, 8, 9, 1]);
});

it("keeps its room when a smaller cloud follows", () => {
  const points = makePoints();
  pointsInto(
    points,
    message(
      Array.from({ length: 3000 }, () => [1, 2, 3, 1]),
      { step: 16 },
    ),
  );
  const { xyz } = points;
  pointsInto(points, message(two, { step: 16 }));
  expect(points.xyz).toBe(xyz);
  expect(points.count).toBe(2);
  pointsInto(points, message([], { step: 16 }));
  expect(points.count).toBe(0);
});

it.each<[string, Uint8Array, string]>([
  ["no z", message(two, { step: 16, fields: [field("x", 0), field("y", 4)] }), "no float32 x, y, z"],
  ["double x", message(two, { step: 24, fields: [field("x", 0, 8), field("y", 8), field("z", 12)] }), "no float32"],
  ["a field past the step", message(two, { step: 10 }), "within point_step 10"],
  ["nonsense", Uint8Array.of(0, 1, 0, 0, 1, 2, 3), "not a sensor_msgs/PointCloud2"],
])("refuses %s", (_, bytes, why) => {
  expect(() => pointsInto(makePoints(), bytes)).toThrow(why);
});

it("refuses data shorter than the points need", () => {
  const cloud = { header, height: 1, width: 100, is_bigendian: false, point_step: 16, row_step: 1600, is_dense: true };
  const fields = [field("x", 0), field("y", 4), field("z", 8)];
  const cdr = encodeCdr("sensor_msgs/PointCloud2", { ...cloud, fields, data: new Uint8Array(50) });
  expect(() => pointsInto(makePoints(), cdr)).toThrow("100x1 points need 1600 bytes, it holds 50");
});
