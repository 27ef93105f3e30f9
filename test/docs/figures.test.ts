import { expect, it } from "vitest";
import { drawnFigures } from "../../tools/figures/drawn.ts";
import { readText } from "../launch/support.ts";

it.each(Object.entries(drawnFigures))("%s is what the code draws today (npm run figures)", (name, draw) => {
  expect(readText(`docs/images/${name}`)).toBe(draw());
});
