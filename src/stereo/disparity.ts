import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";
import type { DisparityMap } from "../core/ports.ts";
import type { PixelMap } from "./ground-truth.ts";

const CELL_PX = 4;
/** The matcher looks for disparities below this: 48 planes, 4 pixels apart (assembly/matcher). */
export const MAX_DISPARITY_PX = 192;
/** The network never claims to know a disparity better than this (training/voxeltrain/net.py). */
export const LEAST_SPREAD_PX = 0.03;
/** A step of so many grey levels parts two cells as much as one cell of distance: more than noise, less than an edge. */
const EDGE_GREY = 20;
/** By so much the disparities of neighbouring cells may differ on one slanted surface, pixels. */
const SLOPE_PX = 0.25;
/** Cells on each side that have a say. */
const REACH = 2;
/** Nine tenths of a component with this scale lie within 3 pixels of its centre: tanh(3 / 2). */
const SURE_PX = 1;
/** A component with less of the distribution is not sure, however narrow it is. */
const SURE_WEIGHT = 0.5;

/**
 * From one disparity a cell to one a pixel. First each cell takes the weighted median of the 5x5 cells around it. A cell
 * weighs as its peak is high, so as its spread is small (the median that is weighted so is the likeliest value where errors
 * fall off exponentially) and its share large, and as its grey is like the grey of the one in the middle. Then each pixel
 * takes the disparity of one of the four cells around it, by likeness of grey and by distance. So contours follow those of
 * the picture. `left`: grey. The answer is lent until the next call.
 */
export function makeDisparityPixels(): (cells: DisparityMap, left: Image) => PixelMap {
  let grey = new Uint8Array(0);
  let middle = new Float32Array(0);
  let data = new Float32Array(0);
  return (cells, left) => {
    const { width, height } = left;
    if (grey.length !== cells.disparityPx.length) {
      grey = new Uint8Array(cells.disparityPx.length);
      middle = new Float32Array(grey.length);
    }
    if (data.length !== width * height) data = new Float32Array(width * height);
    cellGreysInto(grey, cells, left);
    mediansInto(middle, cells, grey);
    pixelsInto(data, middle, cells, grey, left);
    return { width, height, data };
  };
}

/**
 * Metres along z (REP-118), float32: +Infinity beyond `maxRangeM`, NaN where the network is not sure (REP-117). `pixels`
 * are those of `cells`.
 */
export function depthInto(
  out: Float32Array,
  pixels: PixelMap,
  cells: DisparityMap,
  { fx, baselineM }: StereoCalibration,
  maxRangeM: number,
): void {
  const leastPx = (fx * baselineM) / maxRangeM;
  mapSure(out, pixels, cells, Number.NaN, (disparityPx) =>
    disparityPx >= leastPx ? (fx * baselineM) / disparityPx : Number.POSITIVE_INFINITY,
  );
}

/** The disparities, -1 where the network is not sure. */
export function sureDisparityInto(out: Float32Array, pixels: PixelMap, cells: DisparityMap): void {
  mapSure(out, pixels, cells, -1, (disparityPx) => Math.max(0, disparityPx));
}

function mapSure(
  out: Float32Array,
  { width, height, data }: PixelMap,
  { columns, spreadPx, weight }: DisparityMap,
  unsure: number,
  convert: (disparityPx: number) => number,
): void {
  for (let v = 0; v < height; v += 1) {
    const row = (v >> 2) * columns;
    for (let u = 0; u < width; u += 1) {
      const at = v * width + u;
      const cell = row + (u >> 2);
      out[at] = spreadPx[cell]! <= SURE_PX && weight[cell]! >= SURE_WEIGHT ? convert(data[at]!) : unsure;
    }
  }
}

/** Mean grey of each cell; beyond the picture's rim its last column and row go on. */
function cellGreysInto(grey: Uint8Array, { rows, columns }: DisparityMap, { width, height, data }: Image): void {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let y = 0; y < CELL_PX; y += 1) {
        const line = Math.min(height - 1, row * CELL_PX + y) * width;
        for (let x = 0; x < CELL_PX; x += 1) sum += data[line + Math.min(width - 1, column * CELL_PX + x)]!;
      }
      grey[row * columns + column] = (sum + 8) >> 4;
    }
  }
}

const WINDOW = 2 * REACH + 1;
/** What distance adds to the spread of a neighbour; a difference of grey in cells of distance, and what it leaves of a weight. */
const slopePx = Float64Array.from({ length: WINDOW ** 2 }, (_, i) => SLOPE_PX * cellDistance(i % WINDOW, i / WINDOW));
const unlikeness = Float64Array.from({ length: 256 }, (_, difference) => difference / EDGE_GREY);
const likeness = unlikeness.map((cells) => Math.exp(-cells));

function cellDistance(column: number, row: number): number {
  return Math.hypot(column - REACH, Math.floor(row) - REACH);
}

function mediansInto(
  out: Float32Array,
  { rows, columns, disparityPx, spreadPx, weight: share }: DisparityMap,
  grey: Uint8Array,
): void {
  const values = new Float64Array(WINDOW ** 2);
  const weights = new Float64Array(WINDOW ** 2);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const own = grey[row * columns + column]!;
      let count = 0;
      let total = 0;
      for (let y = Math.max(0, row - REACH); y <= Math.min(rows - 1, row + REACH); y += 1) {
        for (let x = Math.max(0, column - REACH); x <= Math.min(columns - 1, column + REACH); x += 1) {
          const at = y * columns + x;
          const slope = slopePx[(y - row + REACH) * WINDOW + x - column + REACH]!;
          const weight = (likeness[Math.abs(grey[at]! - own)]! * share[at]!) / (spreadPx[at]! + slope);
          const value = disparityPx[at]!;
          let k = count;
          for (; k > 0 && values[k - 1]! > value; k -= 1) {
            values[k] = values[k - 1]!;
            weights[k] = weights[k - 1]!;
          }
          values[k] = value;
          weights[k] = weight;
          count += 1;
          total += weight;
        }
      }
      let k = 0;
      for (let sum = weights[0]!; sum < total / 2 && k < count - 1; sum += weights[k]!) k += 1;
      out[row * columns + column] = values[k]!;
    }
  }
}

/** Distance in cells from the pixel (x, y) of a cell to the middle of: it, the one beside, above or below, across. */
const nearness = Float64Array.from({ length: 64 }, (_, i) => {
  const [x, y] = [Math.abs((((i >> 2) & 3) - 1.5) / CELL_PX), Math.abs(((i >> 4) - 1.5) / CELL_PX)];
  return Math.hypot(i & 1 ? 1 - x : x, i & 2 ? 1 - y : y);
});

function pixelsInto(
  out: Float32Array,
  middle: Float32Array,
  { rows, columns }: DisparityMap,
  grey: Uint8Array,
  { width, height, data }: Image,
): void {
  for (let v = 0; v < height; v += 1) {
    const row = v >> 2;
    const line = row * columns;
    const nextLine = Math.min(rows - 1, Math.max(0, (v & 3) < 2 ? row - 1 : row + 1)) * columns;
    for (let u = 0; u < width; u += 1) {
      const column = u >> 2;
      const nextColumn = Math.min(columns - 1, Math.max(0, (u & 3) < 2 ? column - 1 : column + 1));
      const own = data[v * width + u]!;
      const phase = ((v & 3) << 4) | ((u & 3) << 2);
      let best = line + column;
      let least = unlikeness[Math.abs(grey[best]! - own)]! + nearness[phase]!;
      for (let k = 1; k < 4; k += 1) {
        const at = (k < 2 ? line : nextLine) + (k === 2 ? column : nextColumn);
        const cost = unlikeness[Math.abs(grey[at]! - own)]! + nearness[phase + k]!;
        if (cost < least) {
          least = cost;
          best = at;
        }
      }
      out[v * width + u] = middle[best]!;
    }
  }
}
