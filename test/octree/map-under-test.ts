import { OCCUPIED, type State } from "../../src/core/occupancy.ts";
import { freeInto, occupiedInto } from "../../src/octree/leaves.ts";
import type { MapOptions } from "../../src/octree/map-options.ts";
import { OccupancyMap } from "../../src/octree/occupancy-map.ts";
import { makePointList } from "../../src/octree/points.ts";
import { boxInto, makeCellAnswers, queryPointsInto } from "../../src/octree/query.ts";
import { textOf } from "../reference/reference-map.ts";
import type { MapUnderTest } from "./map-contract.ts";
import type { ScannedMap } from "./scan-contract.ts";

/** Centres of all cells of a state, as text, sorted. */
export function listOf(map: OccupancyMap, state: State): string[] {
  const points = makePointList(1);
  if (state === OCCUPIED) occupiedInto(points, map);
  else freeInto(points, map);
  const at = (i: number) => Array.from(points.xyz.subarray(i * 3, i * 3 + 3));
  return Array.from({ length: points.count }, (_, i) => textOf(at(i))).sort();
}

export function underTest(options: Partial<MapOptions>): MapUnderTest & ScannedMap {
  const map = new OccupancyMap(options);
  return {
    insertFrame: (frame, pose, stampNs) => map.insertFrame(frame, pose, stampNs),
    insertPoints: (points, origin, stampNs, maxRangeM) => map.insertPoints(points, origin, stampNs, maxRangeM),
    stateAt: (x, y, z) => map.stateAt(x, y, z),
    logOddsAt: (x, y, z) => map.logOddsAt(x, y, z),
    clearBox: (min, max) => map.clearBox(min, max),
    reset: () => map.reset(),
    list: (state) => listOf(map, state),
    query: (xyz) => {
      const answers = makeCellAnswers(xyz.length / 3);
      queryPointsInto(answers, map, xyz, xyz.length / 3);
      return answers;
    },
    box: (min, max) => {
      const points = makePointList(1);
      boxInto(points, map, min, max);
      const at = (i: number) => Array.from(points.xyz.subarray(i * 3, i * 3 + 3));
      return Array.from({ length: points.count }, (_, i) => `${textOf(at(i))} ${points.value[i]!.toFixed(2)}`).sort();
    },
  };
}
