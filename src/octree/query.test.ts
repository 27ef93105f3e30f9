import { expect, it } from "vitest";
import { opticalPose, randomFrame, randomOf } from "../../test/octree/frames.ts";
import { UNKNOWN } from "../core/occupancy.ts";
import { keyOf } from "./key.ts";
import { OccupancyMap } from "./occupancy-map.ts";
import { makePointList } from "./points.ts";
import { boxInto, makeCellAnswers, queryKeysInto, queryPointsInto } from "./query.ts";

const random = randomOf(4);
const map = new OccupancyMap();
map.insertFrame(randomFrame(random), opticalPose(1, 2, 0.5, 0.7), 0n);
const asked = Float32Array.from({ length: 3000 }, () => (random() - 0.5) * 12);

it("keys are answered as the points in their cells, and as one by one", () => {
  const keys = Uint16Array.from(asked, (v) => keyOf(v, map.resolutionM));
  const [byPoint, byKey] = [makeCellAnswers(1000), makeCellAnswers(1000)];
  queryPointsInto(byPoint, map, asked, 1000);
  queryKeysInto(byKey, map, keys, 1000);
  expect(byKey).toEqual(byPoint);
  for (let i = 0; i < 1000; i += 1) {
    expect(byKey.state[i]).toBe(map.stateOfKey(keys[i * 3]!, keys[i * 3 + 1]!, keys[i * 3 + 2]!));
  }
  expect(new Set(byKey.state).size).toBe(3);
});

it("writes as many answers as were asked for and no more", () => {
  const answers = makeCellAnswers(10);
  answers.state.fill(9);
  queryPointsInto(answers, map, [1e9, 0, 0, 0, Number.NaN, 0], 2);
  expect(Array.from(answers.state)).toEqual([UNKNOWN, UNKNOWN, 9, 9, 9, 9, 9, 9, 9, 9]);
});

it("refuses a query that is longer than its arrays", () => {
  const usage = expect.objectContaining({ code: "USAGE" });
  expect(() => queryPointsInto(makeCellAnswers(2), map, asked, 3)).toThrow(usage);
  expect(() => queryKeysInto(makeCellAnswers(9), map, [1, 2, 3], 2)).toThrow(usage);
});

it("a box lists the same whether it is walked by its own bricks or by the map's", () => {
  const [whole, parts, part] = [makePointList(1), [] as string[], makePointList(1)];
  const textOf = ({ xyz, value }: typeof whole, i: number) => [...xyz.subarray(i * 3, i * 3 + 3), value[i]].join(" ");
  boxInto(whole, map, [-100, -100, -100], [100, 100, 100]);
  for (let x = -12; x < 12; x += 1) {
    boxInto(part, map, [x + 0.1, -100, 0], [x + 1.1, 100, 0.9]);
    for (let i = 0; i < part.count; i += 1) parts.push(textOf(part, i));
  }
  const slab = Array.from({ length: whole.count }, (_, i) => i).filter(
    (i) => whole.xyz[i * 3 + 2]! >= 0 && whole.xyz[i * 3 + 2]! <= 0.9,
  );
  expect(slab.length).toBeGreaterThan(50);
  expect(parts.sort()).toEqual(slab.map((i) => textOf(whole, i)).sort());
});
