import { readFile } from "node:fs/promises";
import { Fault } from "../core/fault.ts";

/** Objects of an image: left, top, right, bottom, pixels at edges, and the detector's number of their class. */
export interface Labels {
  readonly boxes: readonly number[];
  readonly classes: readonly number[];
}

/** Number in the labels -> number of the detector; undefined: it knows no such class. */
export async function classNumbers(path: string, known: readonly string[]): Promise<(number | undefined)[]> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  const names = text === undefined ? known : text.split("\n").map((line) => line.trim());
  return names.map((name) => (known.includes(name) ? known.indexOf(name) : undefined));
}

/** Boxes and classes of one object a line. Throws `Fault` DATASET_INVALID. */
export async function readLabels(
  path: string,
  width: number,
  height: number,
  numbers: readonly (number | undefined)[],
): Promise<Labels> {
  const wrong = (seen: string) =>
    new Fault(`${path}: ${seen}`, {
      code: "DATASET_INVALID",
      remedy: "Write one object a line: class cx cy w h, shares of the image; an empty file where there is none.",
    });
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) throw wrong("is missing");
  const boxes: number[] = [];
  const classes: number[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const fields = line.trim().split(/\s+/);
    if (line.trim() === "") continue;
    const [kind = Number.NaN, cx = 0, cy = 0, w = 0, h = 0] = fields.map(Number);
    if (fields.length !== 5 || !fields.every((field) => Number.isFinite(Number(field)))) {
      throw wrong(`line ${i + 1} is "${line}", wanted class cx cy w h`);
    }
    if (!(kind in numbers)) throw wrong(`line ${i + 1} has class ${kind}, wanted one below ${numbers.length}`);
    const known = numbers[kind];
    if (known === undefined) continue;
    classes.push(known);
    boxes.push((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height);
  }
  return { boxes, classes };
}
